"""A token is refreshed in the last fifth of its life, in the background, and never sent past its end."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import make_auth, wrong_secret
from held import Held
from manual_clock import ManualClock, join_refreshes
from together import Background, is_good, together, wait_for_waiters, wait_until

from requests_partnerauth import (
    FileTokenCache,
    FiservBoardingAuth,
    LoginRejected,
    LoginUnavailable,
    PartnerAuth,
)
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    return clock


@pytest.fixture
def partner(simulator: PartnerSimulator, clock: ManualClock) -> SimulatedPartner:
    """A partner whose tokens live 100 s on the test's clock, and which says so."""
    partner = simulator.fiserv_boarding
    partner.clock, partner.lifetime, partner.ttl = clock.monotonic, 100.0, 100
    return partner


def auth_for(partner: SimulatedPartner, **arguments: Any) -> PartnerAuth:
    return make_auth(partner, ttl_unit=timedelta(seconds=1), **arguments)


@pytest.mark.parametrize("lifetime", [5, 100])
def test_no_request_waits_for_it(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock, lifetime: int
) -> None:
    """While the refresh hangs, 16 threads go on with the present token; then all have the new one."""
    partner.ttl = partner.lifetime = lifetime
    session.auth = auth_for(partner)
    session.auth.token()
    held = Held(partner, times=None)
    clock.advance(0.81 * lifetime)

    def call(number: int) -> list[Any]:
        return [session.get(f"{partner.base_url}/echo") for _ in range(5)]

    for responses in together(16, call):
        assert all(map(is_good, responses))
    assert {called.headers["Authorization"] for called in partner.calls} == {partner.issued[0]}
    held.let_go()
    join_refreshes()
    clock.advance(0.189 * lifetime)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.calls[-1].headers["Authorization"] == partner.issued[1]
    assert (partner.login_attempts, partner.logins, partner.refusals) == (2, 2, 0)


def test_who_finds_it_due_a_moment_later_starts_no_second_login(
    partner: SimulatedPartner, clock: ManualClock
) -> None:
    """Two threads that see a token due ask for a refresh each: there is one login."""
    auth = auth_for(partner)
    auth.token()
    held = Held(partner, times=None)
    clock.advance(81)
    for _ in range(2):
        auth._shared_account().refresh_ahead(auth._log_in)
    held.wait()
    held.let_go()
    join_refreshes()
    assert (partner.login_attempts, auth.token().value) == (2, partner.issued[1])


@pytest.mark.slow
def test_the_last_fifth_in_real_time(simulator: PartnerSimulator, session: requests.Session) -> None:
    """16 threads go on through it, each of them while the refresh runs: one login, no refusal."""
    partner = simulator.fiserv_boarding
    partner.lifetime, partner.ttl = 10.0, 10
    session.auth = auth_for(partner)
    session.auth.token()
    went_on, ended = threading.Event(), threading.Event()
    answered = [0] * 16

    def while_all_go_on(call: Call) -> None:
        before = answered.copy()
        wait_until(lambda: all(now > then + 1 for now, then in zip(answered, before, strict=True)), 1.5)
        went_on.set()

    def call(number: int) -> None:
        while not ended.is_set():
            assert is_good(session.get(f"{partner.base_url}/echo"))
            answered[number] += 1
            if partner.logins == 2 and partner.calls[-1].headers["Authorization"] == partner.issued[1]:
                ended.set()
            time.sleep(0.02)

    partner.answer_logins(while_all_go_on)
    assert together(16, call) == [None] * 16
    assert went_on.is_set(), "a request waited for the refresh"
    assert (partner.logins, partner.login_attempts, partner.refusals) == (2, 2, 0)


@pytest.mark.parametrize(("lifetime", "early"), [(5, 1.0), (100, 20.0), (300, 60.0), (86_400, 60.0)])
def test_it_begins_in_the_last_fifth_and_at_most_a_minute_before_the_end(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock, lifetime: int, early: float
) -> None:
    """Before that moment no login is started; from it on, one is."""
    partner.ttl = partner.lifetime = lifetime
    session.auth = auth_for(partner)
    session.auth.token()
    clock.advance(lifetime - early - 0.01)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    join_refreshes()
    assert partner.login_attempts == 1
    clock.advance(0.02)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    join_refreshes()
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert (partner.login_attempts, partner.refusals) == (2, 0)


@pytest.mark.parametrize("lifetime", [5, 100])
def test_a_token_past_its_end_is_never_sent(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock, lifetime: int
) -> None:
    """Also where the refresh ahead failed a moment before the end, the next request waits for a new token."""
    partner.ttl = partner.lifetime = lifetime
    session.auth = auth_for(partner)
    session.auth.token()
    # The pauses between its attempts move the clock: not before the request is through.
    held = Held(partner, Reply(503), times=None)
    clock.advance(lifetime - 0.5)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    held.let_go()
    join_refreshes()
    clock.advance(0.6)
    calls = len(partner.calls)
    with pytest.raises(LoginUnavailable):
        session.get(f"{partner.base_url}/echo")
    assert len(partner.calls) == calls
    partner.answer_logins(None)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.refusals == 0


