"""How a command ends: its exit code, and the one line that tells why."""

from __future__ import annotations

GOOD = 0
REFUSED = 1
USAGE = 2
UNAVAILABLE = 3
INTERRUPTED = 130
BROKEN_PIPE = 141


class CommandFailed(Exception):
    """A command can't do what it was asked for. The message says why and what to do, on one line."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
