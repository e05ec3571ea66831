"""A partner's words lose every secret before they become a message, and nothing else."""

from __future__ import annotations

import base64
import html
import json
import logging
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests
from conftest import make_auth
from hypothesis import example, given
from hypothesis import strategies as st
from leak_check import (
    AUTHS,
    HARD,
    QuickClock,
    assert_no_secret,
    echo_of,
    everything_in,
    hard_auth,
    of_logs,
)
from placed import PlacedAuth
from profiles import examples
from recording_server import Answer, Heard, RecordingServer, recording_server

from requests_partnerauth import (
    FiservCommerceConnectAuth,
    HeaderPlacement,
    InvalidLoginResponse,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    PartnerAuthError,
    Token,
    json_object,
)
from requests_partnerauth._http.scrub import one_line, scrub, scrub_bytes
from requests_partnerauth.simulator import PartnerSimulator, Reply

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quoted": lambda secret: quote(secret, safe=""),
    "quoted like a path": quote,
    "quoted like a form": quote_plus,
    "quoted in small letters": lambda secret: quote(secret, safe="").lower(),
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON": json.dumps,
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "JSON with escaped slashes": lambda secret: json.dumps(secret).replace("/", "\\/"),
    "JSON within JSON": lambda secret: json.dumps(json.dumps(secret)),
    "HTML": html.escape,
    "HTML in numbers": lambda secret: "".join(f"&#{ord(c)};" if not c.isalnum() else c for c in secret),
    "HTML in ASCII": lambda secret: html.escape(secret).encode("ascii", "xmlcharrefreplace").decode(),
    "Python": repr,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "UTF-8 read as latin-1": lambda secret: secret.encode().decode("latin-1"),
    "squeezed into ASCII": lambda secret: secret.encode("ascii", "replace").decode(),
    "capitals": str.upper,
}


def refusals(words: str) -> list[Reply]:
    """A refusal in every shape that a partner of ours has for one."""
    return [
        Reply.of_json({"ex": words}),
        Reply.of_json({"status": {"statusCode": 402, "message": words}, "data": {}}),
        Reply.of_json({"status": {"statusCode": words, "message": words}, "data": {}}),
        Reply.of_json({"response": {"errorCode": words, "errorMessage": words}}),
        Reply.of_json({"response": {"status": "error", "description": words}}),
        Reply.of_json({"status": {"statusCode": 500, "message": words}}),
        Reply.of_json({"value": words, "authToken": words, "data": {"token": words}}),
        Reply.of_json({"value": [words], "authToken": [words], "data": {"token": [words]}}),
        Reply.of_text(words, 200),
        Reply.of_text(words, 401),
        Reply.of_text(words, 404),
        Reply.of_text(words, 503),
        Reply(302, {"Location": "http://127.0.0.1:9/?" + quote(words)}),
        Reply(200, {"Content-Type": "application/json"}, b'{"ex": "' + words.encode()),
    ]


def failure_of(auth: PartnerAuth) -> PartnerAuthError | None:
    try:
        auth.token()
    except PartnerAuthError as error:
        return error
    return None


@pytest.mark.parametrize(("name", "more"), AUTHS)
def test_when_the_partner_repeats_what_it_was_sent(
    simulator: PartnerSimulator, records: list[logging.LogRecord], name: str, more: dict[str, Any]
) -> None:
    """A reply that quotes the whole login, in any shape, brings no secret into message, log or chain."""
    # Promise: echo
    partner = simulator.partners[name]
    for number in range(len(refusals(""))):
        partner.answer_logins(lambda call, number=number: refusals(echo_of(call))[number])
        auth = hard_auth(partner, **more)
        auth._log_in._clock = QuickClock()
        error = failure_of(auth)
        if error is not None:
            assert_no_secret(auth, error, records)
            assert error.response is None
        else:
            assert number == 6  # a login that grants what it was sent is a strange one, but a login


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_when_the_partner_spells_the_secret_otherwise(
    simulator: PartnerSimulator, records: list[logging.LogRecord], spelling: str
) -> None:
    """A password in a partner's words is found in a URL, JSON, HTML and base64; words around it stay."""
    spell = SPELLINGS[spelling]
    partner = simulator.bex
    partner.answer_logins(Reply.of_json({"ex": f"No user with password {spell(HARD)} is known"}))
    auth = hard_auth(partner)
    with pytest.raises(LoginRejected) as caught:
        auth.token()
    assert_no_secret(auth, caught.value, records)
    assert spell(HARD) not in everything_in(caught.value)
    assert caught.value.partner_message.startswith("No user with password ")
    assert caught.value.partner_message.endswith(" is known")
    assert "***" in caught.value.partner_message
    assert not any(part in caught.value.partner_message for part in ("€", "u20ac", "%E2", "é", "8364"))


