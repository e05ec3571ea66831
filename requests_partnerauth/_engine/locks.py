"""A lock that a forked child finds free, whoever held it in the parent."""

from __future__ import annotations

import os
import threading


class ForkSafeLock:
    """A lock for short sections, ``with lock():``; a child forked while it is held starts with a new one.

    It is the interpreter's own lock that is entered: a Python method in between could be interrupted, by
    Ctrl-C or a signal's handler, with the lock just acquired and nobody to release it.
    """

    __slots__ = ("_lock", "_pid")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __call__(self) -> threading.Lock:
        """This process's lock."""
        if self._pid != os.getpid():
            with _renewing:
                if self._pid != os.getpid():
                    self._lock = threading.Lock()
                    self._pid = os.getpid()
        return self._lock


_renewing = threading.Lock()


def _after_fork() -> None:
    global _renewing
    _renewing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
