"""A token cache's words, each within a second; and what happens while the cache can't be used."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, TypeVar

from ..caches._base import TokenCache, reason, shown
from .bounded import attempt, bounded
from .clock import Clock
from .reentry import calling_out
from .thrown import is_thrown_in

logger = logging.getLogger(__name__)

KEEPS_NOTHING = "tokens live in memory meanwhile"
"""What the warning says of a cache that neither gives nor takes."""

SECONDS = 0.9
"""How long any word of a cache may take."""

_REST = 10.0
_LOCKING = ("lock", "unlock")
_NO_ANSWER: tuple[Any, BaseException] = (None, TimeoutError(0, f"no answer within {SECONDS:g} s"))
_Result = TypeVar("_Result")


class Words:
    """The words of one account's token cache. None of them raises, or takes longer than a second.

    One warning tells of a cache that is down, until it works again; meanwhile it is tried at most every ten
    seconds. Where only locks fail, on a network share say, tokens are kept all the same.

    Args:
        cache: Where the entries are kept; None keeps nothing.
        clock: What tells the time.
    """

    __slots__ = ("_clock", "_keeping_down_until", "_locking_down_until", "_troubles", "cache", "failed_at")

    def __init__(self, cache: TokenCache | None, clock: Clock) -> None:
        self.cache = cache
        self._clock = clock
        self._keeping_down_until = self._locking_down_until = self.failed_at = -math.inf
        # By what was tried: a directory that can be read but not written is down all the time.
        self._troubles: dict[str, object] = {}

    @property
    def name(self) -> str:
        """What messages call the cache."""
        return shown(self.cache)

    def is_down(self, word: str = "get") -> bool:
        """Whether this word is not even tried for now."""
        now = self._clock.monotonic()
        return now < self._keeping_down_until or (word in _LOCKING and now < self._locking_down_until)

    def say(
        self, word: str, action: Callable[[TokenCache], _Result], *, at_once: bool = False
    ) -> _Result | None:
        """What the action makes of the cache; None while that is down, which `at_once` does not mind."""
        cache = self.cache
        if cache is None or (not at_once and self.is_down(word)):
            return None
        with calling_out(self):
            said, error = bounded(lambda: attempt(lambda: action(cache)), SECONDS) or _NO_ANSWER
        if error is not None:
            self.tell(word, error)
            return None
        self.works(word)
        return said

    def prepare(self, word: str, action: Callable[[], _Result]) -> _Result | None:
        """What the action gives that a word needs; None where it raises: then the cache is down."""
        try:
            return action()
        except Exception as error:
            if is_thrown_in(error):
                raise
            self.tell(word, error)
            return None

    def works(self, word: str) -> None:
        """It did what it was told: if it was down, it is no longer."""
        if self._troubles.pop(word, None) is not None and not self._troubles:
            logger.info("%s can be used again", self.name)

    def tell(self, word: str, error: BaseException) -> None:
        """It could not be used: it rests for a while, and one warning says so."""
        locks = word in _LOCKING
        self.failed_at = self._clock.monotonic()
        until = self.failed_at + _REST
        if locks:
            self._locking_down_until = until
        else:
            self._keeping_down_until = until
        was_down = any(locks or trouble not in _LOCKING for trouble in list(self._troubles))
        if is_first(self._troubles, word) and not was_down:
            logger.warning(
                "%s can't be used (%s): %s",
                self.name,
                reason(error, self.cache),
                "several processes may log in at once" if locks else KEEPS_NOTHING,
            )


def is_first(seen: dict[str, object], word: str) -> bool:
    """Whether the word was not there yet; it is from now on. Of threads that ask at once, one is first."""
    mine = object()
    return seen.setdefault(word, mine) is mine
