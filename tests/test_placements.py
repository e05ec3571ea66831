"""Every placement over the wire: sent, sent again, redirected at home and abroad, out of a pickle."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import requests
from placed import Home, PlacedAuth, home
from recording_server import Heard, RecordingServer, recording_server

from requests_partnerauth import (
    CookiePlacement,
    HeaderPlacement,
    Placement,
    QueryPlacement,
    SessionFieldsPlacement,
)
from requests_partnerauth._http.sending import PLAIN_HEADERS
from requests_partnerauth._settings import checks


class PathPlacement(Placement):
    """One of a user's own, with the three words and no mark: the token at the end of the path."""

    def place(self, request: requests.PreparedRequest, value: str) -> None:
        path, question, query = (request.url or "").partition("?")
        request.url = f"{path};key={quote(value, safe='')}{question}{query}"

    def remove(self, request: requests.PreparedRequest, mark: None) -> None:
        path, question, query = (request.url or "").partition("?")
        request.url = path.partition(";key=")[0] + question + query

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return urlsplit(request.url or "").path.endswith(f";key={quote(value, safe='')}")


PLACEMENTS: dict[str, Callable[[], Placement]] = {
    "header": lambda: HeaderPlacement("X-Token", prefix="Token "),
    "cookie": lambda: CookiePlacement("JSESSIONID"),
    "query": lambda: QueryPlacement("access token"),
    "fields": lambda: SessionFieldsPlacement("sid", {"uid": "X1"}),
    "own": PathPlacement,
}
BODIES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "object": {"data": b'{"n": 1.50}', "headers": {"Content-Type": "application/json"}},
    "list": {"data": b'[{"n": 1.50}, {}]', "headers": {"Content-Type": "application/json"}},
    "form": {"data": {"n": "1.50"}},
    "bytes": {"data": b"\x00\xff"},
}


@pytest.fixture
def partner() -> Iterator[Home]:
    with home() as partner:
        yield partner


@pytest.fixture
def foreign() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


@pytest.fixture(params=sorted(PLACEMENTS))
def placement(request: pytest.FixtureRequest) -> Placement:
    return PLACEMENTS[request.param]()


def times(heard: Heard, value: str) -> int:
    """How often a token stands in a request, in any spelling."""
    return sum(heard.text.count(spelling) for spelling in {value, quote(value, safe="")})


@pytest.mark.parametrize("body", sorted(BODIES))
def test_a_request_carries_the_token_once_and_a_resend_the_new_one(
    partner: Home, session: requests.Session, placement: Placement, body: str
) -> None:
    """Whatever the body: the resend is the first sending with another token, which is in it once."""
    session.auth = auth = PlacedAuth(partner.url, placement)
    times_in_it = 2 if (body, type(placement)) == ("list", SessionFieldsPlacement) else 1
    response = session.post(f"{partner.url}/x?q=a%2Bb", **BODIES[body])
    assert response.status_code == 200
    old = auth.token().value
    partner.revoke()

    response = session.post(f"{partner.url}/x?q=a%2Bb", **BODIES[body])

    assert response.status_code == 200
    assert [len(partner.calls), partner.logins, len(response.history)] == [3, 2, 1]
    new = auth.token().value
    _, first, second = partner.calls
    assert times(first, old) == times(second, new) == times_in_it
    assert times(second, old) == 0
    assert "q=a%2Bb" in second.target
    assert second.text == first.text.replace(old, new).replace(quote(old, safe=""), quote(new, safe=""))
    assert placement.carries(response.request, new)
    assert not placement.carries(response.request, old)


