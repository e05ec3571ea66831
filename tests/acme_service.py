"""A made-up partner with refresh tokens and a logout, on a loopback socket, and an auth for it."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from recording_server import Answer, Heard, RecordingServer, recording_server

from requests_partnerauth import HeaderPlacement, LoginRejected, PartnerAuth, Token


class AcmeService:
    """Grants tokens by password or refresh token, each refresh token once; counts what it is asked.

    `count` tells how often each path was asked for. `reused` lists refresh tokens that came a second time.
    `answers` holds what to answer instead, by path: a function of the request, or None for the usual.
    """

    def __init__(self, server: RecordingServer) -> None:
        self.url = server.url
        self.password = "made-up password"
        self.lifetime: float | None = None
        self.rotates = True
        self.one_session = False
        self.count: Counter[str] = Counter()
        self.reused: list[str] = []
        self.live: set[str] = set()
        self.answers: dict[str, Callable[[Heard], Answer | None]] = {}
        self._refreshes: set[str] = set()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        server.answer = self._answer

    def _answer(self, heard: Heard) -> Answer:
        path = urlsplit(heard.target).path
        with self._lock:
            self.count[path] += 1
        early = self.answers[path](heard) if path in self.answers else None
        if early is not None:
            return early
        with self._lock:
            if path == "/login":
                good = json.loads(heard.body)["password"] == self.password
                return self._granted() if good else _json(401, {"error": "wrong password"})
            if path == "/refresh":
                return self._refreshed(json.loads(heard.body)["refresh_token"])
            if heard.header("X-Acme-Token") not in self.live:
                return _json(401, {"error": "unknown token"})
            if path == "/logout":
                self.live.clear()
            return _json(200, {"path": path})

    def _refreshed(self, refresh_token: str) -> Answer:
        if refresh_token not in self._refreshes:
            self.reused.append(refresh_token)
            return _json(400, {"error": "invalid_grant"})
        if self.rotates:
            self._refreshes.discard(refresh_token)
        return self._granted(with_refresh_token=self.rotates)

    def _granted(self, *, with_refresh_token: bool = True) -> Answer:
        number = next(self._numbers)
        token = f"acme-token-{number:04}"
        if self.one_session:
            self.live.clear()
        self.live.add(token)
        reply: dict[str, Any] = {"token": token, "expires_in": self.lifetime}
        if with_refresh_token:
            reply["refresh_token"] = f"acme-refresh-{number:04}"
            self._refreshes.add(reply["refresh_token"])
        return _json(200, reply)

    def revoke(self) -> None:
        """End all tokens; refresh tokens stay good."""
        with self._lock:
            self.live.clear()


def _json(status: int, reply: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(reply).encode())


class AcmeAuth(PartnerAuth):
    """Auth for it, with all that a partner may have."""

    partner = "acme"
    placement = HeaderPlacement("X-Acme-Token")

    def __init__(self, password: str = "made-up password", *, base_url: str, **common: Any) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = self.account = "ann"
        self.secret = password

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", json={"password": self.secret})

    def refresh_request(self, token: Token) -> requests.Request | None:
        if token.refresh_token is None:
            return None
        return requests.Request(
            "POST", f"{self.base_url}/refresh", json={"refresh_token": token.refresh_token}
        )

    def logout_request(self, token: Token) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/logout")

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if "error" in reply:
            raise LoginRejected(reply["error"])
        return Token.lasting(reply["token"], reply["expires_in"], refresh_token=reply.get("refresh_token"))


@contextmanager
def acme_service() -> Iterator[AcmeService]:
    """The service, while it serves."""
    with recording_server() as server:
        yield AcmeService(server)
