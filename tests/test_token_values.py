"""Token: what it holds and hides, and the ends that partners name in any of their ways."""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from leak_check import everything_in
from placed import PlacedAuth, home
from recording_server import Answer

from requests_partnerauth import (
    CookiePlacement,
    HeaderPlacement,
    InvalidLoginResponse,
    Placement,
    QueryPlacement,
    SessionFieldsPlacement,
    Token,
)
from requests_partnerauth._token import counted_from

MAKERS: dict[str, Callable[..., Token]] = {
    "Token": Token,
    "lasting": lambda value, **more: Token.lasting(value, 60, **more),
    "until": lambda value, **more: Token.until(value, 2_000_000_000, **more),
    "from_jwt": lambda value, **more: Token.from_jwt(jwt({"exp": 2_000_000_000, "v": value}), **more),
}


def jwt(payload: object, signature: str = "c2lnbmF0dXJl") -> str:
    """A JSON Web Token, signed by nobody."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    parts = ('{"alg":"HS256"}', text)
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, signature])


@pytest.mark.parametrize("maker", sorted(MAKERS))
def test_every_way_takes_the_rest_and_shows_none_of_it(maker: str) -> None:
    """Refresh token, details and cookies are there, read-only, in copies too, and in no repr."""
    token = MAKERS[maker](
        "secret-value",
        refresh_token="secret-refresh",
        details={"note": "secret-detail"},
        cookies={"node": "secret-node"},
    )
    for one in (token, pickle.loads(pickle.dumps(token)), deepcopy(token), token.__replace__()):
        assert one == token
        assert one.refresh_token == "secret-refresh"
        assert (dict(one.details), dict(one.cookies)) == ({"note": "secret-detail"}, {"node": "secret-node"})
        assert "secret" not in repr(one)
        assert repr(one).startswith("Token(issued_at=")
        with pytest.raises(TypeError):
            one.cookies["node"] = "another"  # type: ignore[index]


def test_a_token_is_a_value() -> None:
    """It never changes; equal ones are the same key; another one is made with what is to differ."""
    token = Token("value", issued_at=1.0, expires_at=2.0, refresh_token="r", details={"a": 1})
    for change in (lambda: setattr(token, "value", "other"), lambda: delattr(token, "expires_at")):
        with pytest.raises(AttributeError, match="never changes"):
            change()
    assert {token, Token("value", 1.0, 2.0, "r")} == {token}
    assert token not in {Token("value", 1.0, 2.0), Token("other", 1.0, 2.0, "r"), "value"}
    later = token.__replace__(expires_at=3.0)
    assert (later.value, later.expires_at, later.refresh_token) == ("value", 3.0, "r")
    assert (dict(later.details), token.expires_at) == ({"a": 1}, 2.0)


@pytest.mark.parametrize("wrong", [17, b"r", ["r"], {"r": 1}, True])
def test_a_refresh_token_is_a_text(wrong: Any) -> None:
    """Whatever else a reply holds there is told by name at once; so are details that are no mapping."""
    with pytest.raises(ValueError, match=r"\Arefresh_token: "):
        Token("value", refresh_token=wrong)
    with pytest.raises(ValueError, match=r"\Adetails: "):
        Token("value", details=wrong if not isinstance(wrong, dict) else [wrong])  # type: ignore[arg-type]


def test_what_it_was_made_of_may_change() -> None:
    """A dict that is changed afterwards changes no token."""
    details, cookies = {"a": 1}, {"node": "n1"}
    token = Token("value", details=details, cookies=cookies)
    details["a"], cookies["node"] = 2, "n2"
    assert (dict(token.details), dict(token.cookies)) == ({"a": 1}, {"node": "n1"})


def test_the_longest_value() -> None:
    """16,384 characters are a token, one more is an error that says the limit."""
    # Promise: long-token
    assert len(Token("x" * 16_384).value) == 16_384
    with pytest.raises(ValueError, match=r"^value: .*16,384") as caught:
        Token("x" * 16_385)
    assert "xx" not in str(caught.value)


def test_the_longest_cookies() -> None:
    """Names and values of a token's cookies have 16,384 characters in all; one more is an error."""
    half = {"a": "x" * 8_191, "b": "x" * 8_191}
    assert dict(Token("value", cookies=half).cookies) == half
    with pytest.raises(ValueError, match=r"^cookies: those of a token have 16,384 characters at most$"):
        Token("value", cookies={**half, "c": ""})


