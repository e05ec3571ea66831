"""Two auths on one request, `auth + other`: a server that checks token, signature, nonce and password."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import pytest
import requests
from recording_server import Answer, Heard, RecordingServer, recording_server
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from requests_partnerauth import HeaderPlacement, MemoryTokenCache, PartnerAuth, Token

KEY = b"a made-up signing key"
GATEWAY = ("gateway", "a made-up word")
Check = Callable[[Heard], bool]


class SignedAuth(PartnerAuth):
    """The token in a header of its own; HTTP 401 is the signal."""

    partner = "signed"
    placement = HeaderPlacement("X-Token")

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login")

    def parse_login(self, response: requests.Response) -> Token:
        return Token(response.json()["token"])


class Signature(AuthBase):
    """Signs method, path, token and a nonce."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        nonce = f"n{next(self._numbers)}"
        token: Any = request.headers["X-Token"]
        text = f"{request.method} {request.path_url} {token} {nonce}"
        request.headers["X-Nonce"] = nonce
        request.headers["X-Signature"] = signature_of(text)
        return request


def signature_of(text: str) -> str:
    """What the signer and the server make of it."""
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


class Gate:
    """Grants tokens, and lets through what carries the current one and passes the check; else 401."""

    def __init__(self, check: Check) -> None:
        self.logins = self.let_through = 0
        self.check = check
        self.nonces: set[str] = set()
        self.challenge: dict[str, str] = {}

    def __call__(self, heard: Heard) -> Answer:
        if heard.target == "/login":
            self.logins += 1
            return Answer(body=b'{"token": "t%d"}' % self.logins)
        if not self.check(heard):
            return Answer(401 if self.challenge else 400, self.challenge)
        if heard.header("X-Token") != f"t{self.logins}":
            return Answer(401)
        self.let_through += 1
        return Answer()

    def is_new(self, nonce: str) -> bool:
        """Whether this nonce was never seen before."""
        seen = nonce in self.nonces
        self.nonces.add(nonce)
        return not seen


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A server that records."""
    with recording_server() as server:
        yield server


def expired(server: RecordingServer) -> SignedAuth:
    """An auth whose token the server does not take."""
    auth = SignedAuth(base_url=server.url, cache=MemoryTokenCache())
    auth.preset("one-that-has-ended")
    return auth


def test_a_signature_is_made_anew_for_the_resend(server: RecordingServer) -> None:
    """What follows ours signs the new token with a new nonce; the server sees neither an old one twice."""

    def is_signed(heard: Heard) -> bool:
        nonce = heard.header("X-Nonce") or ""
        text = f"{heard.method} {heard.target} {heard.header('X-Token')} {nonce}"
        return gate.is_new(nonce) and heard.header("X-Signature") == signature_of(text)

    server.answer = gate = Gate(is_signed)
    response = requests.post(f"{server.url}/parts?page=2", data=b"a body", auth=expired(server) + Signature())
    assert [each.status_code for each in [*response.history, response]] == [401, 200]
    assert (gate.logins, gate.let_through, len(gate.nonces)) == (1, 1, 2)
    assert [heard.body for heard in server.heard if heard.target != "/login"] == [b"a body"] * 2


@pytest.mark.parametrize("comes_first", [True, False], ids=["ours-first", "ours-last"])
def test_basic_stays_on_the_resend(server: RecordingServer, comes_first: bool) -> None:
    """HTTP Basic stands beside the token on either side of ours, before and after the resend."""
    basic = HTTPBasicAuth(*GATEWAY)
    wanted = requests.Request("GET", server.url, auth=basic).prepare().headers["Authorization"]
    server.answer = gate = Gate(lambda heard: heard.header("Authorization") == wanted)
    auth = expired(server)
    both: Any = auth + basic if comes_first else basic + auth
    assert requests.get(f"{server.url}/parts", auth=both).status_code == 200
    assert (gate.logins, gate.let_through) == (1, 1)


def test_a_digest_challenge_is_no_expiry_signal(server: RecordingServer) -> None:
    """The challenge of the other auth costs no login; a refusal behind it costs one, and is healed."""
    numbers = itertools.count()

    def is_digest(heard: Heard) -> bool:
        said = heard.header("Authorization") or ""
        passes = said.startswith("Digest ") and passes_digest(heard, said.removeprefix("Digest "))
        gate.challenge = {}
        if not passes:
            nonce = f"n{next(numbers)}"
            gate.challenge = {"WWW-Authenticate": f'Digest realm="gate", nonce="{nonce}", qop="auth"'}
        return passes

    def passes_digest(heard: Heard, said: str) -> bool:
        parts = parse_keqv_list(parse_http_list(said))
        own = md5(f"{GATEWAY[0]}:gate:{GATEWAY[1]}")
        request = md5(f"{heard.method}:{heard.target}")
        counted = f"{parts['nonce']}:{parts['nc']}:{parts['cnonce']}:auth"
        is_first = gate.is_new(f"{parts['nonce']} {parts['nc']}")
        return is_first and parts["response"] == md5(f"{own}:{counted}:{request}")

    server.answer = gate = Gate(is_digest)
    auth = SignedAuth(base_url=server.url, cache=MemoryTokenCache())
    both = auth + HTTPDigestAuth(*GATEWAY)
    assert requests.get(f"{server.url}/parts", auth=both).status_code == 200
    assert (gate.logins, gate.let_through) == (1, 1)
    auth.preset("one-that-has-ended")
    assert requests.get(f"{server.url}/parts", auth=both).status_code == 200
    assert (gate.logins, gate.let_through) == (2, 2)


def md5(text: str) -> str:
    """What Digest is made of."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
