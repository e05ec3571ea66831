"""A partner of a test's own, whose token goes wherever a placement puts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import requests
from recording_server import Answer, Heard, RecordingServer, recording_server

from requests_partnerauth import MemoryTokenCache, PartnerAuth, Placement, Token, json_object


class PlacedAuth(PartnerAuth):
    """Logs in at `/login`; its token goes where it is told."""

    partner = "placed"

    def __init__(self, base_url: str, placement: Placement, **common: Any) -> None:
        super().__init__(base_url=base_url, **{"cache": MemoryTokenCache(), **common})
        self.placement = placement
        self.username = self.account = "user"
        self.secret = "made-up-password"

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", json={"password": self.secret})

    def parse_login(self, response: requests.Response) -> Token:
        return Token((json_object(response) or {})["token"])


class Home:
    """The partner: grants a new token at each login, takes the last one alone, redirects where it is told."""

    def __init__(self, server: RecordingServer) -> None:
        self.server = server
        self.url = server.url
        self.logins = 0
        self.live = ""
        server.answer = self._answer

    @property
    def calls(self) -> list[Heard]:
        """What came, but for the logins."""
        return [heard for heard in self.server.heard if heard.target != "/login"]

    def revoke(self) -> None:
        """From now on only the next login's token is good."""
        self.live = ""

    def _answer(self, heard: Heard) -> Answer:
        if heard.target == "/login":
            self.logins += 1
            self.live = f"made/up+token={self.logins}"
            return Answer(200, {"Content-Type": "application/json"}, f'{{"token": "{self.live}"}}'.encode())
        if not self.live or self.live not in f"{heard.text}\n{unquote_plus(heard.text)}":
            return Answer(401)
        query = parse_qs(urlsplit(heard.target).query)
        if "to" in query:
            headers = {"Location": query["to"][0]}
            if "set" in query:
                headers["Set-Cookie"] = query["set"][0]
            return Answer(int(query.get("status", ["302"])[0]), headers)
        return Answer()


@contextmanager
def home() -> Iterator[Home]:
    """The partner on a loopback port."""
    with recording_server() as server:
        yield Home(server)


def cookies_of(heard: Heard) -> list[str]:
    """The pairs of a request's Cookie header, in order."""
    return [pair for pair in (heard.header("Cookie") or "").split("; ") if pair]