@pytest.mark.parametrize(
    "cookies",
    ["node=n1", ["node"], {"node": None}, {"a b": "1"}, {"a": "1;b=2"}, {"a": "1\r\nX: y"}, {1: "2"}],
)
def test_cookies_that_no_header_carries(cookies: Any) -> None:
    """They are an error when the token is made, by name and without a value."""
    with pytest.raises(ValueError, match=r"^cookies: [^;]*$"):
        Token("value", cookies=cookies)


class Upright(QueryPlacement):
    """Takes capitals alone."""

    def can_carry(self, value: str) -> bool:
        return value.isupper()


@pytest.mark.parametrize(
    "placement",
    [
        HeaderPlacement("X-Token"),
        CookiePlacement("TOKEN"),
        QueryPlacement("token"),
        SessionFieldsPlacement("sid"),
        Upright("token"),
    ],
    ids=lambda placement: type(placement).__name__,
)
def test_a_value_that_its_placement_does_not_carry(placement: Placement) -> None:
    """Granted, it is an invalid login; preset, it is an error by name at once; neither quotes it."""
    # Promise: placed-token
    with home() as partner:
        auth = PlacedAuth(partner.url, placement)
        bad = ["made-up\r\nX: y", "made-up-\u20ac", "made-up-\xe4", "made-up\0", " made-up"]
        bad += ["made-up;"] * isinstance(placement, CookiePlacement)
        bad += ["made-up"] * isinstance(placement, Upright)
        for value in bad:
            partner.server.answer = Answer(
                200, {"Content-Type": "application/json"}, json.dumps({"token": value}).encode()
            )
            for _ in range(2):
                with pytest.raises(InvalidLoginResponse, match="unknown answer to the login") as caught:
                    requests.get(f"{partner.url}/x", auth=auth)
                assert "made-up" not in everything_in(caught.value)
            with pytest.raises(ValueError, match=r"^value: ") as wrong:
                auth.preset(value)
            assert "made-up" not in everything_in(wrong.value)
        assert partner.calls == []
        partner.server.answer = Answer(200)
        auth.preset("GOOD")
        assert requests.get(f"{partner.url}/x", auth=auth).status_code == 200


@pytest.mark.parametrize(
    "end",
    ["2030-01-01T00:00:00Z", "60", "", datetime(2030, 1, 1, tzinfo=timezone.utc), True, [1], b"60"],
    ids=str,
)
def test_an_end_that_is_no_number(end: Any) -> None:
    """A text, a date or anything else in `expires_at` is an error that names Token.until."""
    with pytest.raises(ValueError, match=r"^expires_at: .*Token\.until") as caught:
        Token("value", expires_at=end)
    assert "2030" not in str(caught.value)


@pytest.mark.parametrize("end", [float("nan"), float("inf"), 10**400])
def test_an_end_beyond_all_numbers_is_none(end: Any) -> None:
    """What no clock reaches is no known end."""
    assert Token("value", expires_at=end).expires_at is None


