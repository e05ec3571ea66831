"""RedisTokenCache: tokens for processes on many hosts."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ._base import TokenCache
from ._extras import needed

_GRACE = 5.0
_POLL = 0.05


class RedisTokenCache(TokenCache):
    """Sealed tokens in Redis: one login for all processes on all hosts. Entries expire with their token.

    The lock of a login ends a few seconds after the longest login could have, should its holder die. The
    client is the caller's: its timeouts and retries decide how long a login may wait for a Redis that is
    away. `from_url` makes one that does not wait long, and a cache that can be pickled.

    Needs ``pip install "requests-partnerauth[redis]"``.

    Args:
        client: A ``redis.Redis``, with or without ``decode_responses``.
        prefix: What every key begins with.

    Raises:
        ModuleNotFoundError: redis is not installed.
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    def __init__(self, client: Any, prefix: str = "partnerauth:") -> None:
        self._redis = needed("redis", "redis")
        if not all(callable(getattr(client, word, None)) for word in ("get", "set", "delete", "lock")):
            raise ValueError("client: a redis.Redis is wanted")
        if inspect.iscoroutinefunction(getattr(client, "execute_command", None)):
            raise ValueError("client: a redis.Redis is wanted, not one of redis.asyncio")
        if not isinstance(prefix, str):
            raise ValueError("prefix: a text is wanted")
        self._client = client
        self._prefix = prefix
        self._url: str | None = None

    @classmethod
    def from_url(cls, url: str, prefix: str = "partnerauth:") -> RedisTokenCache:
        """A cache with a client of its own, which waits a second at most to connect and for each answer.

        Args:
            url: Such as ``redis://:password@host:6379/0``, ``rediss://...`` or ``unix://...``. What its
                query says (``?socket_timeout=5``) comes first. A pickled cache holds it.
            prefix: What every key begins with.

        Raises:
            ModuleNotFoundError: redis is not installed.
            ValueError: `url` is no Redis URL.
        """
        cache = cls(_client(needed("redis", "redis"), url), prefix)
        cache._url = url
        return cache

    def get(self, key: str) -> bytes | None:
        kept = self._client.get(self._prefix + key)
        if kept is None:
            return None
        # As text: a client with decode_responses can't hand out any other bytes.
        kept = kept.encode() if isinstance(kept, str) else bytes(kept)
        try:
            return base64.b64decode(kept, validate=True)
        except binascii.Error:
            return kept

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        milliseconds = None if ttl is None else max(1, int(ttl * 1000))
        self._client.set(self._prefix + key, base64.b64encode(value), px=milliseconds)

    def delete(self, key: str) -> None:
        self._client.delete(self._prefix + key)

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        lock = self._client.lock(
            f"{self._prefix}lock:{key}",
            timeout=limit + _GRACE,
            blocking_timeout=limit,
            sleep=_POLL,
            thread_local=False,
        )
        held = bool(lock.acquire())
        try:
            yield held
        finally:
            if held:
                with suppress(self._redis.exceptions.LockError):
                    lock.release()

    def __reduce__(self) -> Any:
        if self._url is None:
            raise TypeError("a RedisTokenCache around a client can't be pickled; one made by from_url can")
        return type(self).from_url, (self._url, self._prefix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"


def _client(redis: Any, url: str) -> Any:
    # One try more where a connection turns out to be gone, none where Redis keeps silent.
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 1, (redis.exceptions.ConnectionError,))
    with suppress(ValueError, TypeError, AttributeError):
        return redis.Redis.from_url(url, socket_connect_timeout=1.0, socket_timeout=1.0, retry=retry)
    # Raised out here: what the parser says may quote the password.
    raise ValueError("url: a Redis URL is wanted: redis://, rediss:// or unix://")
