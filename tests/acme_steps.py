"""A partner whose login has two steps, a nonce and the login itself, and the class that speaks with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import requests
from recording_server import Answer, Heard, RecordingServer

from requests_partnerauth import HeaderPlacement, LoginRejected, MemoryTokenCache, PartnerAuth, Token

PASSWORD = "made-up-password-1"


def answer_of(status: int, reply: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/json", **named}, json.dumps(reply).encode())


class Steps:
    """What the partner answers. What is put into `instead` answers its path first, unless it gives None."""

    def __init__(self, server: RecordingServer) -> None:
        self.server = server
        self.instead: dict[str, Callable[[Heard], Answer | None]] = {}
        self.nonces: list[str] = []
        self._lock = threading.Lock()
        server.answer = self

    def __call__(self, heard: Heard) -> Answer:
        path = heard.target.partition("?")[0]
        instead = self.instead.get(path, lambda _: None)(heard)
        if instead is not None:
            return instead
        with self._lock:
            if path == "/nonce":
                self.nonces.append(f"nonce-{len(self.nonces)}-of-some-length")
                return answer_of(
                    200, {"nonce": self.nonces[-1]}, Set_Cookie=f"step=cookie-{len(self.nonces)}"
                )
            if path == "/login":
                sent = json.loads(heard.body)
                if sent != {"nonce": self.nonces[-1], "password": PASSWORD}:
                    return answer_of(401, {"error": f"not {sent}"})
                return answer_of(200, {"token": f"TOKEN-{len(self.nonces)}"})
        return answer_of(200, {"echo": path})

    def count(self, path: str) -> int:
        """How many requests have come to a path."""
        return sum(heard.target.partition("?")[0] == path for heard in self.server.heard)

    def last(self, path: str) -> Heard:
        """The last request to a path."""
        return [heard for heard in self.server.heard if heard.target.partition("?")[0] == path][-1]


class StepsAuth(PartnerAuth):
    """Asks for a nonce and logs in with it."""

    partner = "acme"
    placement = HeaderPlacement("X-Token")

    def __init__(self, base_url: str, password: str = PASSWORD, **common: Any) -> None:
        common.setdefault("cache", MemoryTokenCache())
        super().__init__(base_url=base_url, **common)
        self.username = self.account = "me"
        self.secret = password

    def login_flow(self, previous: Token | None) -> Any:
        nonce = (yield requests.Request("GET", f"{self.base_url}/nonce")).json()["nonce"]
        response = yield requests.Request(
            "POST", f"{self.base_url}/login", json={"nonce": nonce, "password": self.secret}
        )
        reply = response.json()
        if "error" in reply:
            raise LoginRejected(reply["error"])
        return Token(reply["token"])
