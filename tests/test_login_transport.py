"""How a login travels: over the given session's transport, with nothing of the session's own in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from bex_login import GRANTED, bex
from conftest import make_auth
from recording_server import Answer, RecordingServer, recording_server
from requests.adapters import HTTPAdapter
from together import wait_until
from urllib3.util import Retry

from requests_partnerauth import InvalidLoginResponse, LoginUnavailable
from requests_partnerauth.simulator import Reply, SimulatedPartner, SimulatedRpGateway

pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        server.answer = GRANTED
        yield server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_login_that_is_redirected_is_refused(
    partner: SimulatedPartner, server: RecordingServer, status: int
) -> None:
    """A redirect answers no login: a clear error, one attempt, and nothing reaches where it leads."""
    # Promise: login-redirect
    partner.answer_logins(Reply(status, {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(InvalidLoginResponse, match="redirect") as caught:
        make_auth(partner).token()
    assert "base_url" in str(caught.value)
    assert server.url not in str(caught.value)
    assert partner.login_attempts == 1
    assert server.heard == []


@pytest.mark.parametrize("lends", ["nothing", "a session", "the API session"])
def test_netrc_is_ignored(
    partner: SimulatedPartner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lends: str
) -> None:
    """A .netrc that names the partner's host changes neither the login nor a request of the API."""
    # Promise: login-netrc
    netrc = tmp_path / "netrc"
    netrc.write_text(
        "machine 127.0.0.1 login netrc-user password netrc-password\ndefault login d password d\n"
    )
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with requests.Session() as session, requests.Session() as other:
        lent = {"nothing": None, "a session": other, "the API session": session}[lends]
        session.auth = make_auth(partner, login_session=lent)
        assert session.get(f"{partner.base_url}/echo").status_code == 200
        assert session.get(f"{partner.base_url}/echo").status_code == 200
    for call in [*partner.login_calls, *partner.calls]:
        assert call.headers.get("Authorization", "") in (*partner.issued, "", basic_of(partner, call))
    assert (partner.login_attempts, partner.refusals) == (1, 0)


def basic_of(partner: SimulatedPartner, call: Any) -> str:
    """The one Basic that belongs into a call: Fiserv partner's own at its login."""
    if partner.name != "fiserv-partner" or call not in partner.login_calls:
        return ""
    account = partner.accounts[0]
    return requests.auth._basic_auth_str(account["username"], account["password"])


@pytest.mark.parametrize("is_api_session", [False, True])
def test_the_lent_session_stays_as_it_was(partner: SimulatedPartner, is_api_session: bool) -> None:
    """Its auth, hooks, headers, cookies and parameters are neither used in a login nor changed by one."""
    # Promise: lent-session
    seen: list[str] = []

    def hook(response: requests.Response, **_: Any) -> None:
        seen.append(response.url)

    calls = partner.login_calls
    partner.answer_logins(lambda call: None)
    with requests.Session() as session, requests.Session() as api_session:
        if is_api_session:
            api_session = session
        session.headers["X-Mine"] = "mine"
        session.params = {"mine": "mine"}
        session.cookies.set("mine", "mine")
        session.hooks["response"].append(hook)
        auth = make_auth(partner, login_session=session)
        own_auth = auth if is_api_session else ("someone", "else")
        session.auth = own_auth
        api_session.auth = auth
        before = (
            dict(session.headers),
            dict(session.params),
            list(session.hooks["response"]),
            session.cookies,
        )
        assert api_session.get(f"{partner.base_url}/echo").status_code == 200
        after = (
            dict(session.headers),
            dict(session.params),
            list(session.hooks["response"]),
            session.cookies,
        )
        assert after == before
        assert session.auth is own_auth
        assert session.cookies.get_dict() == {"mine": "mine"}
    assert seen == ([f"{partner.base_url}/echo?mine=mine"] if is_api_session else []) or (
        partner.name == "rp-gateway" and len(seen) == is_api_session
    )
    (login,) = calls
    assert "X-Mine" not in login.headers
    assert "Cookie" not in login.headers
    assert "mine" not in login.query
    assert "c29tZW9uZTplbHNl" not in login.headers.get("Authorization", "")


def test_a_cookie_of_the_login_stays_out_of_the_session(server: RecordingServer) -> None:
    """What a login sets as a cookie is neither kept on the lent session nor sent along with later logins."""
    # Promise: login-cookie
    server.answer = GRANTED._replace(headers={"Set-Cookie": "login=cookie; Path=/"})
    with requests.Session() as session:
        auth = bex(server.url, login_session=session)
        auth.token()
        auth.forget()
        auth.token()
        assert session.cookies.get_dict() == {}
    assert [heard.header("Cookie") for heard in server.heard] == [None, None]


