"""Origins that a login names see the token of that login, and no other one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from recording_server import Answer, Heard, RecordingServer, recording_server

from requests_partnerauth import (
    FileTokenCache,
    ForeignOrigin,
    HeaderPlacement,
    InvalidLoginResponse,
    MemoryTokenCache,
    PartnerAuth,
    Token,
)


class Region:
    """A partner whose login names the host of its API; the newest token is the good one, everywhere."""

    def __init__(self, home: RecordingServer, one: RecordingServer, other: RecordingServer) -> None:
        self.home, self.one, self.other = home, one, other
        self.granted: Any = [one.url]
        self.leads_to = ""
        self.logins = 0
        self.good = ""
        self._lock = threading.Lock()
        for server in (home, one, other):
            server.answer = self._answer

    def _answer(self, heard: Heard) -> Answer:
        with self._lock:
            if heard.target == "/login":
                self.logins += 1
                self.good = f"token-{self.logins}-of-some-length"
                return Answer(200, body=json.dumps({"token": self.good}).encode())
            if heard.header("X-Token") != self.good:
                return Answer(401)
            if heard.target == "/away":
                return Answer(307, {"Location": self.leads_to})
        return Answer(200, body=b"{}")

    def revoke(self) -> None:
        """From now on only a new login's token is good."""
        self.good = "none"

    def tokens_at(self, server: RecordingServer) -> list[str | None]:
        """The tokens that came with the requests to a server, its logins apart."""
        return [heard.header("X-Token") for heard in server.heard if heard.target != "/login"]


class RegionAuth(PartnerAuth):
    partner = "acme"
    placement = HeaderPlacement("X-Token")
    account, secret = "me", "made-up-password"

    def __init__(self, region: Region, **common: Any) -> None:
        super().__init__(base_url=region.home.url, **{"cache": MemoryTokenCache(), **common})
        self.region = region

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", json={"password": self.secret})

    def parse_login(self, response: requests.Response) -> Token:
        return Token(response.json()["token"], details={"granted": self.region.granted})

    def granted_origins(self, token: Token) -> Any:
        return token.details["granted"]

    def logout_request(self, token: Token) -> requests.Request:
        return requests.Request("POST", f"{self.region.one.url}/logout")


@pytest.fixture
def region() -> Iterator[Region]:
    with recording_server() as home, recording_server() as one, recording_server() as other:
        yield Region(home, one, other)


def test_a_host_that_the_new_login_does_not_name(region: Region) -> None:
    """It refused the old token; the new one does not go there, and the caller is told."""
    auth = RegionAuth(region)
    old = auth.token().value
    region.granted = [region.other.url]
    region.revoke()
    with pytest.raises(ForeignOrigin, match="nothing was resent"):
        requests.get(f"{region.one.url}/x", auth=auth)
    assert region.tokens_at(region.one) == [old]
    assert requests.get(f"{region.other.url}/x", auth=auth).status_code == 200
    assert region.logins == 2


@pytest.mark.parametrize("is_named", [True, False])
def test_a_redirect_that_answers_the_resend(region: Region, is_named: bool) -> None:
    """It carries the new token to a host that the new login names, and to no host that the old one did."""
    auth = RegionAuth(region)
    auth.token()
    region.granted = [region.other.url]
    region.revoke()
    host = region.other if is_named else region.one
    region.leads_to = f"{host.url}/x"
    requests.get(f"{region.home.url}/away", auth=auth)
    assert region.tokens_at(host) == [region.good if is_named else None]


def test_a_kept_token_tells_a_new_process_where_it_may_go(region: Region, tmp_path: Path) -> None:
    """The first request of a process goes to a named host, where a cache has kept the token."""
    RegionAuth(region, cache=FileTokenCache(tmp_path)).token()
    auth = RegionAuth(region, cache=FileTokenCache(tmp_path))
    assert requests.get(f"{region.one.url}/x", auth=auth).status_code == 200
    assert region.logins == 1
    region.revoke()
    auth = RegionAuth(region, cache=FileTokenCache(tmp_path))
    assert requests.get(f"{region.one.url}/x", auth=auth).status_code == 200
    with pytest.raises(ForeignOrigin):
        requests.get(f"{region.other.url}/x", auth=auth)
    assert region.logins == 2


def test_a_logout_at_a_named_host(region: Region) -> None:
    """It is sent there, with the token in it."""
    auth = RegionAuth(region)
    token = auth.token().value
    auth.logout()
    assert region.tokens_at(region.one) == [token]


@pytest.mark.parametrize(
    ("granted", "why"),
    [
        ("https://api.example", r"TypeError \(granted_origins: a collection of URLs is wanted, not str\)"),
        (None, r"TypeError \(granted_origins: a collection of URLs is wanted, not NoneType\)"),
    ],
)
def test_what_names_no_hosts(region: Region, granted: object, why: str) -> None:
    """A class that gives something else is told so by its login, with the method."""
    region.granted = granted
    with pytest.raises(InvalidLoginResponse, match=why):
        RegionAuth(region).token()


def test_a_class_that_fails_to_name_hosts(region: Region) -> None:
    """Its error is the login's, told by type, class and line."""

    class Failing(RegionAuth):
        def granted_origins(self, token: Token) -> Any:
            return token.details["a made-up name"]

    with pytest.raises(InvalidLoginResponse, match=r"KeyError in Failing\.granted_origins, .*, line \d+"):
        Failing(region).token()
