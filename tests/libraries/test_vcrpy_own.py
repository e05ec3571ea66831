"""vcrpy with auths of a user's own: any placement, login flows, refresh tokens, logouts."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests
import vcr
from odd_server import OddServer
from placed import Home, PlacedAuth, home
from recording_server import Answer, Heard, RecordingServer, recording_server
from vcr.request import Request

from requests_partnerauth import (
    BexAuth,
    CookiePlacement,
    HeaderPlacement,
    MemoryTokenCache,
    PartnerAuth,
    Placement,
    QueryPlacement,
    SessionFieldsPlacement,
    Token,
    json_object,
)
from requests_partnerauth.testing import vcr_filters

Steps = Generator[requests.Request, requests.Response, Token]


@pytest.fixture
def partner() -> Iterator[Home]:
    with home() as partner:
        yield partner


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


@pytest.mark.parametrize(
    "placement",
    [
        HeaderPlacement("Authorization", "Bearer "),
        CookiePlacement("JSESSIONID"),
        QueryPlacement("key"),
        SessionFieldsPlacement("sid", {"uid": "X1"}),
    ],
    ids=["header", "cookie", "query", "fields"],
)
@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "another-process's"])
def test_a_token_is_known_by_its_place(
    partner: Home, tmp_path: Path, placement: Placement, is_ours: bool
) -> None:
    """No spelling of it is in the cassette, also where no auth of this process had it; another replays it."""
    cassette = tmp_path / "cassette.yaml"
    value = partner.live = "made/up+token=elsewhere"
    for token, mode in ((value, "once"), ("a-dummy-token", "none")):
        auth = PlacedAuth(partner.url, placement)
        auth.preset(token)
        known = auth if is_ours else PlacedAuth(partner.url, placement)
        with vcr.VCR(**vcr_filters(known)).use_cassette(str(cassette), record_mode=mode):
            session = requests.Session()
            session.cookies.set("tenant", "42")
            session.auth = auth
            session.get(f"{partner.url}/one?q=1").raise_for_status()
            session.post(f"{partner.url}/two", json=[{"n": 1}, {}]).raise_for_status()
            session.post(f"{partner.url}/three", data={"n": 1}).raise_for_status()
    text = cassette.read_text()
    assert not any(spelling in text for spelling in (value, quote(value, safe=""), quote_plus(value)))
    assert "tenant=42" in text
    assert len(partner.calls) == 3


class SteppedAuth(PartnerAuth):
    """Asks for a nonce and a cookie, then logs in with them; refreshes by refresh token; logs out."""

    partner = "stepped"
    placement = HeaderPlacement("X-Token")

    def __init__(self, base_url: str, password: str = "made-up-password") -> None:
        super().__init__(base_url=base_url, cache=MemoryTokenCache())
        self.username = self.account = "user"
        self.secret = password

    def login_flow(self, previous: Token | None) -> Steps:
        if previous is not None and previous.refresh_token:
            form = {"refresh": previous.refresh_token}
            reply = yield requests.Request("POST", f"{self.base_url}/refresh", data=form)
        else:
            first = yield requests.Request("GET", f"{self.base_url}/nonce")
            nonce = (json_object(first) or {})["nonce"]
            form = {"nonce": nonce, "password": self.secret}
            reply = yield requests.Request("POST", f"{self.base_url}/login/{nonce}", data=form)
        members = json_object(reply) or {}
        cookies = {"node": reply.cookies["node"]}
        return Token(members["token"], refresh_token=members["refresh"], cookies=cookies)

    def logout_request(self, token: Token) -> requests.Request:
        body = {"refresh": token.refresh_token}
        return requests.Request("POST", f"{self.base_url}/logout?token={token.value}", json=body)


def converse(flow: Steps) -> Token:
    """Send what a flow yields until it has its token."""
    with requests.Session() as session:
        request = next(flow)
        while True:
            try:
                request = flow.send(session.send(session.prepare_request(request)))
            except StopIteration as end:
                return end.value


def answer(heard: Heard) -> Answer:
    """The partner of SteppedAuth; nothing that it says twice is in its log."""
    number = "1" if "/nonce" in heard.target or "/login" in heard.target else "2"
    words: dict[str, Any] = {"n": 1, "who": "user", "list": [1, 2]}
    cookies = f"node={number}; Path=/"
    if heard.target == "/nonce":
        words["nonce"] = "secret-nonce-of-some-length"
        cookies = "flow=secret-flow-cookie; HttpOnly"
    elif heard.target.startswith(("/login/", "/refresh")):
        words |= {"token": f"secret-token-{number}", "refresh": f"secret-refresh-{number}"}
    headers = {"Content-Type": "application/json", "Set-Cookie": cookies}
    return Answer(200, headers, json.dumps(words).encode())


def test_every_step_of_a_flow_is_kept_out(server: RecordingServer, tmp_path: Path) -> None:
    """Nonce, cookies, passwords, tokens and refresh tokens are in no cassette, which replays the same way."""
    server.answer = answer
    cassette = tmp_path / "cassette.yaml"
    for password, mode in (("secret-password", "once"), ("dummy", "none")):
        auth = SteppedAuth(server.url, password)
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode):
            token = converse(auth.login_flow(None))
            refreshed = converse(auth.login_flow(token))
            headers = {"X-Token": refreshed.value, "Cookie": f"mine=1; node={refreshed.cookies['node']}"}
            replied = requests.get(f"{server.url}/thing", headers=headers, timeout=10)
            logout = auth.logout_request(refreshed).prepare()
            requests.Session().send(logout, timeout=10)
        assert replied.json() == {"n": 1, "who": "user", "list": [1, 2]}
    assert (token.value, refreshed.refresh_token, dict(refreshed.cookies)) == ("***", "***", {"node": "***"})
    text = cassette.read_text()
    assert "secret" not in text
    assert "node=1" not in text
    assert "node=2" not in text
    assert "mine=1" in text
    assert len(server.heard) == 5


class RefreshingAuth(PlacedAuth):
    """Logs in with one request, and refreshes with another, at another address."""

    def refresh_request(self, token: Token) -> requests.Request:
        url = f"{self.base_url}/renew?refresh={token.refresh_token}"
        return requests.Request("POST", url, json={"refresh": token.refresh_token})

    def parse_login(self, response: requests.Response) -> Token:
        members = json_object(response) or {}
        return Token(members["token"], refresh_token=members["refresh"])


def test_a_refresh_request_is_kept_out(server: RecordingServer, tmp_path: Path) -> None:
    """Its URL and body are not in the cassette, nor are the tokens that it brings."""
    words = {"token": "secret-token", "refresh": "secret-refresh", "n": 1}
    server.answer = Answer(200, {"Content-Type": "application/json"}, json.dumps(words).encode())
    auth = RefreshingAuth(server.url, HeaderPlacement("X-Token"))
    cassette = tmp_path / "cassette.yaml"
    with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette)):
        old = Token("secret-old", refresh_token="secret-old-refresh")
        requests.Session().send(auth.refresh_request(old).prepare(), timeout=10)
    assert "secret" not in cassette.read_text()
    assert "/renew" in cassette.read_text()


def test_a_logout_is_kept_out(server: RecordingServer, tmp_path: Path) -> None:
    """Its query and body are not in the cassette, though nothing is known of the token that it ends."""
    auth = SteppedAuth(server.url)
    cassette = tmp_path / "cassette.yaml"
    with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette)):
        token = Token("secret-token", refresh_token="secret-refresh")
        requests.Session().send(auth.logout_request(token).prepare(), timeout=10)
    assert "secret" not in cassette.read_text()
    assert "/logout" in cassette.read_text()


@pytest.mark.parametrize(
    ("base_url", "sent_to"),
    [
        ("http://partner.example:80", "http://partner.example"),
        ("http://partner.example", "http://partner.example:80"),
        ("https://Partner.Example:443/", "https://partner.example"),
        ("https://partner.example.", "https://PARTNER.example"),
        ("https://partner.example", "https://partner.example.:443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_however_it_is_spelled(base_url: str, sent_to: str) -> None:
    """The login is known for one, and its password and token are scrubbed, wherever port and case differ."""
    # Promise: cassettes
    filters = vcr_filters(
        BexAuth("user", "secret-password", base_url=base_url, allow_http=True, cache=MemoryTokenCache())
    )
    login = Request("POST", f"{sent_to}/api/service/login?q=secret-password", b'{"p": "secret-password"}', {})
    recorded = filters["before_record_request"](login)
    assert (recorded.uri, recorded.body) == (f"{sent_to}/api/service/login", None)
    reply = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/json"]},
        "body": {"string": b'{"value": "secret-token"}'},
    }
    assert filters["before_record_response"](reply)["body"]["string"] == b'{"value": "***"}'


class RawServer(OddServer):
    """Grants `secret-token`, and answers all else with these bytes."""

    def __init__(self, answer: bytes) -> None:
        def converse(connection: socket.socket, closing: threading.Event) -> None:
            granted = b'{"value": "secret-token"}'
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(granted)
            connection.sendall(head + granted if self.connections == 1 else answer)

        super().__init__(converse)


@pytest.mark.parametrize("first", ["200 no secret-token here", "200 OK\r\nX-Secret-Token: 1"])
def test_a_reason_phrase_and_a_headers_name(tmp_path: Path, first: str) -> None:
    """A token that the partner repeats there is not in the cassette either."""
    server = RawServer(f"HTTP/1.1 {first}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    cassette = tmp_path / "cassette.yaml"
    with contextlib.closing(server):
        auth = BexAuth("user", "made-up-password", base_url=server.base_url, cache=MemoryTokenCache())
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette)):
            assert requests.get(f"{server.base_url}/x", auth=auth, timeout=10).text == "{}"
    text = cassette.read_text()
    assert "secret-token" not in text.lower()
    assert "/x" in text


@pytest.mark.parametrize(
    ("password", "charset"),
    [
        ("Пароль-секрет", "windows-1251"),
        ("Пароль-секрет", "koi8-r"),
        ("made-up+пароль", "utf-7"),
        ("made-up-password", "cp037"),
        ("made-up-Gehe1m-wört", "utf-16"),
    ],
)
def test_a_body_in_its_own_charset(
    server: RecordingServer, tmp_path: Path, password: str, charset: str
) -> None:
    """The password in it is found as the charset reads it; what is left is still in that charset."""

    def answer(heard: Heard) -> Answer:
        if heard.method == "POST":
            return Answer(200, {"Content-Type": "application/json"}, b'{"value": "made-up-token"}')
        kind = {"Content-Type": f"text/plain; charset={charset}"}
        return Answer(200, kind, f"not {password} any more".encode(charset))

    server.answer = answer
    cassette = tmp_path / "cassette.yaml"
    for mode in ("once", "none"):
        auth = BexAuth("user", password, base_url=server.url, cache=MemoryTokenCache())
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode):
            replied = requests.get(f"{server.url}/x", auth=auth, timeout=10)
    assert replied.content.decode(charset) == "not *** any more"
    assert replied.headers["Content-Length"] == str(len(replied.content))
    assert len(server.heard) == 2


def test_a_class_without_account_and_secret(partner: Home, tmp_path: Path) -> None:
    """Nothing is known of its password: its login is recorded without what it sent all the same."""

    class Bare(PartnerAuth):
        partner = "bare"

        def login_request(self) -> requests.Request:
            return requests.Request("POST", f"{self.base_url}/login", data="secret-password")

        def parse_login(self, response: requests.Response) -> Token:
            return Token((json_object(response) or {})["token"])

    cassette = tmp_path / "cassette.yaml"
    auth = Bare(base_url=partner.url)
    with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette)):
        requests.get(f"{partner.url}/x", auth=auth, timeout=10).raise_for_status()
    assert "secret-password" not in cassette.read_text()
    assert "made/up" not in cassette.read_text()
