"""A refresh that does not help is not repeated for a while, and refused credentials are not tried again."""

from __future__ import annotations

import pytest
import requests
from conftest import make_auth, wrong_secret
from held import Held
from manual_clock import ManualClock
from together import Background, is_good, wait_for_waiters

from requests_partnerauth import LoginRejected, MemoryTokenCache, PartnerAuth
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    return clock


def test_an_endpoint_that_always_refuses_costs_one_login(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """50 calls make at most 2 logins and 52 sends, and other endpoints go on working between them."""
    session.auth = make_auth(partner)
    for number in range(50):
        assert not is_good(session.get(f"{partner.base_url}/always-refuse"))
        if number % 10 == 0:
            assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins <= 2
    assert partner.always_refused <= 52
    assert partner.refusals == 0


def test_after_the_cooldown_it_is_tried_again(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock
) -> None:
    """A refusal within `refresh_cooldown` starts no login, the first one after it starts one."""
    partner = simulator.bex
    session.auth = make_auth(partner, refresh_cooldown=30.0)
    for logins in (2, 3, 4):
        for _ in range(3):
            assert session.get(f"{partner.base_url}/always-refuse").status_code == 401
            assert partner.logins == logins
        clock.advance(29.9)
        session.get(f"{partner.base_url}/always-refuse")
        assert partner.logins == logins
        clock.advance(0.2)


def test_32_threads_at_an_endpoint_that_always_refuses(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """Half of them there, half at a good one: one refresh for 80 refusals, and no good call is lost."""
    session.auth = make_auth(partner)
    session.auth.token()
    held = Held(partner)

    def call(path: str) -> list[requests.Response]:
        return [session.get(f"{partner.base_url}{path}") for _ in range(5)]

    refused = [Background(lambda: call("/always-refuse")) for _ in range(16)]
    wait_for_waiters(15)
    good = [Background(lambda: call("/echo")) for _ in range(16)]
    wait_for_waiters(31)
    held.let_go()
    assert all(is_good(response) for calls in good for response in calls.result())
    assert not any(is_good(response) for calls in refused for response in calls.result())
    assert partner.logins == 2


def test_a_stale_request_does_not_end_the_cooling(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """While an endpoint cools, an older request that it refuses as well starts no login either."""
    partner = simulator.bex
    session.auth = make_auth(partner)
    stale = [
        session.prepare_request(requests.Request("GET", f"{partner.base_url}/always-refuse"))
        for _ in range(5)
    ]
    session.get(f"{partner.base_url}/always-refuse")
    for request in stale:
        assert is_good(session.get(f"{partner.base_url}/echo"))
        assert session.send(request).status_code == 401
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins == 2


@pytest.mark.parametrize("how", ["resend=False", "generator"])
def test_where_nothing_may_be_resent_it_costs_one_login_too(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock, how: str
) -> None:
    """Without resends, an endpoint that refuses a new token at once cools too, and then makes one login."""
    partner = simulator.fiserv_boarding
    session.auth = make_auth(partner, resend=how != "resend=False")

    def call() -> requests.Response:
        body = (part for part in [b"x"]) if how == "generator" else b"x"
        return session.post(f"{partner.base_url}/always-refuse", data=body)

    for logins in (2, 3, 4):
        for _ in range(10):
            assert call().status_code == 401
        assert partner.logins == logins
        clock.advance(30.1)
        call()
    assert partner.always_refused == 33


def test_a_token_that_died_unseen_is_renewed_after_the_cooldown(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock
) -> None:
    """A refreshed token that was revoked before its first use is renewed once the cooldown is over."""
    partner = simulator.fiserv_boarding
    session.auth = make_auth(partner, resend=False)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    partner.revoke()
    session.get(f"{partner.base_url}/echo")
    session.auth.token()
    partner.revoke()
    assert not is_good(session.get(f"{partner.base_url}/echo"))
    clock.advance(30.1)
    session.get(f"{partner.base_url}/echo")
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins == 3


def test_refused_credentials_rest_for_the_cooldown(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """Refused credentials are tried once per `rejection_cooldown`, whatever is called, and then again."""
    auth = make_auth(partner, rejection_cooldown=300.0, **wrong_secret(partner))
    for attempts in (1, 2):
        for _ in range(5):
            with pytest.raises(LoginRejected):
                session.get(f"{partner.base_url}/echo", auth=auth)
            with pytest.raises(LoginRejected):
                auth.token()
        clock.advance(299.9)
        with pytest.raises(LoginRejected):
            auth.token()
        assert partner.login_attempts == attempts
        clock.advance(0.2)
    assert partner.calls == []


def test_forget_clears_the_refusal(partner: SimulatedPartner) -> None:
    """After `forget()` refused credentials are tried at once, and a success is a success."""
    auth = make_auth(partner, **wrong_secret(partner))
    for attempts in (1, 2):
        with pytest.raises(LoginRejected):
            auth.token()
        assert partner.login_attempts == attempts
        auth.forget()
    partner.change_password(wrong_secret(partner)[partner.secret_field])
    assert auth.token().value == partner.issued[-1]


def test_the_refusal_is_remembered_per_secret(partner: SimulatedPartner) -> None:
    """Another password is tried at once, and the refused one stays refused."""
    cache = MemoryTokenCache()
    wrong = make_auth(partner, cache=cache, **wrong_secret(partner))
    with pytest.raises(LoginRejected):
        wrong.token()
    assert make_auth(partner, cache=cache).token().value == partner.issued[0]
    with pytest.raises(LoginRejected):
        wrong.token()
    assert partner.login_attempts == 2


def test_no_cooldown_where_none_is_wanted(simulator: PartnerSimulator, session: requests.Session) -> None:
    """With both cooldowns at 0, each refusal and each attempt counts for itself."""
    partner = simulator.bex
    wrong = make_auth(partner, rejection_cooldown=0, **wrong_secret(partner))
    for _ in range(3):
        with pytest.raises(LoginRejected):
            wrong.token()
    assert partner.login_attempts == 3
    session.auth = make_auth(partner, refresh_cooldown=0)
    for _ in range(3):
        session.get(f"{partner.base_url}/always-refuse")
    assert (partner.logins, partner.always_refused) == (4, 6)


def test_an_outage_is_not_remembered(partner: SimulatedPartner, session: requests.Session) -> None:
    """After an outage the next request tries the login at once."""
    auth = make_auth(partner)
    partner.answer_logins(Reply(500), times=3)
    with pytest.raises(requests.RequestException):
        session.get(f"{partner.base_url}/echo", auth=auth)
    assert is_good(session.get(f"{partner.base_url}/echo", auth=auth))
    assert partner.login_attempts == 4
