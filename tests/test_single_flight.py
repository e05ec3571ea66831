"""One login for all: whatever the number of threads and of auth objects, one login is under way at a time."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest
import requests
from conftest import make_auth, wrong_secret
from held import Held
from manual_clock import ManualClock
from requests.adapters import HTTPAdapter
from together import Background, is_good, together, wait_for_waiters, wait_until

from requests_partnerauth import (
    BexAuth,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    Token,
)
from requests_partnerauth._engine.account import Account
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner


def get(partner: SimulatedPartner, auth: Any, session: requests.Session) -> Any:
    return together(64, lambda number: session.get(f"{partner.base_url}/echo", auth=auth, timeout=30))


def test_64_threads_cold_make_one_login(partner: SimulatedPartner, session: requests.Session) -> None:
    """64 threads without a token log in once, and none of them is ever refused."""
    partner.login_delay = 0.2
    assert all(map(is_good, get(partner, make_auth(partner), session)))
    assert (partner.login_attempts, partner.refusals, partner.accepted) == (1, 0, 64)


@pytest.mark.parametrize("one_session", [False, True])
def test_64_threads_with_a_revoked_token_make_one_login_a_round(
    partner: SimulatedPartner, session: requests.Session, one_session: bool
) -> None:
    """Each of three revocations costs one login, also where a new login ends the old session."""
    partner.one_session = one_session
    auth = make_auth(partner)
    auth.token()
    for _ in range(3):
        partner.revoke()
        partner.reset_counts()
        assert all(map(is_good, get(partner, auth, session)))
        assert partner.login_attempts == 1


def test_every_thread_with_its_own_auth_object_shares_the_login(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """64 auth objects for one account and secret, one in each thread, log in once on one cache."""
    partner.login_delay = 0.1
    cache = MemoryTokenCache()
    responses = together(
        64, lambda number: session.get(f"{partner.base_url}/echo", auth=make_auth(partner, cache=cache))
    )
    assert all(map(is_good, responses))
    assert partner.login_attempts == 1


def test_wrong_password_is_tried_once(partner: SimulatedPartner, session: requests.Session) -> None:
    """64 threads make one attempt and get an error each; 20 more calls make none; the right password one."""
    partner.login_delay = 0.1
    cache = MemoryTokenCache()
    wrong = make_auth(partner, cache=cache, **wrong_secret(partner))
    errors = get(partner, wrong, session)
    assert [type(error) for error in errors] == [LoginRejected] * 64
    assert len({id(error) for error in errors}) == 64
    assert all(error.__cause__ is None and error.__context__ is None for error in errors)
    assert partner.login_attempts == 1
    again = make_auth(partner, cache=cache, **wrong_secret(partner))
    for number in range(20):
        with pytest.raises(LoginRejected):
            session.get(f"{partner.base_url}/echo", auth=wrong if number % 2 else again)
    assert partner.login_attempts == 1
    assert is_good(session.get(f"{partner.base_url}/echo", auth=make_auth(partner, cache=cache)))
    assert (partner.login_attempts, partner.logins, len(partner.calls)) == (2, 1, 1)


def test_an_outage_is_shared_and_not_remembered(partner: SimulatedPartner, session: requests.Session) -> None:
    """64 threads behind a login that meets an outage get an error each for one login's three tries."""
    held = Held(partner, Reply(503), times=None)
    auth = make_auth(partner)
    calls = [Background(lambda: session.get(f"{partner.base_url}/echo", auth=auth)) for _ in range(64)]
    wait_for_waiters(63)
    held.let_go()
    errors = [call.result() for call in calls]
    assert [type(error) for error in errors] == [LoginUnavailable] * 64
    assert len({id(error) for error in errors}) == 64
    assert all(error.__cause__ is None and error.__context__ is None for error in errors)
    assert partner.login_attempts == 3
    partner.answer_logins(None)
    assert is_good(session.get(f"{partner.base_url}/echo", auth=auth))
    assert partner.login_attempts == 4


