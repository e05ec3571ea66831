"""The time, as the engine is told it."""

from __future__ import annotations

import time


class Clock:
    """Tells the time and waits. One for all; tests hand in another.

    Lifetimes are measured on both clocks, and the earlier end holds: `monotonic` is set by nobody, and `wall`
    goes on while a machine sleeps or stands still. `wall` gives the epoch seconds that tokens show and that
    caches share between processes.
    """

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    sleep = staticmethod(time.sleep)


SYSTEM_CLOCK = Clock()
