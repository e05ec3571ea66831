"""Fleets on a Redis that fails in the middle of a login: every call is good, and few logins.

Each fault begins while the first process logs in, and lasts through a round and another expiry. Where an
account takes many sessions nobody is handed a refusal. Where it takes one, processes that log in for
themselves end each other's, until Redis is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import make_auth
from fleet import Fleet
from redis_server import RedisServer, free_port, running_redis
from redis_topologies import watched
from together import wait_until

from requests_partnerauth import RedisTokenCache
from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner

PROCESSES, THREADS, CALLS = 8, 8, 3
ALL_GOOD = {"good": PROCESSES * THREADS * CALLS}
REST = 10.0
HELD_UP = 12.0
"""Far more than the login and the second that a call may be held up by, and less than one wait for a lock."""


def sleep(server: RedisServer) -> None:
    """Let it be busy for five seconds, as it is with a long command."""
    threading.Thread(target=server.do, args=("DEBUG", "SLEEP", "5"), daemon=True).start()


def freeze_for_five_seconds(server: RedisServer) -> None:
    """Let it stand still, as a paused machine does."""
    server.freeze()
    threading.Timer(5.0, server.thaw).start()


def restart(server: RedisServer) -> None:
    """Let it lose all that it has."""
    server.stop()
    server.start()


FAULTS: dict[str, tuple[Callable[[RedisServer], Any], Callable[[RedisServer], Any]]] = {
    "killed": (RedisServer.stop, RedisServer.start),
    "restarted": (restart, lambda server: None),
    "frozen": (RedisServer.freeze, RedisServer.thaw),
    "frozen for five seconds": (freeze_for_five_seconds, lambda server: None),
    "asleep": (sleep, lambda server: None),
    "full": (
        lambda server: server.do("CONFIG", "SET", "maxmemory", "1"),
        lambda server: server.do("CONFIG", "SET", "maxmemory", "0"),
    ),
    "replica": (
        lambda server: server.do("REPLICAOF", "127.0.0.1", str(free_port())),
        lambda server: server.do("REPLICAOF", "NO", "ONE"),
    ),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that may be told to sleep."""
    with running_redis(tmp_path, "--enable-debug-command", "yes") as server:
        yield server


def fleet_of(partner: SimulatedPartner, cache: RedisTokenCache) -> Fleet:
    """Eight processes of eight threads, the partner's logins taking a while."""
    partner.login_delay = 0.5
    url = f"{partner.base_url}/orders"
    return Fleet(make_auth(partner, cache=cache), url, processes=PROCESSES, threads=THREADS)


def expires(partner: SimulatedPartner, fleet: Fleet) -> tuple[dict[str, int], int, float]:
    """What comes of a round after an expiry: answers, logins, seconds of the longest call."""
    before = partner.logins
    partner.revoke()
    fleet.order("calls", CALLS)
    return dict(fleet.answers()), partner.logins - before, fleet.longest


def strikes_in_the_next_login(partner: SimulatedPartner, strike: Callable[[], Any]) -> None:
    """Let the fault begin while the next login is under way."""
    partner.answer_logins(lambda call: (strike(), None)[1], times=1)


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_refused(simulator: PartnerSimulator, server: RedisServer, fault: str) -> None:
    """Many sessions: every call is good, at most one login for each process, nobody held up for long."""
    partner = simulator.bex
    strike, mend = FAULTS[fault]
    with fleet_of(partner, RedisTokenCache.from_url(server.url)) as fleet:
        assert expires(partner, fleet)[:2] == (ALL_GOOD, 1)
        strikes_in_the_next_login(partner, lambda: strike(server))
        for _ in range(2):
            answers, logins, longest = expires(partner, fleet)
            print(f"{fault}: {answers}, {logins} logins, longest call {longest:.1f} s")
            assert answers == ALL_GOOD
            assert logins <= PROCESSES
            assert longest < HELD_UP
        mend(server)
        time.sleep(REST + 1)
        answers, logins, _ = expires(partner, fleet)
        print(f"{fault}, back: {answers}, {logins} logins")
        assert (answers, logins) == (ALL_GOOD, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_session_settles(simulator: PartnerSimulator, server: RedisServer, fault: str) -> None:
    """One live session: nobody is held up while Redis is away; once it is back all is good again."""
    partner = simulator.rp_gateway
    partner.one_session = True
    strike, mend = FAULTS[fault]
    with fleet_of(partner, RedisTokenCache.from_url(server.url)) as fleet:
        assert expires(partner, fleet)[:2] == (ALL_GOOD, 1)
        strikes_in_the_next_login(partner, lambda: strike(server))
        for _ in range(2):
            answers, logins, longest = expires(partner, fleet)
            print(f"{fault}: {answers}, {logins} logins, longest call {longest:.1f} s")
            assert longest < HELD_UP
        mend(server)
        time.sleep(REST + 1)
        answers, logins, _ = expires(partner, fleet)
        print(f"{fault}, back: {answers}, {logins} logins")
        assert (answers, logins) == (ALL_GOOD, 1)


@pytest.mark.parametrize("one_session", [False, True])
def test_a_master_killed_in_the_middle_of_a_login(
    simulator: PartnerSimulator, tmp_path: Path, one_session: bool
) -> None:
    """The Sentinel names another: the lock that may have come along keeps nobody out."""
    partner = simulator.rp_gateway
    partner.one_session = one_session
    with watched(tmp_path) as place, fleet_of(partner, place.cache) as fleet:
        assert expires(partner, fleet)[:2] == (ALL_GOOD, 1)
        strikes_in_the_next_login(partner, place.master.stop)
        answers, logins, longest = expires(partner, fleet)
        print(f"failover: {answers}, {logins} logins, longest call {longest:.1f} s")
        assert one_session or (answers == ALL_GOOD and logins <= PROCESSES)
        assert longest < HELD_UP
        wait_until(place.has_failed_over)
        time.sleep(REST + 1)
        answers, logins, _ = expires(partner, fleet)
        print(f"failover, done: {answers}, {logins} logins")
        assert (answers, logins) == (ALL_GOOD, 1)


def test_few_rights_cost_no_time(simulator: PartnerSimulator, server: RedisServer) -> None:
    """Processes whose user may run no script log in once, and the next expiry finds the lock free."""
    server.do("ACL", "SETUSER", "app", "on", ">made-up", "~partnerauth:*", "+get", "+set", "+del", "+pexpire")
    server.do("ACL", "SETUSER", "app", "+@connection")
    url = server.url.replace("//", "//app:made-up@")
    with fleet_of(simulator.bex, RedisTokenCache.from_url(url)) as fleet:
        for _ in range(3):
            answers, logins, longest = expires(simulator.bex, fleet)
            assert (answers, logins) == (ALL_GOOD, 1)
            assert longest < HELD_UP
