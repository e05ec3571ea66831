"""Clocks that a test moves by hand."""

from __future__ import annotations

import threading
import time

from requests_partnerauth._engine.clock import Clock


class ManualClock(Clock):
    """Stands still until `advance`; `set_wall_back` moves the wall clock alone. A pause passes at once."""

    def __init__(self) -> None:
        self._moving = threading.Lock()
        self._now = 10_000.0
        self._epoch = 1_800_000_000.0

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._epoch + self._now

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        with self._moving:
            self._now += seconds

    def set_wall_back(self, seconds: float) -> None:
        """Set the wall clock back, or forward where negative."""
        self._epoch -= seconds


class SteppingClock(Clock):
    """Goes by itself, and a test sets it forward; the wall clock is the system's."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def join_refreshes() -> None:
    """Wait for the logins that run in the background."""
    for thread in threading.enumerate():
        if thread.name == "partnerauth-refresh-ahead":
            thread.join(30)
            assert not thread.is_alive()
