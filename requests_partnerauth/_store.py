"""What of an account is kept in a token cache, and what happens while the cache can't be used."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ._clock import Clock
from ._outcome import Failure, Grant
from ._token import Token
from .caches._base import TokenCache
from .errors import LoginRejected

if TYPE_CHECKING:
    from .caches._sealing import Seal

logger = logging.getLogger(__name__)

_REST = 10.0


class Store:
    """An account's two entries in a token cache: its token, and the refusal of its credentials.

    Never raises for a cache that is down: what can't be read is a miss, what can't be written stays in
    memory, a lock that can't be had is gone without. One warning tells of it until the cache works again;
    meanwhile it is tried at most every ten seconds.

    Args:
        cache: Where the entries are kept; None keeps nothing.
        name: What tells this account from all others: partner, base URL, account. No secret.
        secret: The account's secret, which seals what leaves the process.
        clock: What tells the time.
    """

    def __init__(self, cache: TokenCache | None, name: str, secret: str, clock: Clock) -> None:
        self._cache = cache
        self._name = name
        self._secret = secret
        self._clock = clock
        self._seal: Seal | None = None
        self._down_until: float | None = None

    @contextmanager
    def lock(self, limit: float) -> Iterator[None]:
        """Keep other processes from logging in meanwhile; the wait for it takes `limit` seconds at most."""
        with ExitStack() as stack:
            if self._cache is not None and self._cache.seals and self._usable():
                try:
                    held = stack.enter_context(self._cache.lock(self._key("lock"), limit))
                except Exception as error:
                    self._is_down(error)
                else:
                    if not held:
                        logger.warning("no login lock within %.0f s: logging in without it", limit)
            yield

    def token(self) -> Grant | None:
        """The token that is kept, or None."""
        entry = self._read("token")
        try:
            return None if entry is None else _grant_from(entry, self._clock)
        except (KeyError, TypeError, ValueError):
            return None

    def keep_token(self, grant: Grant) -> None:
        """Keep this token, until its end."""
        token = grant.token
        ttl = None if token.expires_at is None else max(1.0, token.expires_at - self._clock.wall())
        self._write("token", _entry_of(grant), ttl)

    def refusal(self) -> tuple[Failure, float] | None:
        """The refusal that is kept, and for how many seconds it still holds; None where there is none."""
        entry = self._read("refusal")
        try:
            if entry is None or (left := float(entry["until"]) - self._clock.wall()) <= 0:
                return None
            return Failure(LoginRejected, entry["message"], entry["code"], entry["partner_message"]), left
        except (KeyError, TypeError, ValueError):
            return None

    def keep_refusal(self, failure: Failure, seconds: float) -> None:
        """Keep this refusal for so many seconds."""
        entry = {
            "until": self._clock.wall() + seconds,
            "message": failure.message,
            "code": failure.code,
            "partner_message": failure.partner_message,
        }
        self._write("refusal", entry, seconds)

    def clear(self) -> None:
        """Keep neither token nor refusal."""
        for kind in ("token", "refusal"):
            self._try("delete", kind)

    def _read(self, kind: str) -> dict[str, Any] | None:
        sealed = self._try("get", kind)
        if sealed is None or self._cache is None:
            return None
        opened = self._sealing().open(sealed, self._key(kind)) if self._cache.seals else sealed
        try:
            entry = json.loads(opened) if opened is not None else None
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            logger.warning("an unreadable entry in %s is passed over", type(self._cache).__name__)
            return None
        return entry

    def _write(self, kind: str, entry: dict[str, Any], ttl: float | None) -> None:
        if self._cache is None or not self._usable():
            return
        value = json.dumps(entry).encode()
        if self._cache.seals:
            value = self._sealing().close(value, self._key(kind))
        self._try("set", kind, value, ttl)

    def _try(self, method: str, kind: str, *arguments: Any) -> Any:
        if self._cache is None or not self._usable():
            return None
        try:
            result = getattr(self._cache, method)(self._key(kind), *arguments)
        except Exception as error:
            self._is_down(error)
            return None
        self._is_up()
        return result

    def _key(self, kind: str) -> str:
        if self._cache is None or not self._cache.seals:
            return f"{self._name}.{kind}"
        return f"{self._sealing().name}.{kind}"

    def _sealing(self) -> Seal:
        if self._seal is None:
            from .caches._sealing import Seal

            self._seal = Seal.of(self._name, self._secret)
        return self._seal

    def _usable(self) -> bool:
        return self._down_until is None or self._clock.monotonic() >= self._down_until

    def _is_down(self, error: Exception) -> None:
        if self._down_until is None:
            logger.warning(
                "%s can't be used (%s): tokens live in memory meanwhile",
                type(self._cache).__name__,
                type(error).__name__,
            )
        self._down_until = self._clock.monotonic() + _REST

    def _is_up(self) -> None:
        if self._down_until is not None:
            logger.info("%s can be used again", type(self._cache).__name__)
            self._down_until = None


def new_login_id() -> str:
    """A name for one login, the same in every process that shares its token."""
    return os.urandom(16).hex()


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
    token = Token(
        entry["value"],
        issued_at=float(entry["issued_at"]),
        expires_at=entry["expires_at"],
        refresh_token=entry["refresh_token"],
        details=entry["details"],
    )
    return Grant(token, str(entry["login"]), clock)