def test_the_password_goes_through_the_lent_adapter(server: RecordingServer) -> None:
    """An adapter that the user mounted on the lent session is the one that carries the login."""
    carried: list[str] = []

    class Carrier(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
            carried.append(request.url or "")
            return super().send(request, *args, **more)

    with requests.Session() as session:
        session.mount(server.url, Carrier())
        bex(server.url, login_session=session).token()
    assert carried == [f"{server.url}/api/service/login"]


@pytest.fixture
def retrying() -> Iterator[requests.Session]:
    """A session that sends again by itself, as many are set up to."""
    retry = Retry(total=3, backoff_factor=1, status_forcelist=[429, 503], allowed_methods=None)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        yield session


@pytest.mark.parametrize("status", [429, 503])
def test_a_lent_adapter_sleeps_out_no_retry_after(
    server: RecordingServer, retrying: requests.Session, status: int
) -> None:
    """A partner's named time is told after one login, whatever the adapter retries; no thread sleeps on."""
    server.answer = Answer(status, {"Retry-After": "40"})
    auth = bex(server.url, login_session=retrying, login_timeout=(5, 5))
    for _ in range(5):
        with pytest.raises(LoginUnavailable) as caught:
            auth.token()
        assert type(caught.value) is LoginUnavailable
        assert caught.value.retry_after is not None
    assert len(server.heard) == 1
    wait_until(lambda: all(thread.name != "partnerauth-login" for thread in threading.enumerate()))
    adapter = retrying.get_adapter(server.url)
    assert isinstance(adapter, HTTPAdapter)
    assert adapter.max_retries.status_forcelist == [429, 503], "its own requests are retried as ever"


def test_a_lent_adapter_connects_again(server: RecordingServer, retrying: requests.Session) -> None:
    """Where a connection breaks, the adapter's retries come on top of the login's own three tries."""
    answers = [GRANTED, *[Answer(0)] * 3]
    server.answer = lambda heard: answers.pop()
    assert bex(server.url, login_session=retrying).token().value == "TOKEN-FROM-LOGIN"
    assert len(server.heard) == 4


@pytest.mark.parametrize("how", ["environment", "session", "api-session"])
def test_the_login_goes_through_the_proxy(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A proxy from the environment, or of the lent session, sees the login and nobody else does."""
    with requests.Session() as session, requests.Session() as lent:
        if how == "environment":
            monkeypatch.setenv("http_proxy", server.url)
        else:
            lent.proxies = {"http": server.url}
            lent.trust_env = False
        auth = bex(
            "http://partner.test", allow_http=True, login_session=None if how == "environment" else lent
        )
        if how == "api-session":
            lent.auth = auth
            assert lent.get("http://partner.test/echo").status_code == 200
        else:
            session.auth = auth
            assert auth.token().value == "TOKEN-FROM-LOGIN"
    login = server.heard[0]
    assert (login.method, login.target) == ("POST", "http://partner.test/api/service/login")
    assert b"a password" in login.body
    assert len(server.heard) == (2 if how == "api-session" else 1)


def test_no_proxy_is_honoured(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that no_proxy names is logged in to directly."""
    with recording_server() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        bex(server.url).token()
        assert proxy.heard == []
    assert len(server.heard) == 1


def test_an_https_login_asks_the_proxy_for_a_tunnel(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over https the proxy is asked to connect, and learns no password; its refusal is told as such."""
    monkeypatch.setenv("https_proxy", server.url)
    server.answer = Answer(403)
    auth = bex("https://partner.test", login_timeout=(5, 5))
    with pytest.raises(LoginUnavailable, match="proxy"):
        auth.token()
    assert {(heard.method, heard.target) for heard in server.heard} == {("CONNECT", "partner.test:443")}
    assert "a password" not in server.everything


def test_a_subclass_of_session_keeps_its_ways(server: RecordingServer) -> None:
    """A session of the user's own class carries the login by its own send, with its own attributes."""

    class Counting(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            self.sent: list[str] = []

        def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            self.sent.append(request.url or "")
            return super().send(request, **more)

    with Counting() as session:
        bex(server.url, login_session=session).token()
        assert session.sent == [f"{server.url}/api/service/login"]


@pytest.mark.parametrize(
    "retry_after", ["9" * 400, "9" * 5_000, "Mon, 99 Foo 0000 00:00:00 GMT", "-1", "", "soon"]
)
def test_no_retry_after_breaks_a_login(server: RecordingServer, retry_after: str) -> None:
    """Whatever Retry-After says, an outage ends as LoginUnavailable within the login's own time."""
    server.answer = Answer(503, {"Retry-After": retry_after})
    with pytest.raises(LoginUnavailable, match="503"):
        bex(server.url, login_timeout=(10, 10)).token()
    assert 1 <= len(server.heard) <= 3


def test_the_outer_basic_is_sent_with_the_login(simulator: Any) -> None:
    """rp.Gateway's outer Basic goes with login and API, in UTF-8."""
    partner = simulator.rp_gateway
    assert isinstance(partner, SimulatedRpGateway)
    partner.gateway_auth = ("gate", "pässwörd €")
    with requests.Session() as session:
        session.auth = make_auth(partner, gateway_auth=partner.gateway_auth)
        assert session.get(f"{partner.base_url}/echo").status_code == 200
