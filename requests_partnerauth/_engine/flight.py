"""One login under way, and how callers wait for it."""

from __future__ import annotations

import threading

from .clock import Clock
from .locks import renewed_in_children
from .outcome import Failure, Grant


class Flight:
    """One login under way. Lasts from its start until its outcome is there, or nobody waits any more.

    A token that comes of it is not kept where it was forgotten meanwhile, or superseded by another.

    Args:
        limit: Seconds that the login may take; whoever waits gets a second more.
        clock: What tells the time.
    """

    __slots__ = (
        "__weakref__", "_clock", "_landed", "_overdue_at", "is_forgotten", "is_lost", "is_superseded",
        "limit", "outcome",
    )  # fmt: skip

    def __init__(self, limit: float, clock: Clock) -> None:
        self.limit = limit
        self.outcome: Grant | Failure | None = None
        self.is_forgotten = False
        self.is_superseded = False
        self.is_lost = False
        self._clock = clock
        self._landed = threading.Event()
        self._overdue_at = clock.monotonic() + limit + 1.0
        renewed_in_children(self)

    def await_others(self) -> None:
        """The wait for another process's login begins; it has the login's limit again."""
        self._overdue_at += self.limit

    def log_in(self) -> None:
        """The login itself begins: its time counts from here."""
        self._overdue_at = self._clock.monotonic() + self.limit + 1.0

    @property
    def is_overdue(self) -> bool:
        """Whether it should have ended, or in a forked child never will: whoever comes now flies alone."""
        return self.is_lost or self._landed.is_set() or self._clock.monotonic() >= self._overdue_at

    def renew(self) -> None:
        """In a forked child: whoever flies it stayed in the parent."""
        self.is_lost = True
        self._landed = threading.Event()

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
