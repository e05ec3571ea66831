"""MemoryTokenCache: tokens for as long as the process lives."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._base import TokenCache

_MOST_ARRIVALS = 64


class MemoryTokenCache(TokenCache):
    """Tokens in this process's memory, for as long as the object lives; nothing leaves the process.

    The one that every auth has by default is made once per process, so that a script that builds a new
    auth for each call still logs in once. A copy is the same cache. A pickled one arrives in another
    process without its tokens; all that arrive there of one cache are one, so that the tasks of a process
    pool log in once per process. The last 64 that arrived live on between tasks.
    """

    seals = False

    def __init__(self) -> None:
        self._entries: dict[str, tuple[bytes, float | None]] = {}
        self._locks: dict[tuple[int, str], threading.Lock] = {}
        self._born_as = os.urandom(16)
        _living[self._born_as] = self

    def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        return None if entry is None or _has_ended(entry) else entry[0]

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._drop_ended()
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
        return (process_wide, ()) if self is process_wide() else (_arrived, (self._born_as,))

    def _drop_ended(self) -> None:
        for key, entry in list(self._entries.items()):
            if _has_ended(entry) and (dropped := self._entries.pop(key, entry)) is not entry:
                # Another thread has just put a new one there.
                self._entries.setdefault(key, dropped)


def _has_ended(entry: tuple[bytes, float | None]) -> bool:
    return entry[1] is not None and time.monotonic() >= entry[1]


_living: weakref.WeakValueDictionary[bytes, MemoryTokenCache] = weakref.WeakValueDictionary()
_arrivals: dict[bytes, MemoryTokenCache] = {}


def _arrived(born_as: bytes) -> MemoryTokenCache:
    """The one cache of this process that stands for all copies of the one that was born as this."""
    cache = _living.get(born_as)
    if cache is None:
        # No lock: a fork could leave one held for good. Threads that come at once share the first one.
        cache = _arrivals.setdefault(born_as, MemoryTokenCache())
        cache._born_as = born_as
        _living[born_as] = cache
        for oldest in list(_arrivals)[:-_MOST_ARRIVALS]:
            _arrivals.pop(oldest, None)
    return cache


_process_wide = MemoryTokenCache()


def process_wide() -> MemoryTokenCache:
    """The cache that every auth of this process has by default."""
    return _process_wide
