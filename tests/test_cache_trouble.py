"""Down is not dead: an engine whose cache fails, and what it tells of it."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import requests
from cache_contract import told
from conftest import make_auth, wrong_secret
from held import Held
from manual_clock import ManualClock, SteppingClock, join_refreshes
from redis_server import RedisServer
from together import Background, wait_for_waiters

from requests_partnerauth import (
    LoginRejected,
    MemoryTokenCache,
    PartnerAuth,
    RedisTokenCache,
)
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import PartnerSimulator


class Broken(TokenCache):
    """A cache of which some words fail."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.memory = MemoryTokenCache()
        self.tried: list[str] = []

    def _do(self, word: str, *arguments: Any) -> Any:
        self.tried.append(word)
        if word in self.broken:
            raise OSError(28, "No space left on device")
        return getattr(self.memory, word)(*arguments)

    def get(self, key: str) -> bytes | None:
        return self._do("get", key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._do("set", key, value, ttl)

    def delete(self, key: str) -> None:
        self._do("delete", key)

    def lock(self, key: str, limit: float = 30.0) -> Any:
        return self._do("lock", key, limit)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteppingClock:
    """The clock of all auths made in this test."""
    clock = SteppingClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    return clock


@pytest.mark.parametrize("word", ["get", "set", "lock"])
def test_down_is_not_dead(
    simulator: PartnerSimulator,
    session: Any,
    clock: SteppingClock,
    caplog: pytest.LogCaptureFixture,
    word: str,
) -> None:
    """Whatever a cache can't do, requests go on, it is left alone a while, and one warning tells."""
    caplog.set_level(logging.INFO)
    partner, cache = simulator.bex, Broken(word)
    auth = make_auth(partner, cache=cache)
    url = f"{partner.base_url}/orders"

    def expire_and_call() -> None:
        partner.revoke()
        assert session.get(url, auth=auth).status_code == 200

    for _ in range(3):
        expire_and_call()
    assert cache.tried.count(word) == 1
    for _ in range(3):
        clock.ahead += 11
        expire_and_call()
    assert cache.tried.count(word) == 4
    meanwhile = (
        "several processes may log in at once" if word == "lock" else "tokens live in memory meanwhile"
    )
    warning = f"WARNING Broken can't be used (OSError: No space left on device): {meanwhile}"
    assert told(caplog) == [warning]
    cache.broken.clear()
    clock.ahead += 11
    expire_and_call()
    assert told(caplog) == [warning, "INFO Broken can be used again"]
    assert make_auth(partner, cache=_as_another_process(cache)).token().value == auth.token().value
    assert partner.logins == 7


class Cancelled(Broken):
    """A cache over a client that was written for asyncio, of which some words are cancelled."""

    def _do(self, word: str, *arguments: Any) -> Any:
        if word in self.broken:
            raise asyncio.CancelledError
        return super()._do(word, *arguments)


@pytest.mark.parametrize("word", ["get", "set", "delete", "lock"])
def test_a_cache_that_is_cancelled_is_down(
    simulator: PartnerSimulator, session: Any, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    """A CancelledError of its own, which is no Exception, ends no request and no thread."""
    partner = simulator.bex
    session.auth = make_auth(partner, cache=Cancelled(word))
    for _ in range(3):
        session.auth.forget()
        assert session.get(f"{partner.base_url}/orders").status_code == 200
    (warning,) = told(caplog)
    assert warning.startswith("WARNING Cancelled can't be used (CancelledError)")


def test_a_cache_that_is_down_is_not_asked_whether_a_refusal_was_forgotten(
    simulator: PartnerSimulator,
) -> None:
    """Refused credentials, and a cache that fails then: ten calls ask it once, and the partner not at all."""
    cache = Broken()
    auth = make_auth(simulator.bex, cache=cache, **wrong_secret(simulator.bex))
    for number in range(11):
        with pytest.raises(LoginRejected):
            auth.token()
        if number == 0:
            cache.broken = {"get"}
            cache.tried.clear()
    assert cache.tried == ["get"]
    assert simulator.bex.login_attempts == 1


def test_a_cache_that_can_only_not_lock_keeps_tokens(simulator: PartnerSimulator) -> None:
    """Three processes one after the other log in once, on a network share whose locks fail, say."""
    first = Broken("lock")
    for _ in range(3):
        other = _as_another_process(first)
        other.broken = first.broken
        make_auth(simulator.bex, cache=other).token()
    assert simulator.bex.logins == 1


def _as_another_process(cache: Broken) -> Broken:
    other = Broken()
    other.memory = cache.memory
    return other


def test_forget_holds_where_the_cache_could_not(simulator: PartnerSimulator, clock: SteppingClock) -> None:
    """A token that was forgotten while the cache was down is not taken from it when it is back."""
    cache = Broken()
    auth = make_auth(simulator.bex, cache=cache)
    auth.token()
    cache.broken = {"delete", "get"}
    auth.forget()
    cache.broken.clear()
    clock.ahead += 11
    auth.token()
    assert simulator.bex.logins == 2


def test_forget_holds_for_a_token_that_was_only_seen(
    simulator: PartnerSimulator, session: Any, clock: SteppingClock
) -> None:
    """Another process's token, forgotten but not deleted, is not tried when the cache is back."""
    partner, cache = simulator.bex, Broken()
    make_auth(partner, cache=_as_another_process(cache)).token()
    auth = make_auth(partner, cache=cache)
    cache.broken = {"delete", "set"}
    auth.forget()
    auth.token()
    cache.broken.clear()
    clock.ahead += 11
    partner.revoke()
    assert session.get(f"{partner.base_url}/orders", auth=auth).status_code == 200
    assert (partner.logins, partner.refusals) == (3, 1)


def test_redis_entries_end_with_their_token(simulator: PartnerSimulator, redis_server: RedisServer) -> None:
    """Redis drops an entry when its token ends, and a remembered refusal with its cooldown."""
    partner = simulator.fiserv_boarding
    partner.ttl = 10
    make_auth(partner, cache=RedisTokenCache.from_url(redis_server.url)).token()
    (token_key,) = redis_server.stored()
    assert token_key.startswith("partnerauth:")
    assert 590 < (redis_server.ttl(token_key) or 0) <= 600
    wrong = make_auth(
        partner,
        cache=RedisTokenCache.from_url(redis_server.url),
        rejection_cooldown=50,
        **wrong_secret(partner),
    )
    with pytest.raises(LoginRejected):
        wrong.token()
    (refusal_key,) = redis_server.stored().keys() - {token_key}
    assert 40 < (redis_server.ttl(refusal_key) or 0) <= 50


def test_a_lock_in_redis_ends_by_itself(redis_server: RedisServer) -> None:
    """The lock of a holder that died ends within five seconds, however long a login may take."""
    with RedisTokenCache.from_url(redis_server.url).lock("key", 20):
        (key,) = redis_server.stored()
        assert key.startswith("partnerauth:")
        assert 0 < (redis_server.ttl(key) or 0) <= 5


def test_redis_away_at_start(simulator: PartnerSimulator, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens: the request succeeds at once, with one warning."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        started = time.monotonic()
        auth = make_auth(
            simulator.bex, cache=RedisTokenCache.from_url(f"redis://127.0.0.1:{probe.getsockname()[1]}")
        )
        auth.token()
    assert time.monotonic() - started < 20
    assert len(told(caplog)) == 1


def test_redis_that_keeps_silent(
    simulator: PartnerSimulator, session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A Redis that connects and says nothing costs one short timeout, then it is left alone a while."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        auth = make_auth(
            simulator.bex, cache=RedisTokenCache.from_url(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        )
        for _ in range(5):
            simulator.bex.revoke()
            assert session.get(f"{simulator.bex.base_url}/orders", auth=auth).status_code == 200
        silent.setblocking(False)
        # Not closed before: a client that has not given up yet would connect once more.
        with silent.accept()[0], pytest.raises(BlockingIOError):
            silent.accept()
    assert len(told(caplog)) == 1


def test_redis_dies_and_comes_back(
    simulator: PartnerSimulator,
    session: Any,
    redis_server: RedisServer,
    clock: SteppingClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Requests go on through it with one warning; after its return the next login is shared again."""
    caplog.set_level(logging.INFO)
    partner = simulator.bex
    auth = make_auth(partner, cache=RedisTokenCache.from_url(redis_server.url))

    def expire_and_call() -> None:
        partner.revoke()
        assert session.get(f"{partner.base_url}/orders", auth=auth).status_code == 200

    expire_and_call()
    redis_server.stop()
    for _ in range(3):
        expire_and_call()
        clock.ahead += 11
    redis_server.start()
    expire_and_call()
    lines = told(caplog)
    assert [line.split()[0] for line in lines] == ["WARNING", "INFO"]
    other = make_auth(partner, cache=RedisTokenCache.from_url(redis_server.url))
    assert other.token().value == auth.token().value
    assert partner.logins == 5


def test_redis_dies_during_a_login(
    simulator: PartnerSimulator, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A login whose lock and entry are lost with Redis gives its token all the same."""
    partner = simulator.bex
    partner.answer_logins(lambda call: redis_server.stop(), times=1)
    auth = make_auth(partner, cache=RedisTokenCache.from_url(redis_server.url))
    assert auth.token() == auth.token()
    assert partner.logins == 1
    assert len(told(caplog)) == 1


def test_a_restarted_redis_is_no_trouble(
    simulator: PartnerSimulator, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that has gone stale is replaced at once, without a warning."""
    cache = RedisTokenCache.from_url(redis_server.url)
    cache.set("key", b"value")
    redis_server.stop()
    redis_server.start()
    make_auth(simulator.bex, cache=cache).token()
    assert told(caplog) == []
    assert len(redis_server.stored()) == 1


class Narrow:
    """A cache of a user's own, whose class leaves no room for anything else."""

    __slots__ = ("memory",)

    def __init__(self) -> None:
        self.memory = MemoryTokenCache()

    def get(self, key: str) -> bytes | None:
        return self.memory.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self.memory.set(key, value, ttl)

    def delete(self, key: str) -> None:
        self.memory.delete(key)

    def lock(self, key: str, limit: float = 30.0) -> Any:
        return self.memory.lock(key, limit)


def test_a_cache_with_slots_shares_what_it_keeps(simulator: PartnerSimulator) -> None:
    """Two auths find each other's token in it."""
    cache = Narrow()
    assert make_auth(simulator.bex, cache=cache).token() == make_auth(simulator.bex, cache=cache).token()
    assert simulator.bex.logins == 1


def test_what_a_cache_keeps_is_sealed_unless_it_says_otherwise(simulator: PartnerSimulator) -> None:
    """A class that does not know `seals`: its entries are sealed, and named as in caches that do."""
    narrow, other = Narrow(), Broken()
    token = make_auth(simulator.bex, cache=narrow).token()
    make_auth(simulator.bex, cache=other).token()
    ((key, (kept, _)),) = narrow.memory._entries.items()
    assert token.value.encode() not in kept
    assert [key] == list(other.memory._entries)


@pytest.mark.parametrize("number", ["1e999", "NaN", "1" + "0" * 400])
@pytest.mark.parametrize("kind", ["token", "refusal"])
def test_a_number_that_is_none(simulator: PartnerSimulator, kind: str, number: str) -> None:
    """An entry whose times can't be times is a miss, in a cache whose entries are not sealed."""
    partner, cache = simulator.bex, Unsealed()
    arguments = wrong_secret(partner) if kind == "refusal" else {}

    def log_in(cache: Unsealed) -> None:
        with pytest.raises(LoginRejected) if kind == "refusal" else nullcontext():
            make_auth(partner, cache=cache, **arguments).token()

    log_in(cache)
    ((key, entry),) = cache.kept.items()
    broken = re.sub(rb'"(issued_at|until|seconds)": [0-9.]+', rb'"\1": ' + number.encode(), entry)
    assert key.endswith(kind)
    assert broken != entry
    cache.kept[key] = broken
    log_in(_as_another_process_of(cache))
    assert partner.login_attempts == 2


class Unsealed(Broken):
    """A cache in memory that other processes share all the same, as a test sees it."""

    seals = False

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self.kept[key] = value

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


def _as_another_process_of(cache: Unsealed) -> Unsealed:
    other = Unsealed()
    other.kept = cache.kept
    return other


class Forgetful(Unsealed):
    """Takes everything and keeps nothing, as keyring's null backend does."""

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        pass


def test_a_cache_that_keeps_nothing(simulator: PartnerSimulator) -> None:
    """A refusal that it took and did not keep is remembered all the same: ten calls, one attempt."""
    auth = make_auth(simulator.bex, cache=Forgetful(), **wrong_secret(simulator.bex))
    for _ in range(10):
        with pytest.raises(LoginRejected):
            auth.token()
    assert simulator.bex.login_attempts == 1


def test_an_older_token_takes_no_newer_ones_place(simulator: PartnerSimulator) -> None:
    """Where the newer could not be written down, the older that a cache still holds is left there."""
    partner, stale, cache = simulator.bex, Unsealed(), Unsealed()
    make_auth(partner, cache=stale).token()
    auth = make_auth(partner, cache=cache)
    always = f"{partner.base_url}/always-refuse"
    assert requests.get(always, auth=auth).status_code == 401
    refreshed = auth.token()
    cache.kept = stale.kept
    assert requests.get(always, auth=auth).status_code == 401
    assert auth.token() is refreshed
    assert partner.logins == 3


class Gated(Unsealed):
    """A cache whose first look and first lock take until a test lets them go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = {word: threading.Event() for word in ("get", "lock")}
        self.go_on = {word: threading.Event() for word in ("get", "lock")}

    def _pass(self, word: str) -> None:
        self.tried.append(word)
        self.reached[word].set()
        assert self.go_on[word].wait(30)

    def get(self, key: str) -> bytes | None:
        self._pass("get")
        return super().get(key)

    def lock(self, key: str, limit: float = 30.0) -> Any:
        self._pass("lock")
        return self.memory.lock(key, limit)


def test_a_slow_cache_does_not_use_up_the_time_for_its_lock(
    simulator: PartnerSimulator, clock: SteppingClock
) -> None:
    """Whoever comes while the lock is waited for joins that login, however long the look before it took."""
    partner, cache = simulator.bex, Gated()
    cache.seals = True
    auth = make_auth(partner, cache=cache, login_timeout=(10, 10))
    first = Background(auth.token)
    assert cache.reached["get"].wait(60)
    clock.ahead += 15
    cache.go_on["get"].set()
    assert cache.reached["lock"].wait(60)
    clock.ahead += 15
    second = Background(auth.token)
    wait_for_waiters(1)
    cache.go_on["lock"].set()
    assert first.result() is second.result()
    assert (partner.logins, cache.tried.count("lock")) == (1, 1)


def test_a_login_leaves_its_lock_before_it_returns(simulator: PartnerSimulator) -> None:
    """A process that ends right after its login leaves no lock that the next one has to wait for."""

    class Lingering(Broken):
        is_left = False

        @contextmanager
        def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
            yield True
            threading.Event().wait(0.3)
            self.is_left = True

    cache = Lingering()
    make_auth(simulator.bex, cache=cache).token()
    assert cache.is_left


class Undecided(Broken):
    """Its lock gives an object that can't say whether the lock is held."""

    def __init__(self, say: Callable[[], bool]) -> None:
        super().__init__()
        self.held = type("Held", (), {"__bool__": lambda held: say()})()

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[Any]:
        yield self.held


def test_a_lock_that_raises_when_asked_is_told_once(
    simulator: PartnerSimulator, session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An own lock's object that fails when it is asked whether it is held: logins go on, with one warning."""

    def fail() -> bool:
        raise ConnectionResetError(104, "Connection reset by peer")

    session.auth = make_auth(simulator.bex, cache=Undecided(fail))
    for _ in range(3):
        simulator.bex.revoke()
        assert session.get(f"{simulator.bex.base_url}/orders").status_code == 200
    why = "ConnectionResetError: Connection reset by peer"
    assert told(caplog) == [f"WARNING Undecided can't be used ({why}): several processes may log in at once"]


def test_a_lock_that_is_cancelled_when_asked_fails_no_call(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """asyncio's CancelledError, which is no Exception, out of a lock's own object stays with the cache."""

    def cancel() -> bool:
        raise asyncio.CancelledError

    session.auth = make_auth(simulator.bex, cache=Undecided(cancel))
    assert session.get(f"{simulator.bex.base_url}/orders").status_code == 200


def test_a_lock_that_hangs_when_asked_is_gone_without(
    simulator: PartnerSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """An own lock's object that gives no answer whether it is held holds no login up, and is told once."""
    answers = threading.Event()
    auth = make_auth(simulator.bex, cache=Undecided(lambda: answers.wait(100)))
    try:
        assert Background(auth.token).result().value == simulator.bex.issued[0]
    finally:
        answers.set()
    assert len(told(caplog)) == 1


def test_a_refresh_ahead_outlives_a_token_from_the_cache(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer token of another process is taken while a login is under way: what that gives is kept."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    partner, cache = simulator.fiserv_partner, Unsealed()
    partner.ttl = 2
    auth = make_auth(partner, cache=cache, refresh_cooldown=300)
    other = make_auth(partner, cache=_as_another_process_of(cache), refresh_cooldown=300)
    always = f"{partner.base_url}/always-refuse"
    requests.get(always, auth=auth)
    clock.advance(1)
    other.forget()
    theirs = other.token().value
    assert theirs != auth.token().value
    clock.advance(100)
    held = Held(partner)
    auth.token()
    held.wait()
    requests.get(always, auth=auth)
    assert auth.token().value == theirs
    held.let_go()
    join_refreshes()
    assert auth.token().value == partner.issued[-1] != theirs


def test_a_sealing_cache_without_its_package(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be sealed a refusal is remembered in memory, and told as one each time."""
    monkeypatch.setitem(sys.modules, "requests_partnerauth.caches._sealing", None)
    auth = make_auth(simulator.bex, cache=Broken(), **wrong_secret(simulator.bex))
    for _ in range(3):
        with pytest.raises(LoginRejected):
            auth.token()
    assert simulator.bex.login_attempts == 1
