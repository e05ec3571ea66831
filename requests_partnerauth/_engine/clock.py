"""The time, as the engine is told it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial


def _steady() -> Callable[[], float]:
    """A clock that nobody sets and that goes on while the machine sleeps, as a token's life does."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return time.monotonic


class Clock:
    """Tells the time and waits. One for all; tests hand in another.

    Lifetimes are measured on `monotonic`, so that setting the wall clock changes nothing. `wall` gives the
    epoch seconds that tokens show and that caches share between processes.
    """

    monotonic = staticmethod(_steady())
    wall = staticmethod(time.time)
    sleep = staticmethod(time.sleep)


SYSTEM_CLOCK = Clock()
