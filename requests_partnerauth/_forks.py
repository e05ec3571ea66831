"""A lock that a forked child finds free, whoever held it in the parent."""

from __future__ import annotations

import os
import threading


class ForkSafeLock:
    """A lock for short sections. A child that is forked while it is held starts with a new one."""

    __slots__ = ("_lock", "_pid")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __enter__(self) -> None:
        if self._pid != os.getpid():
            with _renewing:
                if self._pid != os.getpid():
                    self._lock = threading.Lock()
                    self._pid = os.getpid()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_renewing = threading.Lock()


def _after_fork() -> None:
    global _renewing
    _renewing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
