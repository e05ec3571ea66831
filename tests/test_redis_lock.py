"""The lock of RedisTokenCache: who holds it, for how long, and who gets it when nobody does any more."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
import warnings

import pytest
import redis
from doc_pages import ROOT
from processes import pickled, python
from redis_server import RedisServer
from together import Background, wait_until

from requests_partnerauth import RedisTokenCache
from requests_partnerauth.caches import _redis_lock

KEY = "partnerauth:lock:key"


@pytest.fixture
def cache(redis_server: RedisServer) -> RedisTokenCache:
    """A cache, as a process has it."""
    return RedisTokenCache.from_url(redis_server.url)


@pytest.fixture
def short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks live a tenth as long."""
    monkeypatch.setattr(_redis_lock, "_LIFE", 0.4)
    monkeypatch.setattr(_redis_lock, "_RENEWED_EVERY", 0.1)
    monkeypatch.setattr(_redis_lock, "_GRACE", 0.2)


def is_had(cache: RedisTokenCache, limit: float) -> bool:
    """Whether somebody else gets the lock."""
    with cache.lock("key", limit) as held:
        return bool(held)


def test_it_is_held_for_longer_than_it_lives(cache: RedisTokenCache, short_lives: None) -> None:
    """The holder renews its lock: others are kept out for several of its lives, and it is still held."""
    with cache.lock("key", 30) as held:
        assert not is_had(cache, 1.5)
        assert held
    assert is_had(cache, 5)


_HOLD = """
import pickle, sys, time
cache = pickle.loads(bytes.fromhex(sys.argv[1]))
with cache.lock("key", 300) as held:
    print("held", bool(held), flush=True)
    time.sleep(300)
"""


def test_a_killed_holders_lock_is_free_within_five_seconds(cache: RedisTokenCache) -> None:
    """However long its login might have taken."""
    with python(_HOLD, pickled(cache)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held True\n"
        holder.kill()
    started = time.monotonic()
    assert is_had(cache, 60)
    assert time.monotonic() - started < 5


def test_a_lock_that_another_holds_now_is_lost(
    cache: RedisTokenCache, redis_server: RedisServer, short_lives: None
) -> None:
    """After a failover that lost it, its holder is told when it asks, and leaves the other's alone."""
    with cache.lock("key", 30) as held:
        assert held
        redis_server.do("SET", KEY, "another's")
        wait_until(lambda: not held)
    assert redis_server.do("GET", KEY) == b"another's"


def test_a_lost_lock_stays_lost(cache: RedisTokenCache, redis_server: RedisServer, short_lives: None) -> None:
    """Somebody may have held it in between: that it is free again makes nobody its holder."""
    with cache.lock("key", 30) as held:
        redis_server.do("DEL", KEY)
        wait_until(lambda: not held)
        assert is_had(cache, 5)
        assert not held


def test_a_redis_that_says_nothing_confirms_nothing(
    cache: RedisTokenCache, redis_server: RedisServer
) -> None:
    """Whoever asks is not kept waiting: what can't be told is not held."""
    with cache.lock("key", 30) as held:
        redis_server.freeze()
        time.sleep(0.2)
        started = time.monotonic()
        is_held = bool(held)
        took = time.monotonic() - started
        redis_server.thaw()
    assert not is_held
    assert took < 5


def test_a_hanging_holder_keeps_nobody_out(cache: RedisTokenCache, short_lives: None) -> None:
    """A lock is renewed no longer than its limit and a little more."""
    with cache.lock("key", 0.5) as held:
        assert held
        assert is_had(cache, 30)
        assert not held


def test_one_that_was_granted_too_late_is_free_within_five_seconds(
    cache: RedisTokenCache, redis_server: RedisServer
) -> None:
    """A Redis that stood still grants it to a client that has given up: nobody is kept out for long."""
    assert cache.get("key") is None, "it is connected"
    redis_server.freeze()
    with pytest.raises(redis.exceptions.TimeoutError), cache.lock("key", 30):
        pass
    redis_server.thaw()
    wait_until(lambda: KEY in redis_server.stored())
    started = time.monotonic()
    assert is_had(cache, 60)
    assert time.monotonic() - started < 5


def test_one_that_comes_after_the_limit_is_not_had(redis_server: RedisServer) -> None:
    """A client that waits for a Redis that stood still: whoever wanted the lock has gone on without it."""
    cache = RedisTokenCache(redis.Redis.from_url(redis_server.url, socket_timeout=60))
    redis_server.freeze()
    asking = Background(lambda: is_had(cache, 0.1))
    threading.Timer(2.0, redis_server.thaw).start()
    assert asking.result() is False


def test_a_try_that_was_sent_again_is_known(redis_server: RedisServer) -> None:
    """Where the client repeats what got no answer, its own first try does not keep it out."""
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 10)
    again = [redis.exceptions.TimeoutError]
    client = redis.Redis.from_url(redis_server.url, socket_timeout=0.3, retry=retry, retry_on_error=again)
    client.ping()
    redis_server.freeze()
    threading.Timer(1.0, redis_server.thaw).start()
    assert is_had(RedisTokenCache(client), 5)


