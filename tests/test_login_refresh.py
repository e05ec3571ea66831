"""Refresh tokens: used once, ahead of the whole login, and no refusal of the credentials when refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from acme_steps import PASSWORD, answer_of
from recording_server import Answer, Heard, RecordingServer, recording_server
from together import together

from requests_partnerauth import HeaderPlacement, LoginRejected, MemoryTokenCache, PartnerAuth, Token

pytestmark = pytest.mark.usefixtures("no_environment")


class Granting:
    """A partner with one good token, which any login or refresh replaces; `refresh` may answer the latter."""

    def __init__(self, server: RecordingServer) -> None:
        self.server = server
        self.good = ""
        self.rotates = True
        self.refresh: Callable[[str], Answer | None] = lambda refresh_token: None
        self.refreshed_by: list[str] = []
        self.logins = 0
        server.answer = self

    def __call__(self, heard: Heard) -> Answer:
        if heard.target == "/login":
            self.logins += 1
            return self._grant(f"by-login-{self.logins}", with_refresh_token=True)
        if heard.target == "/refresh":
            refresh_token = json.loads(heard.body)["refresh_token"]
            self.refreshed_by.append(refresh_token)
            answer = self.refresh(refresh_token)
            return answer or self._grant(f"by-refresh-{len(self.refreshed_by)}", self.rotates)
        return answer_of(200 if heard.header("X-Token") == self.good else 401, {"echo": heard.target})

    def _grant(self, name: str, with_refresh_token: bool) -> Answer:
        self.good = f"token-{name}"
        more = {"refresh_token": f"refresh-token-{name}"} if with_refresh_token else {}
        return answer_of(200, {"token": self.good, **more})

    def call(self, auth: PartnerAuth) -> int:
        """The status of a call whose token has just ended at the partner."""
        self.good = ""
        return requests.get(f"{self.server.url}/echo", auth=auth).status_code


class RefreshingAuth(PartnerAuth):
    partner = "acme"
    placement = HeaderPlacement("X-Token")

    def __init__(self, base_url: str, **common: Any) -> None:
        common.setdefault("cache", MemoryTokenCache())
        super().__init__(base_url=base_url, **common)
        self.username = self.account = "me"
        self.secret = PASSWORD

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", json={"password": self.secret})

    def refresh_request(self, token: Token) -> requests.Request | None:
        if token.refresh_token is None:
            return None
        return requests.Request(
            "POST", f"{self.base_url}/refresh", json={"refresh_token": token.refresh_token}
        )

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if "error" in reply:
            raise LoginRejected(reply["error"])
        return Token(reply["token"], refresh_token=reply.get("refresh_token"))


@pytest.fixture
def partner() -> Iterator[Granting]:
    with recording_server() as server:
        yield Granting(server)


@pytest.fixture
def auth(partner: Granting) -> RefreshingAuth:
    auth = RefreshingAuth(partner.server.url)
    auth.token()
    return auth


def test_a_refresh_instead_of_a_login(partner: Granting, auth: RefreshingAuth) -> None:
    """After a refusal the refresh token gets a new token, and each new one replaces the last."""
    assert [partner.call(auth) for _ in range(2)] == [200, 200]
    assert partner.logins == 1
    assert partner.refreshed_by == ["refresh-token-by-login-1", "refresh-token-by-refresh-1"]


def test_one_refresh_for_all(partner: Granting, auth: RefreshingAuth) -> None:
    """32 threads that are refused at once use the refresh token once."""
    assert (
        together(32, lambda _: requests.get(f"{partner.server.url}/a", auth=auth).status_code) == [200] * 32
    )
    partner.good = ""
    assert (
        together(32, lambda _: requests.get(f"{partner.server.url}/a", auth=auth).status_code) == [200] * 32
    )
    assert (partner.logins, len(partner.refreshed_by)) == (1, 1)


def test_a_partner_that_does_not_rotate(partner: Granting, auth: RefreshingAuth) -> None:
    """A refresh that brings no refresh token leaves the old one in use."""
    partner.rotates = False
    assert [partner.call(auth) for _ in range(3)] == [200, 200, 200]
    assert (partner.logins, partner.refreshed_by) == (1, ["refresh-token-by-login-1"] * 3)


REFUSED = {
    "in a 200": answer_of(200, {"error": "invalid_grant"}),
    "in a 200 of no document": answer_of(200, {"oops": 1}),
    "400": answer_of(400, {"error": "invalid_grant"}),
    "401": Answer(401),
    "403 html": Answer(403, {"Content-Type": "text/html"}, b"<html>"),
    "404": Answer(404),
    "302": Answer(302, {"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("answer", REFUSED)
def test_a_refused_refresh(partner: Granting, auth: RefreshingAuth, answer: str) -> None:
    """The whole login follows in the same flight; nothing of it is a refusal of the credentials."""
    partner.refresh = lambda refresh_token: REFUSED[answer]
    assert partner.call(auth) == 200
    assert (partner.logins, partner.refreshed_by) == (2, ["refresh-token-by-login-1"])
    assert partner.call(auth) == 200
    assert (partner.logins, partner.refreshed_by[1:]) == (3, ["refresh-token-by-login-2"])


@pytest.mark.parametrize("answer", [Answer(503), Answer(0), Answer(408)], ids=["503", "hung-up", "408"])
def test_an_outage_may_have_used_it_up(partner: Granting, auth: RefreshingAuth, answer: Answer) -> None:
    """A refresh token that was sent into an outage is not sent again: the login takes its place."""
    partner.refresh = lambda refresh_token: answer
    assert partner.call(auth) == 200
    assert (partner.logins, partner.refreshed_by) == (2, ["refresh-token-by-login-1"])


def test_too_many_requests_do_not_use_it_up(partner: Granting, auth: RefreshingAuth) -> None:
    """After a 429 the same refresh token is sent once more."""
    answers = [Answer(429, {"Retry-After": "0"})]
    partner.refresh = lambda refresh_token: answers.pop() if answers else None
    assert partner.call(auth) == 200
    assert (partner.logins, partner.refreshed_by) == (1, ["refresh-token-by-login-1"] * 2)


@pytest.mark.parametrize("where", ["url", "header", "form", "escaped"])
def test_a_refresh_token_without_a_lease(partner: Granting, where: str) -> None:
    """However it is written in a request, it is not sent where it may not be: the flow begins anew."""
    previous = Token("token", refresh_token="refresh/token+of-before")
    told: list[str | None] = []

    class Spelling(RefreshingAuth):
        def refresh_request(self, token: Token) -> requests.Request | None:
            told.append(token.refresh_token)
            if token.refresh_token is None:
                return None
            url, value = f"{self.base_url}/refresh", token.refresh_token
            return {
                "url": requests.Request("GET", url, params={"by": value}),
                "header": requests.Request("GET", url, headers={"Authorization": f"Bearer {value}"}),
                "form": requests.Request("POST", url, data={"by": value}),
                "escaped": requests.Request(
                    "POST", url, data=json.dumps({"by": value}).replace("/", "\\/"), headers={"A": "b"}
                ),
            }[where]

    log_in = Spelling(partner.server.url)._log_in
    granted = log_in("a test", previous)
    assert isinstance(granted, Token)
    assert told == [previous.refresh_token, None]
    assert [heard.target for heard in partner.server.heard] == ["/login"]
