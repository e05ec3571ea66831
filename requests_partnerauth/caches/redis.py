"""RedisTokenCache: tokens for processes on many hosts."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._base import OutsideCache, first_words
from ._ending import LONGEST
from ._extras import needed
from ._redis_client import client_of, database_of, place_of, secrets_of
from ._redis_lock import RedisLock

_PREFIX = "partnerauth:"


class RedisTokenCache(OutsideCache):
    """Sealed tokens in Redis: one login for all processes on all hosts. Entries expire with their token.

    Any client will do that talks as ``redis.Redis`` does, also a ``redis.RedisCluster`` and what
    ``Sentinel.master_for`` gives; its user needs GET, SET, DEL and PEXPIRE on the keys with this prefix. The
    lock of a login is renewed by its holder; one that nobody holds any more is free within five seconds.
    The client is the caller's. `from_url` makes one that does not wait long for a Redis that is away, and a
    cache that can be pickled.

    Needs ``pip install "requests-partnerauth[redis]"``.

    Args:
        client: Such as a ``redis.Redis``, with or without ``decode_responses``; one that threads may share.
        prefix: What every key begins with.

    Raises:
        ModuleNotFoundError: redis is not installed.
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    def __init__(self, client: Any, prefix: str = _PREFIX) -> None:
        self._redis = needed("redis", "redis")
        if not all(callable(getattr(client, word, None)) for word in ("get", "set", "delete", "pexpire")):
            raise ValueError("client: a redis.Redis is wanted")
        if inspect.iscoroutinefunction(getattr(client, "execute_command", None)):
            raise ValueError("client: a redis.Redis is wanted, not one of redis.asyncio")
        if not isinstance(prefix, str):
            raise ValueError("prefix: a text is wanted")
        self._client = client
        self._prefix = prefix
        self._url: str | None = None

    @classmethod
    def from_url(cls, url: str, prefix: str = _PREFIX) -> RedisTokenCache:
        """A cache with a client of its own, which waits a second at most to connect and for each answer.

        Args:
            url: Such as ``redis://:password@host:6379/0``, ``rediss://...`` or ``unix://...``. What its
                query says (``?socket_timeout=5``) comes first. A pickled cache holds it.
            prefix: What every key begins with.

        Raises:
            ModuleNotFoundError: redis is not installed.
            ValueError: `url` is no Redis URL, or has an option that redis-py does not take.
        """
        cache = cls(client_of(needed("redis", "redis"), url), prefix)
        cache._url = url
        return cache

    def get(self, key: str) -> bytes | None:
        kept = self._client.get(self._prefix + key)
        if kept is None:
            return None
        # As text: a client with decode_responses can't hand out any other bytes.
        kept = kept.encode() if isinstance(kept, str) else bytes(kept)
        if len(kept) > LONGEST:
            return b""
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
    def lock(self, key: str, limit: float = 30.0) -> Iterator[Any]:
        lock = RedisLock(self._client, f"{self._prefix}lock:{key}")
        held = lock.acquire(limit)
        try:
            yield lock if held else False
        finally:
            if held:
                lock.release()

    def explained(self, error: BaseException) -> str:
        if type(error).__module__.partition(".")[0] != "redis":
            return ""
        said = first_words(str(error))
        if "DB index is out of range" in said:
            said = f"database {database_of(self._client)} does not exist"
        elif "HELLO must be called" in said:
            said = "Authentication required"
        # What a server or proxy answers may repeat what it was sent.
        return "" if any(secret in said for secret in secrets_of(self._client)) else said

    def __reduce__(self) -> Any:
        if self._url is None:
            raise TypeError("a RedisTokenCache around a client can't be pickled; one made by from_url can")
        return type(self).from_url, (self._url, self._prefix)

    def __repr__(self) -> str:
        prefix = "" if self._prefix == _PREFIX else f", prefix={self._prefix!r}"
        return f"{type(self).__name__}({place_of(self._client)!r}{prefix})"
