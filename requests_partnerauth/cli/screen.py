"""Where a command writes: in colour on a terminal only, in the characters that the stream has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from .ending import USAGE, CommandFailed

_COLOURS = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "faint": "2"}


class Screen:
    """A stream to write lines on; None, which Python has for a closed one, takes them all and shows none."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._coloured = stream is not None and _may_be_coloured(stream)

    def line(self, text: str = "") -> None:
        """Write one line, at once; a character that the stream's encoding lacks is written as its escape.

        Raises:
            BrokenPipeError: Nobody reads it any more.
            CommandFailed: It can't be written, for want of space say.
        """
        if self._stream is None:
            return
        encoding = self._stream.encoding or "ascii"
        written = text.encode(encoding, "backslashreplace").decode(encoding)
        with _told_of_failure():
            self._stream.write(written + "\n")
            self._stream.flush()

    def flush(self) -> None:
        """Bring out what others wrote on the stream. Raises what `line` raises."""
        if self._stream is not None:
            with _told_of_failure():
                self._stream.flush()

    def painted(self, text: str, colour: str) -> str:
        """The text in a colour, where this screen shows any."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._coloured else text


@contextmanager
def _told_of_failure() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CommandFailed(USAGE, f"the output can't be written: {why}") from None


def _may_be_coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
