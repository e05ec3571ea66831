"""What of an account is kept in a token cache, and what happens while the cache can't be used."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from .._token import Token
from ..caches._base import TokenCache, shown
from ..errors import InvalidLoginResponse, LoginRejected, PartnerAuthError
from .clock import Clock
from .outcome import Failure, Grant

if TYPE_CHECKING:
    from ..caches._sealing import Seal

logger = logging.getLogger(__name__)

KEEPS_NOTHING = "tokens live in memory meanwhile"
"""What the warning says of a cache that neither gives nor takes."""

_REST = 10.0
_LOCKING = ("lock", "unlock")
_REMEMBERED: dict[str, type[PartnerAuthError]] = {
    kind.__name__: kind for kind in (LoginRejected, InvalidLoginResponse)
}
_Result = TypeVar("_Result")


class Store:
    """An account's two entries in a token cache: its token, and the refusal of its credentials.

    Never raises for a cache that is down: what can't be read is a miss, what can't be written stays in
    memory, a lock that can't be had is gone without. One warning tells of it until the cache works again;
    meanwhile it is tried at most every ten seconds. Threads share a store.

    Args:
        cache: Where the entries are kept; None keeps nothing.
        name: What tells this account from all others: partner, base URL, account. No secret.
        secret: The account's secret, which seals what leaves the process.
        clock: What tells the time.
    """

    __slots__ = (
        "_cache", "_clock", "_keeps_refusal", "_name", "_rests_until", "_seal", "_seals", "_secret",
        "_troubles", "_unreadable",
    )  # fmt: skip

    def __init__(self, cache: TokenCache | None, name: str, secret: str, clock: Clock) -> None:
        self._cache = cache
        self._seals = cache is not None and getattr(cache, "seals", True)
        self._name = name
        self._secret = secret
        self._clock = clock
        self._seal: Seal | None = None
        self._keeps_refusal = False
        # For words that keep, and for those that lock.
        self._rests_until = [-math.inf, -math.inf]
        # By what was tried: a directory that can be read but not written is down all the time.
        self._troubles: dict[str, object] = {}
        self._unreadable: dict[str, object] = {}

    @contextmanager
    def lock(self, limit: float) -> Iterator[None]:
        """Keep other processes from logging in meanwhile; the wait for it takes `limit` seconds at most."""
        lock = self._try("lock", lambda cache: self._locked(cache, limit)) if self._seals else None
        try:
            yield
        finally:
            if lock is not None:
                self._try("unlock", lambda cache: lock.__exit__(None, None, None), at_once=True)

    def token(self) -> Grant | None:
        """The token that is kept, or None."""
        entry = self._read("token")
        try:
            grant = None if entry is None else _grant_from(entry, self._clock)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        if grant is not None:
            logger.debug("token %s found in %s", grant.token.fingerprint, type(self._cache).__name__)
        return grant

    def keep_token(self, grant: Grant) -> None:
        """Keep this token, until its end."""
        token = grant.token
        ttl = None if token.expires_at is None else max(1.0, token.expires_at - self._clock.wall())
        self._write("token", _entry_of(grant), ttl)

    def refusal(self) -> tuple[Failure, float] | None:
        """The refusal that is kept, and for how many seconds it still holds; None where there is none."""
        entry = self._read("refusal")
        try:
            if entry is None or not 0 < (left := float(entry["until"]) - self._clock.wall()) < math.inf:
                return None
            kind, message, code = _REMEMBERED[entry["kind"]], entry["message"], entry["code"]
            failure = Failure(kind, message, code, entry["partner_message"], is_refusal=True)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        self._keeps_refusal = True
        return failure, left

    def has_dropped_refusal(self) -> bool:
        """Whether a refusal that was kept here is there no more: somebody who shares the cache forgot it."""
        return self._keeps_refusal and bool(
            self._try("get", lambda cache: cache.get(self._key("refusal")) is None)
        )

    def keep_refusal(self, failure: Failure, seconds: float) -> None:
        """Keep this refusal for so many seconds."""
        entry = {
            "until": self._clock.wall() + seconds,
            "kind": failure.kind.__name__,
            "message": failure.message,
            "code": failure.code,
            "partner_message": failure.partner_message,
        }
        # Read once more: a cache that takes it and keeps nothing would else seem to have forgotten it.
        self._keeps_refusal = self._write("refusal", entry, seconds) and self._read("refusal") is not None

    def clear(self) -> None:
        """Keep neither token nor refusal."""

        def delete(cache: TokenCache) -> None:
            cache.delete(self._key("token"))
            cache.delete(self._key("refusal"))

        self._try("delete", delete, at_once=True)

    def _locked(self, cache: TokenCache, limit: float) -> AbstractContextManager[bool]:
        lock = cache.lock(self._key("lock"), limit)
        if not lock.__enter__():
            logger.warning("no login lock within %.0f s: going on without it", limit)
        return lock

    def _read(self, kind: str) -> dict[str, Any] | None:
        kept = self._try("get", lambda cache: cache.get(self._key(kind)))
        if kept is None:
            return None
        opened = self._sealing().open(kept, self._key(kind)) if self._seals else kept
        try:
            entry = None if opened is None else json.loads(opened)
        except (TypeError, ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict):
            self._unreadable.pop(kind, None)
            return entry
        if _is_first(self._unreadable, kind):
            logger.warning("an unreadable entry in %s is passed over", shown(self._cache))
        return None

    def _write(self, kind: str, entry: dict[str, Any], ttl: float | None) -> bool:
        def write(cache: TokenCache) -> bool:
            value = json.dumps(entry).encode()
            if self._seals:
                value = self._sealing().close(value, self._key(kind))
            cache.set(self._key(kind), value, ttl)
            return True

        return bool(self._try("set", write))

    def _try(
        self, word: str, action: Callable[[TokenCache], _Result], *, at_once: bool = False
    ) -> _Result | None:
        if self._cache is None or (not at_once and self._rests(word)):
            return None
        try:
            result = action(self._cache)
        except Exception as error:
            self._is_down(word, error)
            return None
        if self._troubles.pop(word, None) is not None and not self._troubles:
            logger.info("%s can be used again", shown(self._cache))
        return result

    def _rests(self, word: str) -> bool:
        until = max(self._rests_until) if word in _LOCKING else self._rests_until[False]
        return self._clock.monotonic() < until

    def _is_down(self, word: str, error: Exception) -> None:
        # Where only locks fail, on a network share say, tokens are kept all the same.
        locks = word in _LOCKING
        self._rests_until[locks] = self._clock.monotonic() + _REST
        was_down = any(locks or trouble not in _LOCKING for trouble in list(self._troubles))
        if _is_first(self._troubles, word) and not was_down:
            # Of a message only what the system itself says: others may quote a URL with its password.
            why = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
            logger.warning(
                "%s can't be used (%s%s): %s",
                shown(self._cache),
                type(error).__name__,
                why,
                "several processes may log in at once" if locks else KEEPS_NOTHING,
            )

    def _key(self, kind: str) -> str:
        return f"{self._sealing().name if self._seals else self._name}.{kind}"

    def _sealing(self) -> Seal:
        if self._seal is None:
            from ..caches._sealing import Seal

            self._seal = Seal.of(self._name, self._secret)
        return self._seal


def _is_first(seen: dict[str, object], word: str) -> bool:
    """Whether the word was not there yet; it is from now on. Of threads that ask at once, one is first."""
    mine = object()
    return seen.setdefault(word, mine) is mine


def new_login_id() -> str:
    """A name for one login, the same in every process that shares its token."""
    return os.urandom(8).hex()


def _entry_of(grant: Grant) -> dict[str, Any]:
    token = grant.token
    return {
        "login": grant.login_id,
        "value": token.value,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "refresh_token": token.refresh_token,
        "details": _plain(token.details),
    }


def _plain(details: Any) -> dict[str, Any]:
    try:
        return dict(json.loads(json.dumps(dict(details), default=str)))
    except (TypeError, ValueError, RecursionError):
        return {}


def _grant_from(entry: dict[str, Any], clock: Clock) -> Grant:
    issued_at = float(entry["issued_at"])
    if not math.isfinite(issued_at):
        raise ValueError("issued_at")
    token = Token(
        entry["value"],
        issued_at=issued_at,
        expires_at=entry["expires_at"],
        refresh_token=entry["refresh_token"],
        details=entry["details"],
    )
    return Grant(token, str(entry["login"]), clock)