def test_a_short_password_leaves_the_words_alone() -> None:
    """A password of a letter or a small word is taken out where it stands alone, not out of other words."""
    # Promise: short-secret
    assert one_line("Bad Credential for pat", ["a"]) == "Bad Credential for pat"
    assert one_line("password=a, or 'a'; %3Da%26", ["a"]) == "password=***, or '***'; %3D***%26"
    assert one_line("Bad password: pass", ["pass"]) == "Bad password: ***"
    assert one_line("the latest test", ["test"]) == "the latest ***"


def test_capitals_outside_ascii() -> None:
    """A long s or the sign for kelvin, where a pattern takes them for the letter, hide no password."""
    assert one_line("no user with \u017fecret-word", ["secret-word"]) == "no user with ***"
    assert one_line("no user with \u212aey-word", ["key-word"]) == "no user with ***"


@examples(500)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=20).filter(str.strip),
    st.sampled_from(sorted(SPELLINGS)),
    st.text(max_size=20),
    st.text(max_size=20),
)
@example("ßßßßßß", "quoted", "", "")
@example("000000", "plain", "\x00", "0")
@example("secret-word", "capitals", "", "")
@example("ab??>>??>>", "base64", "", "")
@example("ab??>>??>>", "base64 for URLs", "", "")
def test_any_password_is_found_in_any_spelling(secret: str, spelling: str, before: str, after: str) -> None:
    """Whatever the password and its surroundings, its spelling is gone from a text and from bytes."""
    if spelling == "capitals":
        secret = secret.encode("ascii", "ignore").decode() or "secret"
    written = SPELLINGS[spelling](secret)
    core = written.strip("\"'\\=")
    if (
        len(core) < 6
        or "***" in core
        or core in "***"
        or (spelling == "squeezed into ASCII" and set(core) <= {"?"})
    ):
        return
    assert core not in scrub(f"{before} {written} {after}", [secret]) or core in f"{before} *** {after}"
    content = f"{before} {written} {after}".encode("utf-8", "replace")
    assert core.encode() not in scrub_bytes(content, [secret]) or core in f"{before} *** {after}"


