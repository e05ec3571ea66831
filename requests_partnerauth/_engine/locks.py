"""Locks for short sections, and the one hook that makes what the engine holds good in a forked child."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import AbstractContextManager
from typing import Protocol


class Renewable(Protocol):
    """Something that a thread of the parent may have held when a child was forked."""

    def renew(self) -> None:
        """Called in the child: nobody holds it there."""


_living: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renewed_in_children(thing: Renewable) -> None:
    """Have a thing renewed in every child that is forked while it lives."""
    _living.add(thing)


def renew_all() -> None:
    """What a forked child begins with."""
    for thing in list(_living):
        thing.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=renew_all)


class ForkSafeLock:
    """A lock for short sections, ``with lock():``; a child forked while it is held starts with a new one.

    Reentrant: a signal's handler or a finalizer may strike inside a section, and call what takes it again.
    It is the interpreter's own lock that is entered: a Python method in between could be interrupted, with
    the lock just acquired and nobody to release it.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self.renew()
        renewed_in_children(self)

    def renew(self) -> None:
        """Nobody holds it."""
        self._lock: AbstractContextManager[bool] = threading.RLock()

    def __call__(self) -> AbstractContextManager[bool]:
        """This process's lock."""
        return self._lock