@pytest.mark.slow
def test_500_threads_cold_make_one_login(simulator: PartnerSimulator, session: requests.Session) -> None:
    """500 threads without a token log in once."""
    partner = simulator.fiserv_boarding
    partner.login_delay = 0.5
    session.mount("http://", HTTPAdapter(pool_maxsize=32, pool_block=True))
    auth = make_auth(partner)
    responses = together(500, lambda number: session.get(f"{partner.base_url}/echo", auth=auth))
    assert all(map(is_good, responses))
    assert (partner.login_attempts, partner.refusals) == (1, 0)


class StallingClock(ManualClock):
    """Stops one thread when it asks for the time for the second time, until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.stalled: threading.Thread | None = None
        self.asks = 0
        self.is_waiting, self.go_on = threading.Event(), threading.Event()

    def monotonic(self) -> float:
        now = super().monotonic()
        if threading.current_thread() is self.stalled:
            self.asks += 1
            if self.asks == 2:
                self.is_waiting.set()
                self.go_on.wait(30)
        return now


class UncachedAuth(BexAuth):
    """An auth whose token no cache keeps, and which ends after 100 s."""

    def parse_login(self, response: requests.Response) -> Token:
        return Token.lasting(super().parse_login(response).value, 100)

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.account = None  # type: ignore[assignment]


def test_who_comes_just_as_a_login_lands_looks_again(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that found the token ended, and lost the race for the login, takes the other's token."""
    clock = StallingClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    auth = UncachedAuth(**simulator.bex.credentials)
    auth.token()
    clock.advance(101)

    def late() -> Token:
        clock.stalled = threading.current_thread()
        return auth.token()

    latecomer = Background(late)
    assert clock.is_waiting.wait(60)
    newer = auth.token()
    clock.go_on.set()
    assert latecomer.result() is newer
    assert simulator.bex.login_attempts == 2


def test_accounts_do_not_wait_for_each_other(simulator: PartnerSimulator, session: requests.Session) -> None:
    """While one account's login hangs, another account of the same partner logs in and works."""
    partner = simulator.bex
    partner.add_account(username="second", password="secret2")
    held = Held(partner)
    cache = MemoryTokenCache()
    first = make_auth(partner, cache=cache)
    second = make_auth(partner, cache=cache, username="second", password="secret2")
    hanging = Background(lambda: requests.get(f"{partner.base_url}/echo", auth=first))
    held.wait()
    assert is_good(session.get(f"{partner.base_url}/echo", auth=second))
    assert hanging.is_running
    held.let_go()
    assert is_good(hanging.result())


def test_a_new_auth_for_every_call_logs_in_once(simulator: PartnerSimulator) -> None:
    """The default cache belongs to the process: auth objects that come and go share one token."""
    partner = simulator.bex
    for _ in range(5):
        auth = BexAuth(**partner.credentials)
        assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
        del auth
    assert partner.login_attempts == 1
    BexAuth(**partner.credentials).forget()


def test_another_password_never_rides_on_the_token(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """With a token in the cache, an auth with a wrong secret for that account is refused, not served."""
    cache = MemoryTokenCache()
    good = make_auth(partner, cache=cache)
    assert is_good(session.get(f"{partner.base_url}/echo", auth=good))
    with pytest.raises(LoginRejected):
        session.get(f"{partner.base_url}/echo", auth=make_auth(partner, cache=cache, **wrong_secret(partner)))
    assert (partner.login_attempts, len(partner.calls)) == (2, 1)
    assert is_good(session.get(f"{partner.base_url}/echo", auth=good))


def test_accounts_that_nobody_uses_do_not_pile_up(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the accounts that came and went a bounded number stays; one that is in use stays the same."""

    def count() -> int:
        gc.collect()
        return sum(isinstance(thing, Account) for thing in gc.get_objects())

    monkeypatch.setattr("requests_partnerauth._engine.registry._REMEMBERED", 100)
    cache, before = MemoryTokenCache(), count()
    first = make_auth(simulator.bex, cache=cache)
    token = first.token()
    for number in range(300):
        make_auth(simulator.bex, cache=cache, username=f"other{number}").forget()
    # More than once: a collection under way in another thread makes this thread's do nothing.
    wait_until(lambda: count() - before <= 101)
    assert make_auth(simulator.bex, cache=cache).token() is token
    assert simulator.bex.login_attempts == 1