@pytest.mark.parametrize(
    "end",
    [
        1896091200,
        1896091200.0,
        datetime(2030, 1, 31, 12, tzinfo=timezone.utc),
        datetime(2030, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))),
        "2030-01-31T12:00:00Z",
        "2030-01-31T12:00:00.000Z",
        "2030-01-31t12:00z",
        "20300131T120000Z",
        "2030-01-31 12:00:00+00:00",
        "2030-01-31T14:00:00+02",
        "2030-01-31T06:30:00-0530",
        " 2030-01-31T12:00:00,000000000Z ",
        "Thu, 31 Jan 2030 12:00:00 GMT",
        "Thursday, 31-Jan-30 12:00:00 GMT",
        "Thu, 31-Jan-2030 12:00:00 GMT",
        "Thu Jan 31 12:00:00 2030",
    ],
    ids=str,
)
def test_one_end_in_all_its_spellings(end: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is the same moment, wherever the machine stands."""
    monkeypatch.setenv("TZ", "Australia/Sydney")
    time.tzset()
    try:
        assert Token.until("value", end).expires_at == 1896091200.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_fractions_count() -> None:
    """A text's fraction of a second is part of the end."""
    assert Token.until("value", "2030-01-31T12:00:00.25Z").expires_at == 1896091200.25


@pytest.mark.parametrize(
    "end",
    [
        "secret", "", "1896091200", "2030-01-31", "2030-01-31T12:00:00", "2030-02-31T12:00:00Z",
        "2030-01-31T25:00:00Z", "2030-01-31T12:00:00+25:00", "31 Jan 2030 12:00:00 GMT",
        "Thu, 31 Feb 2030 12:00:00 GMT", "Thu, 31 Jan 2030 12:00:00", "Thu, 31 Foo 2030 12:00:00 GMT",
        "Thu, 31 Jan 2030 12:00:00 CET", "9" * 5000, "٢٠٣٠-01-31T12:00:00Z", "0000-01-31T12:00:00Z",
        datetime(2030, 1, 31), date(2030, 1, 31), None, True, float("nan"), float("inf"), 10**400, b"60",
        [60], timedelta(60),
    ],
    ids=lambda end: repr(end)[:30],
)  # fmt: skip
def test_an_end_that_can_not_be_read(end: Any) -> None:
    """Told by name, and what was given is quoted nowhere, nor in the exception's chain."""
    with pytest.raises(ValueError, match=r"^end: ") as caught:
        Token.until("secret-value", end)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "end"),
    [
        ({"exp": 1896091200}, 1896091200.0),
        ({"exp": 1896091200.5}, 1896091200.5),
        ({}, None),
        ({"exp": None}, None),
    ],
)
def test_the_end_of_a_jwt(payload: dict[str, Any], end: float | None) -> None:
    """Its exp is the end, none is no known end; signed or not, the value goes out as it is."""
    for signature in ("c2lnbmF0dXJl", ""):
        value = jwt({"sub": "ü?>" * 5, **payload}, signature)
        token = Token.from_jwt(value)
        assert (token.value, token.expires_at) == (value, end)


@pytest.mark.parametrize(
    "value",
    [
        "opaque", "a.b", "a.b.c.d.e", "secret.!!!.x", "e30.c2VjcmV0.x", jwt("[1]"), jwt('"secret"'),
        jwt({"exp": "1896091200"}), jwt({"exp": True}), jwt({"exp": [1]}), jwt('{"exp": NaN}'),
        jwt('{"exp": 1e999}'), jwt('{"exp": ' + "9" * 5000 + "}"), jwt("[" * 8000), jwt({}) + ".x", "e30.a.x",
        "e30._w.x",
    ],
    ids=lambda value: value[:30],
)  # fmt: skip
def test_a_jwt_that_can_not_be_read(value: str) -> None:
    """Told by name, and nothing of it is quoted, nor in the exception's chain."""
    with pytest.raises(ValueError, match=r"^value: a JSON Web Token") as caught:
        Token.from_jwt(value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("unit", [60, 60.0, timedelta(minutes=1)])
def test_a_unit_is_a_timedelta_or_seconds(unit: Any) -> None:
    """A lifetime of 30 such units is half an hour."""
    assert Token.lasting("value", "30", unit=unit).lifetime == pytest.approx(1800)


@pytest.mark.parametrize("unit", ["minutes", 0, -1, True, float("nan"), float("inf"), timedelta(0), None])
def test_a_unit_that_is_none(unit: Any) -> None:
    """Told by name."""
    with pytest.raises(ValueError, match=r"^unit: "):
        Token.lasting("value", 30, unit=unit)


def test_a_lifetime_counts_from_the_sending_and_an_end_stays() -> None:
    """What lasts counts from when the login was sent, evolved too; an end that is named is not moved."""
    now = time.time()
    lasting = Token.lasting("value", 600).__replace__(details={"a": 1}, refresh_token="r")
    assert counted_from(lasting, now - 20, now).expires_at == pytest.approx(now - 20 + 600, abs=5)
    for named in (
        Token("value", issued_at=now - 3600, expires_at=now + 600),
        Token.until("value", now + 600),
        Token.from_jwt(jwt({"exp": now + 600})),
    ):
        counted = counted_from(named, now - 20, now)
        assert (counted.issued_at, counted.expires_at) == (now - 20, now + 600)


def test_an_end_that_has_passed_is_no_known_end() -> None:
    """Where the partner's clock is behind, its tokens are used until they are refused."""
    assert counted_from(Token("value", expires_at=1000.0), 1990.0, 2000.0).expires_at is None