def test_no_text_takes_long_to_search() -> None:
    """A long reply made to look almost like the password is searched in a moment."""
    for secret in ("é" * 20, "\\" * 20 + "x", '"' * 20 + "x", " " * 20 + "x", "&é" * 10, "a" * 40 + "b"):
        for text in ("?", "\\", "\\\\u00e9", "%25", " ", "&#0000", "a", "Ã"):
            assert scrub(text * (100_000 // len(text)) + " " + secret, [secret]).endswith("***")


class CarelessAuth(PartnerAuth):
    """An own partner whose login can't even be prepared: its header has a line break in it."""

    partner = "careless"
    placement = HeaderPlacement("X-Token")
    account = "me"
    secret = "line\nbreak"

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", headers={"X-Secret": self.secret or ""})

    def parse_login(self, response: requests.Response) -> Token:
        raise KeyError(response.request.headers["X-Secret"])


def test_an_own_partner_that_is_careless(records: list[logging.LogRecord]) -> None:
    """What requests says of a header it can't send, or an own parse_login raises, is not passed on."""
    auth = CarelessAuth(base_url="https://careless.example", cache=MemoryTokenCache())
    with pytest.raises(LoginUnavailable, match="InvalidHeader") as caught:
        auth.token()
    told = everything_in(caught.value) + of_logs(records)
    assert "break" not in told
    with recording_server() as server:
        auth = CarelessAuth(base_url=server.url, cache=MemoryTokenCache())
        auth.secret = "in-one-line"
        with pytest.raises(InvalidLoginResponse, match="KeyError") as caught_again:
            auth.token()
    assert "in-one-line" not in everything_in(caught_again.value) + of_logs(records)


@pytest.mark.parametrize("how", ["forget", "preset"])
def test_a_token_that_was_dropped_may_still_be_good(simulator: PartnerSimulator, how: str) -> None:
    """The partner repeats it in the refusal of a later login: it is in no text of ours."""
    partner = simulator.bex
    auth = make_auth(partner)
    dropped = auth.token().value
    auth.forget()
    if how == "preset":
        auth.preset(dropped)
        auth.preset("another-token-1")
        auth.forget()
    partner.answer_logins(Reply.of_json({"ex": f"session {dropped} is open already"}))
    with pytest.raises(LoginRejected) as caught:
        auth.token()
    assert dropped not in everything_in(caught.value)


def refused_by(auth: PartnerAuth, server: RecordingServer) -> requests.Response:
    """What the error of a call carries whose 401 no login could heal."""
    auth._log_in._clock = QuickClock()
    with pytest.raises(PartnerAuthError) as caught:
        requests.get(f"{server.url}/x", auth=auth)
    assert caught.value.response is not None
    return caught.value.response


class FlowAuth(PlacedAuth):
    """Asks for a number, logs in with it in a form, JSON, a header and a cookie; refreshes where it can."""

    refreshes = False
    interrupted = False

    def login_flow(self, previous: Token | None) -> Generator[requests.Request, requests.Response, Token]:
        if self.refreshes and previous is not None and previous.refresh_token:
            reply = yield requests.Request(
                "POST", f"{self.base_url}/refresh", data={"refresh": previous.refresh_token}
            )
            if self.interrupted:
                raise KeyboardInterrupt
        number = (json_object((yield requests.Request("POST", f"{self.base_url}/number"))) or {})["n"]
        yield requests.Request("POST", f"{self.base_url}/step", data={"key": f"secret-of-a-form-{number}"})
        reply = yield requests.Request(
            "POST",
            f"{self.base_url}/login",
            json={"a": [{"key": f"secret-of-json-{number}"}]},
            headers={"X-Key": f"secret-of-header-{number}"},
            cookies={"n": f"secret-cookie-{number}"},
        )
        return self._token_in(reply)

    def _token_in(self, reply: requests.Response) -> Token:
        if reply.status_code != 200:
            raise LoginRejected("no")
        members = json_object(reply) or {}
        return Token(members["token"], refresh_token=members["refresh"])


class FlowService:
    """Grants one login, turns its token down in words that repeat all it knows, and ends all logins then."""

    def __init__(self, refresh: str, then: int) -> None:
        self.number = 0
        self.refresh = refresh
        self.then = then
        self.words = ""

    def __call__(self, heard: Heard) -> Answer:
        headers = {"Content-Type": "application/json"}
        if heard.target == "/number":
            self.number += 1
            return Answer(200, headers, json.dumps({"n": f"{self.number:016}"}).encode())
        if heard.target in ("/login", "/refresh") and (heard.target, self.number) != ("/login", 1):
            return Answer(self.then)
        if heard.target == "/login":
            reply = {"token": "secret-token", "refresh": self.refresh}
            return Answer(200, headers, json.dumps(reply).encode())
        if heard.target == "/step":
            return Answer()
        names = ("of-a-form", "of-json", "of-header", "cookie")
        sent = [f"secret-{name}-{self.number:016}" for name in names]
        words = " ".join([self.refresh, "secret-token", "made-up-password", *sent])
        return Answer(401, {"X-Echo": words}, words.encode())


@pytest.mark.parametrize("then", [401, 500, 400])
@pytest.mark.parametrize("refresh", ["secret-refresh", "secret-refresh-of-some-length"])
def test_a_refresh_token_that_was_sent_and_dropped(refresh: str, then: int) -> None:
    """The refusal that led to its use repeats it: the error's response shows it no more than the token."""
    # Promise: sent-echo
    with recording_server() as server:
        server.answer = FlowService(refresh, then)
        auth = FlowAuth(server.url, HeaderPlacement("X-Token"))
        auth.refreshes = True
        response = refused_by(auth, server)
        assert [heard.target for heard in server.heard].count("/refresh") == 1
    assert response.text == " ".join(["***"] * 7)
    assert response.headers["X-Echo"] == response.text


def test_a_refresh_token_whose_login_was_interrupted() -> None:
    """Dropped since it was sent, it is hidden all the same when a later call's refusal repeats it."""
    with recording_server() as server:
        server.answer = FlowService("secret-refresh", 401)
        auth = FlowAuth(server.url, HeaderPlacement("X-Token"))
        auth.refreshes = auth.interrupted = True
        with pytest.raises(KeyboardInterrupt):
            requests.get(f"{server.url}/x", auth=auth)
        auth.preset("another-token")
        response = refused_by(auth, server)
    assert response.text == " ".join(["***"] * 7)


@pytest.mark.parametrize("then", [401, 500, 400])
def test_what_a_login_sent_is_in_no_later_error(then: int) -> None:
    """Form, JSON, header and cookie of the login before the last one are hidden in a later refused call."""
    with recording_server() as server:
        server.answer = FlowService("secret-refresh", then)
        auth = FlowAuth(server.url, HeaderPlacement("X-Token"))
        response = refused_by(auth, server)
        assert [heard.target for heard in server.heard].count("/login") >= 2
    assert response.text == " ".join(["***"] * 7)
    assert response.headers["X-Echo"] == response.text


def test_the_hmac_of_a_login_is_in_no_later_error() -> None:
    """Commerce Connect's HMAC, another for each login, is hidden where a refused call repeats it."""
    hmacs: list[str] = []

    def answer(heard: Heard) -> Answer:
        if heard.target.endswith("/getToken"):
            hmacs.append(heard.header("HMAC") or "")
            reply = {"response": {"sessionTokenId": "made-up-token"}}
            good = Answer(200, {"Content-Type": "application/json"}, json.dumps(reply).encode())
            return good if len(hmacs) == 1 else Answer(500)
        return Answer(401, {}, f"HMAC {hmacs[0]} is of yesterday".encode())

    with recording_server() as server:
        server.answer = answer
        key, iv = (base64.b64encode(bytes([number]) * size).decode() for number, size in ((1, 32), (2, 16)))
        auth = FiservCommerceConnectAuth(
            key,
            iv,
            {"amount": "1"},
            base_url=server.url,
            hmac=lambda _: f"made-up-hmac-number-{len(hmacs)}",
            cache=MemoryTokenCache(),
        )
        response = refused_by(auth, server)
    assert hmacs[0] != hmacs[1]
    assert response.text == "HMAC *** is of yesterday"


def test_very_many_details_of_a_login(simulator: PartnerSimulator) -> None:
    """Where a login gave 13,000 secrets, nothing is searched for them, and so nothing is shown."""
    # Promise: many-secrets
    partner = simulator.bex
    details = [f"{number:016x}" for number in range(13_000)]
    partner.answer_logins(Reply.of_json({"value": "made-up-token", "d": details}))
    auth = make_auth(partner)
    auth.token()
    partner.answer_logins(Reply.of_json({"ex": f"no more of {details[77]} here"}))
    partner.answer("/x", Reply(401, {"X-Echo": details[78]}, f"no {details[79]} here".encode()))
    with pytest.raises(LoginRejected) as caught:
        requests.get(f"{partner.base_url}/x?a=1", auth=auth)
    assert caught.value.partner_message == "***"
    response = caught.value.response
    assert response is not None
    assert (response.status_code, response.text, dict(response.headers)) == (401, "", {})
    assert details[77] not in everything_in(caught.value)