@pytest.mark.parametrize("is_refreshed", [False, True], ids=["at-once", "after-a-refresh"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_at_home_ends_with_the_token(
    partner: Home, session: requests.Session, placement: Placement, status: int, is_refreshed: bool
) -> None:
    """The last request of a redirect at home carries the present token once and gets its answer."""
    session.auth = auth = PlacedAuth(partner.url, placement)
    auth.token()
    if is_refreshed:
        partner.revoke()

    response = session.post(
        f"{partner.url}/x", params={"to": "/there?page=2", "status": status}, data=b"\x00"
    )

    assert response.status_code == 200
    assert urlsplit(response.url).path.startswith("/there")
    assert "page=2" in response.url
    assert times(partner.calls[-1], auth.token().value) == 1
    assert partner.logins == (2 if is_refreshed else 1)


@pytest.mark.parametrize("is_refreshed", [False, True], ids=["at-once", "after-a-refresh"])
@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("body", ["nothing", "object", "list"])
def test_a_redirect_abroad_takes_nothing_along(
    partner: Home,
    foreign: RecordingServer,
    session: requests.Session,
    placement: Placement,
    body: str,
    status: int,
    is_refreshed: bool,
) -> None:
    """Another port of the same host gets the request without token and fields, the body as it was."""
    # Promise: placements-abroad
    session.auth = auth = PlacedAuth(partner.url, placement)
    values = [auth.token().value]
    if is_refreshed:
        partner.revoke()

    params = {"to": f"{foreign.url}/taken", "status": status}
    session.post(f"{partner.url}/x", params=params, **BODIES[body])

    values.append(auth.token().value)
    (heard,) = foreign.heard
    assert [times(heard, value) for value in values] == [0, 0]
    assert not any(word in heard.text for word in ("JSESSIONID", "X-Token", "uid", "sid", "access", "key="))
    if status == 307:
        assert heard.body == BODIES[body].get("data", b"")


def test_a_prepared_request_is_sent_again_after_the_end(
    partner: Home, session: requests.Session, placement: Placement
) -> None:
    """One prepared request, sent three times with an end before each: the new token each time, once."""
    session.auth = auth = PlacedAuth(partner.url, placement)
    prepared = session.prepare_request(requests.Request("GET", f"{partner.url}/x?q=1"))
    for number in (2, 3, 4):
        partner.revoke()
        assert session.send(prepared).status_code == 200
        assert partner.logins == number
        assert times(partner.calls[-1], auth.token().value) == 1


def test_a_pickled_request_is_sent_with_its_token(
    partner: Home, session: requests.Session, placement: Placement
) -> None:
    """A signed request that comes out of a pickle goes out as it was signed."""
    auth = PlacedAuth(partner.url, placement)
    prepared = requests.Request("GET", f"{partner.url}/x", cookies={"a": "1"}, auth=auth).prepare()
    unpickled = pickle.loads(pickle.dumps(prepared))

    assert session.send(unpickled).status_code == 200
    assert times(partner.calls[-1], auth.token().value) == 1


def test_removing_leaves_the_request_as_it_was(placement: Placement) -> None:
    """What `place` does to URL, headers and body, `remove` undoes with its mark."""
    for body in BODIES.values():
        model = {"cookies": {"other": "1"}, **body}
        plain = requests.Request("POST", "http://partner.example/x?q=a+b&flag#top", **model).prepare()
        signed = plain.copy()
        mark = placement.place(signed, "made-up-token")
        assert placement.carries(signed, "made-up-token")
        assert not placement.carries(signed, "made-up")
        assert "made-up" not in repr(mark)
        placement.remove(signed, mark)
        assert not placement.carries(signed, "made-up-token")
        assert (signed.url, dict(signed.headers), signed.body) == (plain.url, dict(plain.headers), plain.body)
        assert signed._cookies is not None
        assert dict(signed._cookies) == {"other": "1"}


def test_query_placement_leaves_body_and_other_parameters(partner: Home, session: requests.Session) -> None:
    """Order, repetitions and spelling stay; only a parameter of the token's own name gives way."""
    session.auth = auth = PlacedAuth(partner.url, QueryPlacement("key"))
    body = '{"key": 1}'
    session.post(
        f"{partner.url}/x?b=%7E&key=mine&a=1&a=2&flag", data=body, headers={"Content-Type": "text/json"}
    )

    (call,) = partner.calls
    assert call.body == body.encode()
    token = quote(auth.token().value, safe="")
    assert urlsplit(call.target).query.replace("%7E", "~") == f"b=~&a=1&a=2&flag&key={token}"


@pytest.mark.parametrize(
    "text",
    [
        '[{"n": 1.50, "sid": "old"}, {} ,{"deep": {"sid": 1}, "uid": [1, "}]"]}]',
        ' [ {"n": 1e400} , { "ü": "\\u00fc", "uid" : null, "sid":2 } ] ',
    ],
)
def test_each_object_of_a_json_list_gets_the_fields(
    partner: Home, session: requests.Session, text: str
) -> None:
    """Every member of a JSON list of objects gets both fields; digits, order and spelling stay."""
    session.auth = auth = PlacedAuth(partner.url, SessionFieldsPlacement("sid", {"uid": "X1"}))
    session.post(f"{partner.url}/x", data=text.encode(), headers={"Content-Type": "application/json"})

    (call,) = partner.calls
    assert call.target == "/x"
    fields = {"uid": "X1", "sid": auth.token().value}
    own = [{k: v for k, v in one.items() if k not in fields} for one in json.loads(text, parse_float=str)]
    assert json.loads(call.body, parse_float=str) == [{**one, **fields} for one in own]
    assert all(written in call.body.decode() for written in ("1.50", "deep") if written in text)


@pytest.mark.parametrize(
    "text", ["[]", "[ ]", '[{"a": 1}, 2]', "[[{}]]", '[{"a": 1}', '[{"a": 1}] 2', "[{},]", "["]
)
def test_any_other_json_keeps_its_content(partner: Home, session: requests.Session, text: str) -> None:
    """A list that is empty, broken or of other things arrives as it was; the fields are in the query."""
    session.auth = auth = PlacedAuth(partner.url, SessionFieldsPlacement("sid", {"uid": "X1"}))
    session.post(f"{partner.url}/x", data=text, headers={"Content-Type": "application/json"})

    (call,) = partner.calls
    assert call.body.decode() == text
    assert dict(parse_qsl(urlsplit(call.target).query)) == {"uid": "X1", "sid": auth.token().value}


class OwnHeaders(requests.structures.CaseInsensitiveDict[str]):
    """Headers of a user's own kind: all is set through `__setitem__`."""

    set_through: ClassVar[list[str]] = []

    def __setitem__(self, name: str, value: str) -> None:
        self.set_through.append(name)
        super().__setitem__(name, value)


@pytest.mark.parametrize("kind", [requests.structures.CaseInsensitiveDict, OwnHeaders])
@pytest.mark.parametrize("plain", [PLAIN_HEADERS, None])
def test_whatever_headers_are_made_of(
    partner: Home, monkeypatch: pytest.MonkeyPatch, kind: type[Any], plain: type[Any] | None
) -> None:
    """One header of the token's name, in place of any, whether requests keeps headers as it does or not."""
    monkeypatch.setattr("requests_partnerauth._auth.PLAIN_HEADERS", plain)
    auth = PlacedAuth(partner.url, HeaderPlacement("X-Token"))
    request = requests.Request("GET", f"{partner.url}/thing").prepare()
    request.headers = kind({"x-TOKEN": "old", "Accept": "*/*"})
    OwnHeaders.set_through.clear()
    signed = auth(request)
    assert list(signed.headers.items()) == [("X-Token", auth.token().value), ("Accept", "*/*")]
    assert signed.headers["x-token"] == auth.token().value
    assert OwnHeaders.set_through == (["X-Token"] if kind is OwnHeaders else [])


def test_requests_keeps_its_headers_as_the_short_way_takes_them_to() -> None:
    """Else every auth call takes the long way: right, and a tenth slower."""
    assert PLAIN_HEADERS is requests.structures.CaseInsensitiveDict


def test_a_header_that_another_auth_made_bytes_of_carries_the_token() -> None:
    """Compared as text, so that such a request's refusal is one of the token."""
    request = requests.Request("GET", "http://partner.example/").prepare()
    placement = HeaderPlacement("X-Token", prefix="Token ")
    request.headers["X-Token"] = b"Token made-up"
    assert placement.carries(request, "made-up")
    assert not placement.carries(request, "made")


@pytest.mark.parametrize("name", ["Cookie", "cookie", "COOKIE"])
def test_a_cookie_header_is_no_placement(name: str) -> None:
    """Whoever wants a cookie is told of CookiePlacement."""
    with pytest.raises(ValueError, match=r"^name: .*CookiePlacement"):
        HeaderPlacement(name, prefix="JSESSIONID=")


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", 'a"b', "ä", None])
def test_a_name_that_no_cookie_has(name: Any) -> None:
    """Told by the argument's name, when the placement is made."""
    with pytest.raises(ValueError, match=r"^name: "):
        CookiePlacement(name)


def test_a_token_that_would_end_its_cookie_is_not_sent() -> None:
    """A semicolon in the token is an error that quotes nothing, not two cookies."""
    request = requests.Request("GET", "http://partner.example/").prepare()
    with pytest.raises(ValueError, match=r"^value: ") as caught:
        CookiePlacement("id").place(request, "made-up;admin=1")
    assert "admin" not in str(caught.value)
    assert "Cookie" not in request.headers


@pytest.mark.parametrize(
    ("prefix", "warnings"), [("Bearer", 1), ("Token", 1), ("v1", 1), ("Bearer ", 0), ("", 0), ("id=", 0)]
)
def test_a_prefix_without_its_blank_is_warned_of(
    caplog: pytest.LogCaptureFixture, prefix: str, warnings: int
) -> None:
    """One warning, where a placement is made whose prefix would run into the token."""
    with caplog.at_level(logging.WARNING):
        HeaderPlacement("Authorization", prefix=prefix)
    assert len(caplog.records) == warnings


@pytest.mark.parametrize("placement", ["X-Token", HeaderPlacement, None, 3])
def test_what_is_no_placement_is_told(placement: Any) -> None:
    """A header's name, a class or anything else: the error names the attribute and what is wanted."""
    with pytest.raises(ValueError, match=r"^placement: a placement is wanted.*HeaderPlacement"):
        checks.placement("placement", placement)
    own = PathPlacement()
    assert checks.placement("placement", own) is own
