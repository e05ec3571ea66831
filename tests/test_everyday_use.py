"""The auth in the three places where requests takes one, on a session that is already in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses
from conftest import make_auth
from requests.adapters import HTTPAdapter

from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner

Send = Callable[[requests.Session, str, Any], requests.Response]


def by_request_argument(session: requests.Session, url: str, auth: Any) -> requests.Response:
    return session.get(url, auth=auth)


def by_session(session: requests.Session, url: str, auth: Any) -> requests.Response:
    session.auth = auth
    return session.get(url)


def by_request_object(session: requests.Session, url: str, auth: Any) -> requests.Response:
    return session.send(session.prepare_request(requests.Request("GET", url, auth=auth)))


def by_prepared_request(session: requests.Session, url: str, auth: Any) -> requests.Response:
    return session.send(requests.Request("GET", url, auth=auth).prepare())


def by_module_function(session: requests.Session, url: str, auth: Any) -> requests.Response:
    return requests.get(url, auth=auth)


WITH_A_SESSION = [by_request_argument, by_session, by_request_object]
WITHOUT = [by_prepared_request, by_module_function]


class CountingAdapter(HTTPAdapter):
    """An adapter of the user's own, which counts what it sends."""

    sent = 0

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.sent += 1
        return super().send(*args, **kwargs)


def state_of(session: requests.Session) -> dict[str, object]:
    return {
        "hooks": {event: list(hooks) for event, hooks in session.hooks.items()},
        "adapters": list(session.adapters.items()),
        "headers": dict(session.headers),
        "cookies": session.cookies.get_dict(),
        "proxies": dict(session.proxies),
        "settings": (session.params, session.verify, session.cert, session.trust_env, session.max_redirects),
    }


@pytest.fixture(params=["socket", "responses"])
def simulator(request: pytest.FixtureRequest) -> Iterator[PartnerSimulator]:
    """The partners behind each of their two doors."""
    if request.param == "socket":
        with PartnerSimulator() as simulator:
            yield simulator
    else:
        with responses.RequestsMock() as mock:
            yield PartnerSimulator().register(mock)


@pytest.mark.parametrize("send", [*WITH_A_SESSION, *WITHOUT])
def test_an_auth_works_wherever_requests_takes_one(
    partner: SimulatedPartner, session: requests.Session, send: Send
) -> None:
    """It logs in with the first request, not with the second, and sends the third twice."""
    auth = make_auth(partner)
    logins = []
    for dead in (False, False, True):
        if dead:
            partner.revoke()

        answer = send(session, partner.base_url + "/orders?id=7", auth)

        assert answer.status_code == 200
        assert len(answer.history) == dead
        logins.append(partner.logins)
    assert logins == [1, 1, 2]
    assert [call.query["id"] for call in partner.calls] == ["7"] * 4


@pytest.mark.parametrize("send", WITH_A_SESSION)
def test_a_session_stays_as_it_was(partner: SimulatedPartner, session: requests.Session, send: Send) -> None:
    """Hooks, adapters, headers, cookies, proxies and settings of a session are left alone."""
    seen: list[requests.Response] = []

    def hook(response: requests.Response, **_: Any) -> None:
        seen.append(response)

    adapter = CountingAdapter()
    session.mount(partner.base_url, adapter)
    session.hooks["response"].append(hook)
    session.headers["X-Script"] = "legacy"
    session.cookies.set("mine", "kept")
    session.params = {"page": "1"}
    before = state_of(session)

    answers = [send(session, partner.base_url + "/orders", make_auth(partner)) for _ in range(2)]

    assert state_of(session) == before
    assert seen == answers
    assert [call.headers["X-Script"] for call in partner.calls] == ["legacy"] * 2
    assert all("X-Script" not in call.headers for call in partner.login_calls)


@pytest.mark.parametrize("send", WITH_A_SESSION)
def test_hooks_run_once_on_the_final_response(
    partner: SimulatedPartner, session: requests.Session, send: Send
) -> None:
    """A session's own hook never sees a refusal that was answered by a resend."""
    seen: list[requests.Response] = []
    session.hooks["response"].append(lambda response, **_: seen.append(response))
    auth = make_auth(partner)
    auth.token()
    partner.revoke()

    answer = send(session, partner.base_url + "/orders", auth)

    assert (answer.status_code, len(answer.history)) == (200, 1)
    assert seen == [answer]


def test_the_users_adapter_sends_requests_and_the_resend(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """What the session mounts for the partner carries its traffic; logins have a transport of their own."""
    adapter = CountingAdapter()
    session.mount(partner.base_url, adapter)
    session.auth = auth = make_auth(partner)
    auth.token()
    partner.revoke()

    assert session.get(partner.base_url + "/orders").status_code == 200
    assert adapter.sent == len(partner.calls) == 2
    assert partner.logins == 2


def test_two_partners_on_one_session(simulator: PartnerSimulator, session: requests.Session) -> None:
    """Each request takes the auth it is given; the partners hear nothing of each other's tokens."""
    partners = list(simulator.partners.values())
    auths = [make_auth(partner) for partner in partners]
    for _ in range(2):
        for partner, auth in zip(partners, auths, strict=True):
            assert session.get(partner.base_url + "/orders", auth=auth).status_code == 200

    assert [(partner.logins, partner.accepted, partner.refusals) for partner in partners] == [(1, 2, 0)] * 5


def test_without_the_auth_the_partner_refuses(partner: SimulatedPartner, session: requests.Session) -> None:
    """The simulator would notice a request without a token."""
    session.get(partner.base_url + "/orders")

    assert (partner.refusals, partner.accepted) == (1, 0)