def test_a_user_with_few_rights(redis_server: RedisServer) -> None:
    """The rights that the documentation names are enough to keep tokens and to free a lock at once."""
    page = (ROOT / "docs" / "how-to" / "redis.md").read_text(encoding="utf-8")
    named = re.findall(r"^ACL SETUSER .*", page, re.MULTILINE)
    assert len(named) == 2
    for line in named:
        redis_server.do("ACL", "DELUSER", "app")
        redis_server.do(*line.split())
        cache = RedisTokenCache.from_url(redis_server.url.replace("//", "//app:s3cret@"))
        for _ in range(2):
            cache.set("key", b"value", ttl=60)
            assert cache.get("key") == b"value"
            cache.delete("key")
            assert is_had(cache, 0.5)
            assert redis_server.stored() == {}


def test_a_user_without_the_right_to_delete(redis_server: RedisServer) -> None:
    """Freeing a lock needs no DEL."""
    redis_server.do(
        "ACL", "SETUSER", "app", "on", ">s3cret", "~*", "+@read", "+@write", "-del", "+@connection"
    )
    cache = RedisTokenCache.from_url(redis_server.url.replace("//", "//app:s3cret@"))
    assert is_had(cache, 0.5)
    assert is_had(cache, 0.5)


def test_a_user_without_the_right_to_renew(redis_server: RedisServer) -> None:
    """It is told what it lacks, and the lock is free within five seconds all the same."""
    redis_server.do("ACL", "SETUSER", "app", "on", ">s3cret", "~*", "+get", "+set", "+@connection")
    cache = RedisTokenCache.from_url(redis_server.url.replace("//", "//app:s3cret@"))
    with pytest.raises(redis.exceptions.NoPermissionError, match="pexpire"):
        is_had(cache, 5)
    assert 0 < (redis_server.ttl(KEY) or 0) <= 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_is_no_holder(cache: RedisTokenCache) -> None:
    """A child forked in between does not hold the lock, and does not free its parent's."""
    with cache.lock("key", 30) as held:
        assert held
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads, which are the point
            child = os.fork()
        if not child:
            code = 3
            try:
                code = 1 if held else 0
                held.release()  # type: ignore[attr-defined]
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert held
        assert not is_had(cache, 0.2)


_NO_TIMEOUTS = """
import sys, threading, redis
from requests_partnerauth import RedisTokenCache
cache = RedisTokenCache(redis.Redis.from_url(sys.argv[1], socket_timeout=None, retry=None))
def hold():
    with cache.lock("key", 300) as held:
        print("held", bool(held), flush=True)
        threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
sys.stdin.readline()
"""


def test_a_client_without_timeouts_keeps_no_interpreter_alive(redis_server: RedisServer) -> None:
    """A process that holds a lock in a Redis that says nothing any more can end."""
    with python(_NO_TIMEOUTS, redis_server.url, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held True\n"
        redis_server.freeze()
        time.sleep(1.5)
        process.communicate("\n", timeout=30)
    redis_server.thaw()
    assert process.returncode == 0
