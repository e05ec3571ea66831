"""What of an account is kept in a token cache: its last token, and the refusal of its credentials."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ..caches._base import TokenCache
from . import entries
from .clock import Clock
from .hold import Hold
from .outcome import Failure, Grant
from .reentry import is_called_back
from .words import SECONDS, Words, is_first

if TYPE_CHECKING:
    from ..caches._sealing import Seal

logger = logging.getLogger(__name__)

_LOOK = 0.2
_MONTH = 30 * 24 * 3600.0
_Found = TypeVar("_Found")


class Lock:
    """What came of waiting for the lock between processes: it, or what was found meanwhile."""

    __slots__ = ("_hold", "found")

    def __init__(self, hold: Hold | None, found: Any = None) -> None:
        self._hold = hold
        self.found = found

    @property
    def is_held(self) -> bool:
        """Whether no other process can be logging in now; so it is where none can ever."""
        return self._hold is None or self._hold.is_held


class Store:
    """An account's two entries in a token cache: its token, and the refusal of its credentials.

    Never raises for a cache that is down, nor waits for one: what can't be read is a miss, what can't be
    written stays in memory, a lock that can't be had is gone without. Threads share a store.

    Args:
        cache: Where the entries are kept; None keeps nothing.
        name: What tells this account from all others: partner, base URL, account. No secret.
        secret: The account's secret, which seals what leaves the process.
        clock: What tells the time.
        keeps_ended: Whether a token is kept for 30 days after its end, for a login flow to begin with.
    """

    __slots__ = (
        "_clock", "_keeps_ended", "_keeps_refusal", "_name", "_read_refusal", "_refusal_ends_at", "_seal",
        "_seals", "_secret", "_unreadable", "_words",
    )  # fmt: skip

    def __init__(
        self, cache: TokenCache | None, name: str, secret: str, clock: Clock, *, keeps_ended: bool = False
    ) -> None:
        self._words = Words(cache, clock)
        self._seals = cache is not None and getattr(cache, "seals", True)
        self._name = name
        self._secret = secret
        self._clock = clock
        self._keeps_ended = keeps_ended
        self._seal: Seal | None = None
        self._keeps_refusal = False
        self._read_refusal: tuple[str, float] = ("", -math.inf)
        self._refusal_ends_at = -math.inf
        self._unreadable: dict[str, object] = {}

    @property
    def is_used(self) -> bool:
        """Whether there is a cache, and it can be used."""
        return self._words.cache is not None and not self._words.is_down()

    @property
    def failed_at(self) -> float:
        """When the cache failed last, by the steady clock."""
        return self._words.failed_at

    @property
    def exists(self) -> bool:
        """Whether there is a cache at all."""
        return self._words.cache is not None

    @property
    def is_called_back(self) -> bool:
        """Whether whoever asks was called by a word of this very cache."""
        return is_called_back(self._words)

    @contextmanager
    def lock(self, limit: float, look: Callable[[], _Found | None] = lambda: None) -> Iterator[Lock]:
        """Keep other processes from logging in meanwhile; the wait for it takes `limit` seconds at most.

        Args:
            limit: Seconds.
            look: Looks for what another process may have left: where it finds something, the wait is over.
        """
        words, cache = self._words, self._words.cache
        if cache is None or not self._seals:
            yield Lock(None)
            return
        name = None if words.is_down("lock") else self._key("lock", "lock")
        hold = Hold(lambda: cache.lock(name or "", limit), words.tell)
        found, tries = None, max(1, math.ceil((limit + SECONDS) / _LOOK))
        try:
            if name is not None and hold.start():
                while not hold.is_decided(_LOOK) and tries and not words.is_down("lock"):
                    tries -= 1
                    if (found := look()) is not None:
                        break
                if hold.is_held:
                    words.works("lock")
                elif found is None and not words.is_down("lock"):
                    logger.warning("%s: no login lock within %.0f s: going on without it", words.name, limit)
            yield Lock(hold, found)
        finally:
            hold.let_go(0.0 if words.is_down() else SECONDS)

    def token(self) -> Grant | None:
        """The last token that was kept, or None. It may have ended."""
        entry = self._read("token")
        try:
            grant = None if entry is None else entries.grant_from(entry, self._clock)
        except entries.UNREADABLE:
            return None
        if grant is not None:
            logger.debug("token %s found in %s", grant.token.fingerprint, type(self._words.cache).__name__)
        return grant

    def keep_token(self, grant: Grant) -> bool:
        """Keep this token until its end, or 30 days longer. False: it could not be kept."""
        token, ttl = grant.token, _MONTH
        if token.expires_at is not None:
            left = max(1.0, token.expires_at - self._clock.wall())
            ttl = left + (_MONTH if self._keeps_ended else 0.0)
        return self._write("token", entries.of_grant(grant), ttl)

    def refusal(self) -> tuple[Failure, float] | None:
        """The refusal that is kept, and for how many seconds it still holds; None where there is none.

        However the wall clock is set, that is no longer than its length from when it was first read here.
        """
        entry = self._read("refusal")
        try:
            kept = None if entry is None else entries.refusal_from(entry)
        except entries.UNREADABLE:
            return None
        if kept is None:
            return None
        now = self._clock.monotonic()
        left = min(kept.until - self._clock.wall(), kept.seconds)
        name, until = self._read_refusal
        if name == kept.name:
            left = min(left, until - now)
        if not 0 < left < math.inf:
            return None
        self._read_refusal = kept.name, now + left
        self._refusal_ends_at = kept.until
        self._keeps_refusal = True
        return kept.failure, left

    def has_dropped_refusal(self) -> bool:
        """Whether a refusal that was kept here is there no more: somebody who shares the cache forgot it."""
        # Past its end by the wall clock it went by itself, be it that the clock was set.
        if not self._keeps_refusal or self._clock.wall() >= self._refusal_ends_at:
            return False
        key = self._key("refusal", "get")
        return key is not None and bool(self._words.say("get", lambda cache: cache.get(key) is None))

    def keep_refusal(self, failure: Failure, seconds: float) -> None:
        """Keep this refusal for so many seconds."""
        entry = entries.of_refusal(new_login_id(), failure, seconds, self._clock)
        self._read_refusal = entry["name"], self._clock.monotonic() + seconds
        self._refusal_ends_at = entry["until"]
        # Read once more: a cache that takes it and keeps nothing would else seem to have forgotten it.
        self._keeps_refusal = self._write("refusal", entry, seconds) and self._read("refusal") is not None

    def clear(self, *kinds: str) -> None:
        """Keep neither token nor refusal; only what is named, where something is."""
        if self._words.cache is None:
            return
        keys = [self._key(kind, "delete") for kind in kinds or ("token", "refusal")]
        self._words.say(
            "delete", lambda cache: [cache.delete(key) for key in keys if key is not None], at_once=True
        )

    def _read(self, kind: str) -> dict[str, Any] | None:
        key = self._key(kind, "get") if self.is_used else None
        kept = None if key is None else self._words.say("get", lambda cache: cache.get(key))
        if key is None or kept is None:
            return None
        opened = self._sealing().open(kept, key) if self._seals else kept
        try:
            entry = None if opened is None else json.loads(opened)
        except (TypeError, ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict) and isinstance(ends_at := entry.get("ends_at"), (int, float)):
            self._unreadable.pop(kind, None)
            return entry if self._clock.wall() < ends_at else None
        if is_first(self._unreadable, kind):
            logger.warning("an unreadable entry in %s is passed over", self._words.name)
        return None

    def _write(self, kind: str, entry: dict[str, Any], ttl: float) -> bool:
        key = self._key(kind, "set") if self.is_used else None
        if key is None:
            return False
        # Inside the seal: the place itself may be told another end.
        value = json.dumps({**entry, "ends_at": self._clock.wall() + ttl}).encode()
        if self._seals:
            value = self._sealing().close(value, key)
        # set gives nothing, and so does a cache that is down.
        return bool(self._words.say("set", lambda cache: (cache.set(key, value, ttl),)))

    def _key(self, kind: str, word: str) -> str | None:
        """What an entry is called, as this word of the cache wants to know; None where nothing can be sealed.

        Making a seal takes a while, and is no fault of the cache's.
        """
        name = self._words.prepare(word, lambda: self._sealing().name) if self._seals else self._name
        return None if name is None else f"{name}.{kind}"

    def _sealing(self) -> Seal:
        if self._seal is None:
            from ..caches._sealing import Seal

            self._seal = Seal.of(self._name, self._secret)
        return self._seal


def new_login_id() -> str:
    """A name for one login, the same in every process that shares its token."""
    return os.urandom(8).hex()
