"""Errors of a login told apart: refused, out of order, or an answer that no document describes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial as reply_of
from pathlib import Path

import pytest
import requests
from conftest import make_auth
from partner_contract import ImpatientClock

from requests_partnerauth import (
    FileTokenCache,
    InvalidLoginResponse,
    LoginRejected,
    LoginUnavailable,
    PartnerAuth,
)
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

HTML = b"<!DOCTYPE html><html><body>Welcome to the hotel's network</body></html>"

UNKNOWN: dict[str, Callable[[], Reply]] = {
    "html": reply_of(Reply, 200, {"Content-Type": "text/html"}, HTML),
    "html-that-claims-json": reply_of(Reply, 200, {"Content-Type": "application/json"}, HTML),
    "html-404": reply_of(Reply, 404, {"Content-Type": "text/html"}, HTML),
    "nothing": reply_of(Reply, 200),
    "nothing-204": reply_of(Reply, 204),
    "blanks": reply_of(Reply, 200, {"Content-Type": "application/json"}, b" \r\n "),
    "empty-object": reply_of(Reply.of_json, {}),
    "empty-list": reply_of(Reply.of_json, []),
    "list": reply_of(Reply.of_json, [{"value": "t", "authToken": "t", "data": {"token": "t"}}]),
    "null": reply_of(Reply.of_json, None),
    "text": reply_of(Reply.of_json, "token"),
    "number": reply_of(Reply.of_json, 42),
    "broken": reply_of(Reply, 200, {"Content-Type": "application/json"}, b'{"value": "t", "data": {'),
    "not-utf-8": reply_of(Reply, 200, {"Content-Type": "application/json"}, b'{"value": "\xff\xfe"}'),
    "deep": reply_of(Reply, 200, {"Content-Type": "application/json"}, b'{"a":' * 5_000),
    "other-members": reply_of(
        Reply.of_json, {"hello": "world", "data": {}, "response": {"status": "success"}}
    ),
    "null-members": reply_of(
        Reply.of_json, {"value": None, "authToken": None, "data": None, "response": None}
    ),
    "list-members": reply_of(Reply.of_json, {"value": [], "authToken": {}, "data": [], "response": []}),
    "token-is-a-number": reply_of(
        Reply.of_json,
        {
            "value": 7,
            "authToken": 7,
            "data": {"token": 7},
            "response": {"status": "success", "authenticationCode": 7},
        },
    ),
    "token-is-empty": reply_of(
        Reply.of_json,
        {
            "value": " ",
            "authToken": " ",
            "data": {"token": " "},
            "response": {"status": "success", "authenticationCode": " "},
        },
    ),
    "token-is-a-header-split": reply_of(
        Reply.of_json,
        {
            "value": "a\r\nb",
            "authToken": "a\r\nb",
            "data": {"token": "a\r\nb"},
            "response": {"status": "success", "authenticationCode": "a\r\nb"},
        },
    ),
    "redirect-301": reply_of(Reply, 301, {"Location": "/elsewhere"}),
    "redirect-302": reply_of(Reply, 302, {"Location": "https://portal.example/login"}),
    "redirect-307": reply_of(Reply, 307, {"Location": "/elsewhere"}),
    "not-modified": reply_of(Reply, 304),
}

OUTAGES: dict[str, Callable[[], Reply]] = {
    "500": reply_of(Reply.of_text, "Internal Server Error", 500),
    "502-html": reply_of(Reply, 502, {"Content-Type": "text/html"}, HTML),
    "503": reply_of(Reply, 503, {"Retry-After": "0"}),
    "504-json": reply_of(Reply.of_json, {"value": "t"}, 504),
    "429": reply_of(Reply, 429, {"Retry-After": "1"}),
    "429-never": reply_of(Reply, 429, {"Retry-After": "86400"}),
    "429-odd": reply_of(Reply, 429, {"Retry-After": "soon"}),
    "407-html": reply_of(Reply, 407, {"Content-Type": "text/html"}, HTML),
    "408": reply_of(Reply, 408),
    "425": reply_of(Reply, 425),
    "hung-up": reply_of(Reply, reset=True),
    "cut-short": lambda: Reply(200, {}, b'{"value": "half a token"}', truncate=True),
}

REFUSED: dict[str, Callable[[], Reply]] = {
    "401": reply_of(Reply, 401),
    "401-html": reply_of(Reply, 401, {"Content-Type": "text/html"}, HTML),
    "401-empty-object": reply_of(Reply.of_json, {}, 401),
    "403": reply_of(Reply, 403),
    "403-list": reply_of(Reply.of_json, [], 403),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PartnerAuth, "_clock", ImpatientClock())


def error_of(session: requests.Session, url: str) -> Exception:
    """What a request raises, once it is clear that it shows nothing of how it came about."""
    with pytest.raises(requests.RequestException) as caught:
        session.get(url)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "Traceback" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("answer", UNKNOWN)
def test_an_answer_that_no_document_describes(
    partner: SimulatedPartner, session: requests.Session, answer: str
) -> None:
    """It is InvalidLoginResponse after one try, with where to look; the next request tries afresh."""
    session.auth = make_auth(partner)
    partner.answer_logins(UNKNOWN[answer]())

    errors = [error_of(session, partner.base_url + "/a") for _ in range(2)]

    assert [type(error) for error in errors] == [InvalidLoginResponse] * 2
    assert all(str(error).startswith(partner.name) and "base_url" in str(error) for error in errors)
    assert (partner.login_attempts, partner.calls) == (2, [])
    partner.answer_logins(None)
    assert session.get(partner.base_url + "/a").status_code == 200


@pytest.mark.parametrize("answer", OUTAGES)
def test_an_outage(partner: SimulatedPartner, session: requests.Session, answer: str) -> None:
    """It is LoginUnavailable; the next request tries afresh, after a 429 once it may."""
    session.auth = auth = make_auth(partner)
    partner.answer_logins(OUTAGES[answer]())

    error = error_of(session, partner.base_url + "/a")

    assert type(error) is LoginUnavailable
    assert str(error).startswith(partner.name)
    assert partner.calls == []
    partner.answer_logins(None)
    if answer.startswith("429"):
        auth.forget()
    assert session.get(partner.base_url + "/a").status_code == 200


@pytest.mark.parametrize("code", [500, "500", 503, "503", 599])
@pytest.mark.parametrize("name", ["fiserv-boarding", "fiserv-partner", "fiserv-commerce-connect"])
def test_an_outage_told_in_a_200(
    simulator: PartnerSimulator, session: requests.Session, name: str, code: int | str
) -> None:
    """A Fiserv status code of 5xx is an outage: tried three times, told in its words, not remembered."""
    partner = simulator.partners[name]
    session.auth = make_auth(partner)
    partner.answer_logins(Reply.of_json({"status": {"statusCode": code, "message": "Sorry"}, "data": {}}))

    error = error_of(session, partner.base_url + "/a")

    assert type(error) is LoginUnavailable
    assert "Sorry" in str(error)
    assert partner.login_attempts == 3
    partner.answer_logins(None)
    assert session.get(partner.base_url + "/a").status_code == 200


@pytest.mark.parametrize("answer", REFUSED)
def test_a_refusal_without_the_partners_words(
    partner: SimulatedPartner, session: requests.Session, answer: str
) -> None:
    """401 and 403 are refusals whatever stands in them; the HTTP status is the code then."""
    reply = REFUSED[answer]()
    session.auth = auth = make_auth(partner)
    partner.answer_logins(reply)

    first, second = (error_of(session, partner.base_url + "/a") for _ in range(2))

    assert isinstance(first, LoginRejected)
    assert isinstance(second, LoginRejected)
    assert first is not second
    assert first.code == second.code == str(reply.status)
    assert partner.login_attempts == 1
    partner.answer_logins(None)
    auth.forget()
    assert session.get(partner.base_url + "/a").status_code == 200


@pytest.mark.parametrize("status", [400, 402, 409, 422, 423])
def test_an_unknown_answer_that_may_mean_the_credentials(
    partner: SimulatedPartner, session: requests.Session, status: int
) -> None:
    """It is InvalidLoginResponse, and remembered as a refusal is: twenty requests cost one attempt."""
    session.auth = auth = make_auth(partner)
    partner.answer_logins(Reply.of_json({"error": "invalid_grant"}, status))

    errors = [error_of(session, partner.base_url + "/a") for _ in range(20)]

    assert {type(error) for error in errors} == {InvalidLoginResponse}
    assert len(set(map(id, errors))) == 20
    assert "credentials" in str(errors[-1])
    assert (partner.login_attempts, partner.calls) == (1, [])
    partner.answer_logins(None)
    auth.forget()
    assert session.get(partner.base_url + "/a").status_code == 200


def test_an_unknown_answer_is_remembered_for_other_processes(
    partner: SimulatedPartner, session: requests.Session, tmp_path: Path
) -> None:
    """A second cache on the same directory, as another process has it, finds it and asks nobody."""
    partner.answer_logins(Reply.of_json({"error": "invalid_grant"}, 400))
    for _ in range(2):
        session.auth = make_auth(partner, cache=FileTokenCache(tmp_path))
        assert isinstance(error_of(session, partner.base_url + "/a"), InvalidLoginResponse)

    assert partner.login_attempts == 1


def test_an_answer_without_an_end(simulator: PartnerSimulator, session: requests.Session) -> None:
    """A page far longer than any login's reply is told as what its beginning is."""
    page = HTML + b" " * 300_000
    simulator.bex.answer_logins(Reply(200, {"Content-Type": "text/html"}, page))

    with pytest.raises(InvalidLoginResponse):
        session.get(simulator.bex.base_url + "/a", auth=make_auth(simulator.bex))


