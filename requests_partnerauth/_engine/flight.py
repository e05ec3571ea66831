"""One login under way, and how callers wait for it."""

from __future__ import annotations

import os
import threading

from .clock import Clock
from .outcome import Failure, Grant


class Flight:
    """One login under way. Lasts from its start until its outcome is there, or nobody waits any more.

    Args:
        limit: Seconds that the login may take; whoever waits gets a second more.
        clock: What tells the time.
        replaces: The token that was current when it began.
    """

    def __init__(self, limit: float, clock: Clock, replaces: Grant | None) -> None:
        self.limit = limit
        self.outcome: Grant | Failure | None = None
        self.replaces = replaces
        self.is_forgotten = False
        self._clock = clock
        self._pid = os.getpid()
        self._landed = threading.Event()
        self.extend()

    def extend(self) -> None:
        """The wait for other processes, or the login itself, begins now: its time counts from here."""
        self._overdue_at = self._clock.monotonic() + self.limit + 1.0

    @property
    def is_overdue(self) -> bool:
        """Whether it should have ended, or in a forked child never will: whoever comes now flies alone."""
        return self._clock.monotonic() >= self._overdue_at or self._pid != os.getpid()

    def land(self, outcome: Grant | Failure | None) -> None:
        """Tell everyone who waits. None: it was interrupted, and says nothing about the login."""
        self.outcome = outcome
        self._landed.set()

    def wait(self) -> bool:
        """Wait until it has landed; False where it is overdue."""
        while not self._landed.wait(max(0.0, self._overdue_at - self._clock.monotonic())):
            if self.is_overdue:
                return False
        return True
