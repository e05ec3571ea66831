"""What a warning about a cache may say: where it is and why it can't be used, without a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
import redis
from keyring.backends import fail
from redis.sentinel import Sentinel
from redis_server import RedisServer, free_port

from requests_partnerauth import FileTokenCache, KeyringTokenCache, MemoryTokenCache, RedisTokenCache
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.caches._base import reason, shown

SECRET = "sword-fish"


def reason_of(action: Callable[[], Any], cache: TokenCache) -> str:
    """Why the action failed, in the words of a warning about the cache."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is what is looked at
        action()
    assert isinstance(caught.value, Exception)
    return reason(caught.value, cache)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("/0", "/99"), "database 99 does not exist"),
        (lambda url: url.replace("//", f"//nobody:{SECRET}@"), "invalid username-password pair"),
        (lambda url: url.replace("//", f"//app:{SECRET}@"), "no permissions to run the 'get' command"),
        (lambda url: f"redis://:{SECRET}@127.0.0.1:{free_port()}", "Connection refused"),
        (lambda url: f"redis://:{SECRET}@nowhere.invalid", "nowhere.invalid"),
        (lambda url: f"unix://:{SECRET}@/nowhere/redis.sock", "No such file or directory"),
    ],
)
def test_what_redis_says(redis_server: RedisServer, change: Callable[[str], str], said: str) -> None:
    """The server's or the system's own words stand beside the error's type; the password does not."""
    redis_server.do("ACL", "SETUSER", "app", "on", f">{SECRET}", "~*", "+@connection")
    cache = RedisTokenCache.from_url(change(redis_server.url))
    told = reason_of(lambda: cache.get("key"), cache)
    assert said in told
    assert "Error: " in told
    assert SECRET not in told + shown(cache)


def test_a_redis_that_wants_a_password(redis_server: RedisServer) -> None:
    """A missing password is told as one, for reading as for locking."""
    redis_server.do("CONFIG", "SET", "requirepass", SECRET)
    cache = RedisTokenCache.from_url(redis_server.url)
    assert "Authentication required" in reason_of(lambda: cache.get("key"), cache)
    assert "Authentication required" in reason_of(lambda: cache.lock("key").__enter__(), cache)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (redis.ResponseError(f"unknown 'HELLO', with args beginning with: 'AUTH' '{SECRET}' "), True),
        (redis.ResponseError(f"no such thing as {SECRET}"), False),
        (redis.ConnectionError(f"No master found for 'm' : <redis.client.Redis(password={SECRET})>"), True),
        (redis.ResponseError("one\ntwo"), True),
        (ValueError(SECRET), False),
        (OSError(28, "No space left on device"), True),
    ],
)
def test_what_repeats_a_secret_is_not_said(error: Exception, said: bool) -> None:
    """A server or proxy may quote what it was sent: then its words are cut off there, or left out."""
    told = reason(error, RedisTokenCache.from_url(f"redis://:{SECRET}@127.0.0.1:1"))
    assert SECRET not in told
    assert "\n" not in told
    assert told.startswith(type(error).__name__)
    assert (": " in told) is said


class Own(TokenCache):
    """A cache of a user's own, whose repr and errors hold what they like."""

    get = set = delete = lock = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return SECRET


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (redis.ConnectionError(SECRET), "ConnectionError"),
        (OSError(13, "Permission denied"), "PermissionError: Permission denied"),
        (OSError(SECRET), "OSError"),
    ],
)
def test_of_others_caches_only_what_the_system_says(error: Exception, said: str) -> None:
    """Neither the repr of a user's own class nor what its errors say goes into a warning."""
    assert shown(Own()) == "Own"
    assert reason(error, Own()) == said


class Mine(RedisTokenCache):
    """A user's subclass."""


def test_where_a_cache_is(tmp_path: Path) -> None:
    """Host, port and database, directory or service: enough to find it."""
    sentinel = Sentinel(
        [("a", 26379), ("b", 26379), ("c", 26379), ("d", 26379)], sentinel_kwargs={"password": SECRET}
    )
    caches: list[tuple[TokenCache, str]] = [
        (RedisTokenCache.from_url(f"redis://u:{SECRET}@host/3"), "RedisTokenCache('redis://host:6379/3')"),
        (Mine.from_url(f"rediss://:{SECRET}@[::1]:7000"), "Mine('rediss://[::1]:7000/0')"),
        (RedisTokenCache.from_url("unix:///a.sock?db=2"), "RedisTokenCache('unix:///a.sock?db=2')"),
        (
            RedisTokenCache(sentinel.master_for("mymaster", password=SECRET), prefix="app:"),
            "RedisTokenCache('mymaster of sentinel a:26379, b:26379, c:26379, ...', prefix='app:')",
        ),
        (FileTokenCache(tmp_path), f"FileTokenCache({str(tmp_path)!r})"),
        (KeyringTokenCache("app"), "KeyringTokenCache(service='app')"),
        (MemoryTokenCache(), "MemoryTokenCache"),
    ]  # fmt: skip
    assert [shown(cache) for cache, _ in caches] == [text for _, text in caches]


def test_what_a_keyring_says() -> None:
    """A desktop's keyring that is locked or not there is told in its own words."""
    cache = KeyringTokenCache()
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(fail.Keyring())
        told = reason_of(lambda: cache.get("key"), cache)
        assert told.startswith("NoKeyringError: No recommended backend was available")
    finally:
        keyring.set_keyring(before)
