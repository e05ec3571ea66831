"""requests-mock: a `Mocker` answers for logins too; an adapter has to be on the login's session as well.

`requests_mock.Mocker()` patches every session, the one of a login included. `requests_mock.Adapter()` mounted
on the user's session answers for that session alone: give the same session, or another with the adapter, as
`login_session`. Where no login is wanted, preset a token.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests
import requests_mock

from requests_partnerauth import BexAuth, LoginUnavailable, MemoryTokenCache

API, LOGIN = "https://api.bex.co.za/tracking", "https://api.bex.co.za/api/service/login"


@pytest.fixture
def auth() -> BexAuth:
    """An auth with a memory of its own."""
    return BexAuth("user", "password", cache=MemoryTokenCache())


@pytest.fixture
def mocker() -> Iterator[requests_mock.Mocker]:
    """requests-mock for all sessions, with a login that grants A, then B, and an API that wants B."""
    with requests_mock.Mocker() as mocker:
        mocker.post(LOGIN, [{"json": {"value": "A"}}, {"json": {"value": "B"}}])
        mocker.get(API, status_code=401)
        mocker.get(API, request_headers={"token": "B"}, json={"ex": ""})
        yield mocker


def test_a_mocker_answers_for_logins(auth: BexAuth, mocker: requests_mock.Mocker) -> None:
    """The first login, the refusal, the login made inside the response hook and the resend are all mocked."""
    reply = requests.get(API, auth=auth, timeout=10)
    assert reply.json() == {"ex": ""}
    assert [request.path for request in mocker.request_history] == [
        *("/api/service/login", "/tracking"),
        *("/api/service/login", "/tracking"),
    ]


def test_a_mocker_does_not_hang_threads(auth: BexAuth, mocker: requests_mock.Mocker) -> None:
    """The lock that a Mocker holds while it sends does not meet the login's in another thread."""
    replies: list[int] = []
    threads = [
        threading.Thread(target=lambda: replies.append(requests.get(API, auth=auth, timeout=10).status_code))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert replies == [200] * 8
    assert [request.path for request in mocker.request_history].count("/api/service/login") == 2


def test_an_adapter_on_the_login_session(session: requests.Session) -> None:
    """An adapter mounted on the session that is given as `login_session` answers the login."""
    adapter = requests_mock.Adapter()
    adapter.register_uri("POST", LOGIN, json={"value": "A"})
    adapter.register_uri("GET", API, request_headers={"token": "A"}, json={"ex": ""})
    session.mount("https://", adapter)
    session.auth = BexAuth("user", "password", cache=MemoryTokenCache(), login_session=session)
    assert session.get(API).json() == {"ex": ""}
    assert adapter.call_count == 2


def test_an_adapter_elsewhere_misses_the_login(session: requests.Session) -> None:
    """An adapter on the user's session alone does not answer the login, which goes its own way."""
    adapter = requests_mock.Adapter()
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json={"value": "A"})
    session.mount("http://", adapter)
    session.auth = BexAuth("user", "password", base_url="http://127.0.0.1:9", cache=MemoryTokenCache())
    with pytest.raises(LoginUnavailable):
        session.get("http://127.0.0.1:9/tracking")
    assert adapter.call_count == 0


def test_a_preset_token_needs_no_login(auth: BexAuth, mocker: requests_mock.Mocker) -> None:
    """With `preset`, the request alone is made."""
    auth.preset("B")
    assert requests.get(API, auth=auth, timeout=10).json() == {"ex": ""}
    assert mocker.call_count == 1