@pytest.mark.parametrize("shift", [3600.0, 10 * 365 * 86_400.0])
def test_setting_the_wall_clock_back_changes_nothing(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock, tmp_path: Path, shift: float
) -> None:
    """A wall clock set back neither ends a token early nor keeps one alive past its end."""
    session.auth = auth_for(partner, cache=FileTokenCache(tmp_path))
    session.auth.token()
    clock.set_wall_back(shift)
    clock.advance(79)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    join_refreshes()
    assert partner.login_attempts == 1
    clock.advance(22)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert (partner.login_attempts, partner.refusals) == (2, 0)


def test_a_failed_one_costs_nothing_and_comes_again_after_a_pause(
    partner: SimulatedPartner,
    session: requests.Session,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Requests go on with the present token, one warning is logged, the next try waits for ten seconds."""
    partner.lifetime = partner.ttl = 1000
    session.auth = auth_for(partner)
    session.auth.token()
    partner.answer_logins(Reply(200, {}, b"out of order"))
    clock.advance(941)
    with caplog.at_level(logging.WARNING, logger="requests_partnerauth"):
        for tries in (1, 2):
            for _ in range(5):
                assert is_good(session.get(f"{partner.base_url}/echo"))
                join_refreshes()
            assert partner.login_attempts == 1 + tries
            assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == tries
            clock.advance(9)
            assert is_good(session.get(f"{partner.base_url}/echo"))
            assert partner.login_attempts == 1 + tries
            clock.advance(1.1)
    assert partner.refusals == 0


def test_a_refused_one_is_not_tried_again(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock
) -> None:
    """Where the password was changed, it is refused once, and the present token serves to its end."""

    class Acme(FiservBoardingAuth):
        """The same partner, whose token nobody shares and no cache keeps."""

        account = property(lambda self: None, lambda self, value: None)  # type: ignore[assignment]

    partner = simulator.fiserv_boarding
    partner.clock, partner.lifetime, partner.ttl = clock.monotonic, 1000.0, 1000
    session.auth = Acme(**partner.credentials, ttl_unit=timedelta(seconds=1))
    session.auth.token()
    partner.change_password(wrong_secret(partner)["password"])
    clock.advance(941)
    for _ in range(5):
        assert is_good(session.get(f"{partner.base_url}/echo"))
        join_refreshes()
        clock.advance(11)
    assert partner.login_attempts == 2
    clock.advance(10)
    with pytest.raises(LoginRejected):
        session.get(f"{partner.base_url}/echo")
    assert (partner.login_attempts, partner.refusals) == (2, 0)


def test_a_refusal_meanwhile_joins_it(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock
) -> None:
    """A request that is refused while it is under way waits for that login: there is no other."""
    session.auth = auth_for(partner)
    session.auth.token()
    held = Held(partner, times=None)
    clock.advance(81)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    held.wait()
    partner.revoke()
    refused = [Background(lambda: session.get(f"{partner.base_url}/echo")) for _ in range(8)]
    wait_for_waiters(8)
    held.let_go()
    assert all(is_good(request.result()) for request in refused)
    assert partner.refusals > 0
    assert partner.login_attempts == 2


def test_where_no_thread_can_be_started_nothing_happens(
    partner: SimulatedPartner, session: requests.Session, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without threads requests go on with the present token, and log in themselves once it has ended."""
    session.auth = auth_for(partner)
    session.auth.token()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    clock.advance(81)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        session.auth(requests.Request("GET", f"{partner.base_url}/echo").prepare())
    assert partner.login_attempts == 1
    assert is_good(session.get(f"{partner.base_url}/echo"))
    clock.advance(20)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert (partner.login_attempts, partner.refusals) == (2, 0)


def test_it_does_not_keep_the_interpreter(simulator: PartnerSimulator) -> None:
    """A process whose refresh ahead hangs ends at once and cleanly when its work is done."""
    partner = simulator.fiserv_boarding
    partner.ttl, partner.lifetime = 5, 5.0
    hung = threading.Event()
    partner.answer_logins(lambda call: None if partner.login_attempts == 1 else hung.wait(60) and None)
    script = f"""
import time, requests
from datetime import timedelta
from requests_partnerauth import FiservBoardingAuth
auth = FiservBoardingAuth(**{partner.credentials!r}, ttl_unit=timedelta(seconds=1))
auth.token()
time.sleep(4.1)
print(requests.get({partner.base_url!r} + "/echo", auth=auth).status_code)
"""
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    hung.set()
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "200", "")
    assert time.monotonic() - started < 20