def test_a_partner_that_is_not_there(partner: SimulatedPartner, session: requests.Session) -> None:
    """A connection refused is LoginUnavailable in plain words."""
    auth = make_auth(partner, base_url="http://127.0.0.1:9/none")

    with pytest.raises(LoginUnavailable, match="the connection was refused") as caught:
        session.get("http://127.0.0.1:9/none/a", auth=auth)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_legacy_script_goes_on_catching_what_it_caught(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """Every error of a login is a requests.RequestException."""
    for reply in (UNKNOWN["html"](), OUTAGES["503"](), REFUSED["401"]()):
        partner.answer_logins(reply)
        with pytest.raises(requests.RequestException):
            session.get(partner.base_url + "/a", auth=make_auth(partner))


def test_what_is_logged_of_a_failed_login(
    partner: SimulatedPartner, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """One line tells partner, account and kind of failure, without the secret."""
    caplog.set_level(logging.INFO, "requests_partnerauth")
    partner.answer_logins(UNKNOWN["html"]())

    with pytest.raises(InvalidLoginResponse):
        session.get(partner.base_url + "/a", auth=make_auth(partner))

    (line,) = [record.getMessage() for record in caplog.records]
    assert partner.name in line
    assert "InvalidLoginResponse" in line
    assert str(partner.credentials[partner.secret_field]) not in line


@pytest.mark.parametrize("which", ["other-members", "null-members", "token-is-a-number"])
def test_a_reply_without_the_token_is_no_mistake_of_a_class(
    partner: SimulatedPartner, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is not there is named as in the document; no line of the library's is blamed."""
    partner.answer_logins(UNKNOWN[which]())
    with pytest.raises(InvalidLoginResponse, match=r"no login document describes \(n") as caught:
        make_auth(partner).token()
    assert " line " not in f"{caught.value} {caplog.text}"


@pytest.mark.parametrize("body", [HTML, b'{"detail": "Not authenticated"}', b""])
def test_a_401_in_no_partners_words_is_no_word_about_the_password(
    partner: SimulatedPartner, body: bytes
) -> None:
    """It may be of another service at a wrong base_url: that is what is to be looked at first."""
    partner.answer_logins(Reply(401, {"Content-Type": "text/html"}, body))
    with pytest.raises(LoginRejected, match="check base_url, then the credentials") as caught:
        make_auth(partner).token()
    assert caught.value.code == "401"


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("charset", ["nonesuch", "rot13", "undefined"])
def test_a_reply_in_no_charset_is_no_mistake_of_a_class(
    partner: SimulatedPartner, charset: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no UTF-8, and claims what nobody can read, is told as the partner's answer, with its words."""
    said = {"Content-Type": f"application/json; charset={charset}"}
    partner.answer_logins(Reply(status, said, b'{"ex": "none of \xff"}'))
    with pytest.raises((InvalidLoginResponse, LoginRejected), match="check ") as caught:
        make_auth(partner).token()
    told = f"{caught.value} {caplog.text}"
    assert not any(word in told for word in (" line ", "LookupError", "UnicodeError", "parse_login"))
