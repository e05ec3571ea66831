"""MemoryTokenCache: tokens for as long as the process lives."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._base import TokenCache


class MemoryTokenCache(TokenCache):
    """Tokens in this process's memory, for as long as the object lives; nothing leaves the process.

    The one that every auth has by default is made once per process, so that a script that builds a new
    auth for each call still logs in once. A copy is the same cache; a pickled one arrives empty.
    """

    seals = False

    def __init__(self) -> None:
        self._entries: dict[str, tuple[bytes, float | None]] = {}
        self._locks: dict[tuple[int, str], threading.Lock] = {}

    def get(self, key: str) -> bytes | None:
        value, ends_at = self._entries.get(key, (None, None))
        if ends_at is not None and time.monotonic() >= ends_at:
            return None
        return value

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._entries[key] = (value, None if ttl is None else time.monotonic() + ttl)

    def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        # By process: a forked child is not kept out by what a thread of its parent held.
        lock = self._locks.setdefault((os.getpid(), key), threading.Lock())
        held = lock.acquire(timeout=limit)
        try:
            yield held
        finally:
            if held:
                lock.release()

    def __reduce__(self) -> Any:
        return (process_wide, ()) if self is process_wide() else (MemoryTokenCache, ())


_process_wide = MemoryTokenCache()


def process_wide() -> MemoryTokenCache:
    """The cache that every auth of this process has by default."""
    return _process_wide
