"""The time, as the engine is told it."""

from __future__ import annotations

import time


class Clock:
    """Tells the time and waits. One for all; tests hand in another.

    Lifetimes are measured on `monotonic`, so that a wall clock set back changes nothing. `wall` bounds
    them as well: a machine that slept does not count its sleep on every platform's monotonic clock.
    """

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    sleep = staticmethod(time.sleep)


SYSTEM_CLOCK = Clock()
