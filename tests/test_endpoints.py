"""Is it the token or the endpoint? What forbidden endpoints cost, counted; good ones lose nothing."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import make_auth
from fleet import Fleet
from manual_clock import ManualClock
from together import is_good, together

from requests_partnerauth import FileTokenCache, PartnerAuth
from requests_partnerauth._engine.clock import Clock
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner


@pytest.fixture
def partner(simulator: PartnerSimulator) -> SimulatedPartner:
    """A partner whose tokens end by refusal alone."""
    return simulator.bex


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """A clock that the test moves."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    return clock


def test_a_forbidden_endpoint_keeps_no_expiry_from_being_healed(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """It is polled every ten seconds, and the token ends twice in two minutes: no good call is lost."""
    session.auth = make_auth(partner)
    for second in range(120):
        if second % 10 == 0:
            session.get(f"{partner.base_url}/always-refuse")
        if second in (35, 70):
            partner.revoke()
        assert is_good(session.get(f"{partner.base_url}/echo"))
        clock.advance(1.0)


@pytest.mark.parametrize("how", ["resend=False", "generator"])
def test_where_nothing_is_resent_one_login_is_enough(
    partner: SimulatedPartner, session: requests.Session, how: str
) -> None:
    """A forbidden and a good endpoint by turns, 20 times: one login beyond the first."""
    session.auth = make_auth(partner, resend=how == "generator")
    for _ in range(20):
        body: Any = (part for part in [b"x"]) if how == "generator" else b"x"
        assert session.post(f"{partner.base_url}/always-refuse", data=body).status_code == 401
        assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins == 2


@pytest.mark.parametrize(("endpoints", "logins"), [(2, 3), (4, 5)])
def test_forbidden_endpoints_by_turns(
    partner: SimulatedPartner, session: requests.Session, endpoints: int, logins: int
) -> None:
    """Several of them, nothing resent, 30 calls: one login each beyond the first."""
    session.auth = make_auth(partner, resend=False)
    partner.answer("/forbidden", refusal(partner))
    for number in range(30):
        assert session.get(f"{partner.base_url}/forbidden/{number % endpoints}").status_code == 401
    assert partner.logins == logins


@pytest.mark.parametrize("one_session", [False, True])
def test_64_threads_at_a_forbidden_endpoint(partner: SimulatedPartner, one_session: bool) -> None:
    """However they come, and in 50 calls after that, there is one login beyond the first; ten rounds."""
    partner.one_session, url = one_session, f"{partner.base_url}/always-refuse"
    for _ in range(10):
        auth = make_auth(partner)
        auth.forget()
        partner.reset_counts()
        answers = together(64, lambda number, auth=auth: requests.get(url, auth=auth))
        assert {answer.status_code for answer in answers} == {401}
        assert all(requests.get(url, auth=auth).status_code == 401 for _ in range(50))
        assert partner.logins == 2


def test_good_calls_among_forbidden_ones_are_not_lost(partner: SimulatedPartner) -> None:
    """32 threads, two forbidden endpoints, one live session, two expiries: 5 logins at most, none lost."""
    partner.one_session = True
    jitter = random.Random(7)

    def late(call: Call) -> Reply | None:
        time.sleep(jitter.random() / 50)
        return None

    partner.answer("/good", late)
    partner.answer("/forbidden", lambda call: late(call) or refusal(partner))
    auth = make_auth(partner)

    def call(number: int) -> bool:
        path = f"/forbidden/{number % 2}" if number < 6 else "/good"
        return is_good(requests.get(f"{partner.base_url}{path}", auth=auth))

    for turn in range(4):
        if turn in (1, 3):
            partner.revoke()
        assert together(32, call) == [False] * 6 + [True] * 26
    assert partner.logins <= 5


def test_many_forbidden_ids_cool_the_account(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """50 forbidden ids in a path within 30 s, good calls between: 4 logins at most, and none of them lost."""
    session.auth = make_auth(partner)
    partner.answer("/orders", refusal(partner))
    for number in range(50):
        assert session.get(f"{partner.base_url}/orders/{number}").status_code == 401
        assert is_good(session.get(f"{partner.base_url}/echo"))
        clock.advance(0.5)
    assert partner.logins <= 4


def test_of_more_than_64_endpoints_the_oldest_is_forgotten(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """The first that was on trial cools since, and is still known after 64 others; the second is not."""
    session.auth = make_auth(partner, resend=False)
    partner.answer("/orders", refusal(partner))

    def call(*numbers: int) -> int:
        for number in numbers:
            assert session.get(f"{partner.base_url}/orders/{number}").status_code == 401
        session.auth.token()  # type: ignore[union-attr]
        return partner.logins

    call(0, *range(1, 31), 0)
    logins = call(*range(31, 65))
    assert call(0) == logins
    assert call(64) == logins
    assert call(1) == logins + 1


def test_an_error_that_is_no_refusal_acquits_the_endpoint(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """A poller of 404s whose token is revoked after each call never sees a refusal."""
    session.auth = make_auth(partner)
    partner.answer("/gone", lambda call: Reply(404) if call.headers["token"] in partner.live_tokens else None)
    for _ in range(10):
        assert session.get(f"{partner.base_url}/gone").status_code == 404
        partner.revoke()
    assert partner.logins == 10


def test_one_refusal_a_day_where_nothing_is_resent(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """`resend=False` and one call a day that meets the real expiry: one refusal a day."""
    session.auth = make_auth(partner, resend=False)
    url = f"{partner.base_url}/echo"
    assert is_good(session.get(url))
    for day in range(5):
        partner.revoke()
        assert session.get(url).status_code == 401
        assert is_good(session.get(url))
        assert partner.logins == day + 2
        clock.advance(86_400.0)


class Place(TokenCache):
    """One place for several hosts, each with a cache object of its own."""

    seals = False

    def __init__(self, entries: dict[str, bytes]) -> None:
        self._entries = entries

    def get(self, key: str) -> bytes | None:
        return self._entries.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._entries[key] = value

    def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    def lock(self, key: str, limit: float = 30.0) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("skew", [0.0, 10.0, -10.0])
def test_hosts_whose_clocks_differ(
    partner: SimulatedPartner, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    """Two hosts with one live session call forbidden and good endpoints by turns: no good call is lost."""
    partner.one_session = True
    entries: dict[str, bytes] = {}
    here, there = make_auth(partner, cache=Place(entries)), make_auth(partner, cache=Place(entries))

    class Skewed(Clock):
        wall = staticmethod(lambda: time.time() + skew)

    monkeypatch.setattr(there, "_clock", Skewed())
    for _ in range(5):
        for auth in (here, there):
            assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
            assert requests.get(f"{partner.base_url}/always-refuse", auth=auth).status_code == 401
        for auth in (here, there):
            assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
    assert partner.logins <= 6


def test_a_found_token_that_is_refused_too_is_one_login_more(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """A process that slept through two expiries finds a dead token: its call takes part in the next login."""
    entries: dict[str, bytes] = {}
    sleeper, worker = make_auth(partner, cache=Place(entries)), make_auth(partner, cache=Place(entries))
    url = f"{partner.base_url}/orders"
    for auth in (sleeper, worker):
        assert is_good(session.get(url, auth=auth))
    partner.revoke()
    assert is_good(session.get(url, auth=worker))
    partner.revoke()
    assert is_good(session.get(url, auth=sleeper))
    assert partner.logins == 3


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_what_cools_by_the_logins_of_a_process_without_a_cache_is_healed(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock, is_confirmed: bool
) -> None:
    """A token of a host's that had no cache was refused, and so is the one found later: it is judged anew.

    Unless another endpoint took a token since: then it is this endpoint that says no.
    """
    entries: dict[str, bytes] = {}
    here, there = make_auth(partner, cache=Place(entries)), make_auth(partner, cache=Place(entries))
    url = f"{partner.base_url}/orders"
    for auth in (here, there):
        assert is_good(session.get(url, auth=auth))
    partner.answer("/orders", refusal(partner))
    assert session.get(url, auth=here).status_code == 401
    clock.advance(1.0)
    if is_confirmed:
        assert is_good(session.get(f"{partner.base_url}/echo", auth=here))
    else:
        partner.answer("/orders", None)
    partner.revoke()
    assert is_good(session.get(f"{partner.base_url}/echo", auth=there))
    clock.advance(10.0)
    partner.revoke()
    logins = partner.logins
    assert is_good(session.get(url, auth=here)) is not is_confirmed
    assert partner.logins - logins == (0 if is_confirmed else 1)


def test_a_forbidden_endpoint_is_judged_anew_once(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """Where another host logs in time and again: one login more, and then none within the cooldown."""
    entries: dict[str, bytes] = {}
    here, there = make_auth(partner, cache=Place(entries)), make_auth(partner, cache=Place(entries))
    assert is_good(session.get(f"{partner.base_url}/echo", auth=there))
    partner.answer("/orders", refusal(partner))
    assert session.get(f"{partner.base_url}/orders", auth=here).status_code == 401
    for logins in (1, 0):
        clock.advance(11.0)
        partner.revoke()
        assert is_good(session.get(f"{partner.base_url}/echo", auth=there))
        before = partner.logins
        assert session.get(f"{partner.base_url}/orders", auth=here).status_code == 401
        assert partner.logins - before == logins


@pytest.mark.slow
@pytest.mark.parametrize(("one_session", "logins"), [(False, 7), (True, 16)])
def test_processes_at_a_forbidden_endpoint(
    partner: SimulatedPartner, tmp_path: Path, one_session: bool, logins: int
) -> None:
    """Four processes share a cache with four that get refusals: each needs a login of its own to judge."""
    partner.one_session = one_session
    auth = make_auth(partner, cache=FileTokenCache(tmp_path / "tokens"))
    partner.answer("/forbidden", refusal(partner))
    with (
        Fleet(auth, f"{partner.base_url}/echo", processes=4, threads=3) as good,
        Fleet(auth, f"{partner.base_url}/forbidden", processes=4, threads=1) as forbidden,
    ):
        good.order("calls", 50)
        forbidden.order("calls", 50)
        answers = good.answers()
        assert forbidden.answers() == {"refused": 200}
    assert answers["good"] >= 0.99 * 600
    assert one_session or answers == {"good": 600}
    assert partner.logins <= logins


def refusal(partner: SimulatedPartner) -> Reply:
    """What says that a token is not good."""
    return partner.expiry_signals["status"]()
