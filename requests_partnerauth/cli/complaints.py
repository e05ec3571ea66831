"""Whether a token cache could be used: the engine says so in the log alone, and goes on."""

from __future__ import annotations

import logging
from types import TracebackType

from .._engine import words


class Complaints(logging.Handler):
    """Notices, in a `with` block, a warning that the token cache could not be used."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.came = False

    def emit(self, record: logging.LogRecord) -> None:
        self.came = self.came or words.KEEPS_NOTHING in record.getMessage()

    def __enter__(self) -> Complaints:
        words.logger.addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        words.logger.removeHandler(self)
