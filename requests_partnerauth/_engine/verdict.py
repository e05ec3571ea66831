"""Whether a refresh has helped, while that is not known yet."""

from __future__ import annotations

import os
import threading

_SECONDS = 2.0


class Verdict:
    """What the resends under way will say of the token they carry. Lasts until the last of them has ended.

    It is there as soon as one of them is refused again. A child forked meanwhile waits for none.
    """

    __slots__ = ("_is_there", "_pid", "awaited")

    def __init__(self) -> None:
        self.awaited = 0
        self._is_there = threading.Event()
        self._pid = os.getpid()

    @property
    def is_of_this_process(self) -> bool:
        """Whether the threads that resend are this process's own."""
        return self._pid == os.getpid()

    def tell(self) -> None:
        """Let go whoever waits."""
        self._is_there.set()

    def wait(self) -> bool:
        """Wait until it is there; False where that takes longer than two seconds."""
        return self._is_there.wait(_SECONDS)
