"""One login at a time: look, lock, look again, share. Refresh ahead, and cooldowns. Knows no HTTP.

An `Account` is what all auth objects of one account and secret share in this process. A caller that finds
no usable token joins the login under way, its flight, or starts one; whoever joined gets what comes out.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from typing import Protocol

from ._clock import Clock
from ._outcome import Failure, Grant
from ._store import Store, new_login_id
from ._token import Token
from .caches._base import TokenCache
from .errors import LoginUnavailable

logger = logging.getLogger(__name__)

_PAUSE = 10.0


class LogIn(Protocol):
    """How an account logs in, over the wire: what `_login.Login` is."""

    limit: float
    rejection_cooldown: float

    def __call__(self, reason: str) -> Token | Failure:
        """Log in once; `reason` is for the log."""


class Flight:
    """One login under way. Lasts from its start until its outcome is there, or nobody waits any more."""

    def __init__(self, limit: float, clock: Clock) -> None:
        self.limit = limit
        self.outcome: Grant | Failure | None = None
        self._clock = clock
        self._landed = threading.Event()
        self.extend()

    def extend(self) -> None:
        """The login itself begins now: its time counts from here."""
        self._overdue_at = self._clock.monotonic() + self.limit + 1.0

    @property
    def is_overdue(self) -> bool:
        """Whether it should long have ended: whoever comes now flies alone."""
        return self._clock.monotonic() >= self._overdue_at

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


class Account:
    """What all auth objects of one account and secret share in this process, for as long as their cache.

    `current` is the token that requests may use, or None. It is read without the lock and replaced whole;
    all else changes under the lock, which is never held during a login or a look into a cache.

    Args:
        store: The account's entries in the cache.
        clock: What tells the time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.current: Grant | None = None
        self._store = store
        self.now = clock.monotonic
        self._clock = clock
        self._lock = threading.Lock()
        self._flight: Flight | None = None
        self._refused = False
        self._refused_logins: deque[str] = deque(maxlen=16)
        self._refusal: Failure | None = None
        self._refusal_until = 0.0

    def usable(self, refused: Grant | None = None) -> Grant | None:
        """The current token, unless it has ended or is the one that was just refused."""
        grant = self.current
        if grant is None or grant.is_from_login_of(refused) or grant.has_ended(self._clock):
            return None
        return grant

    def obtain(self, log_in: LogIn, refused: Grant | None = None) -> Grant | Failure:
        """A usable token other than the refused one: the current, or what one login for all gives.

        Args:
            log_in: Logs in, if it comes to that.
            refused: The token that the partner has just refused.
        """
        while (grant := self.usable(refused)) is None:
            with self._lock:
                if (grant := self.usable(refused)) is not None:
                    break
                if (failure := self._remembered_refusal()) is not None:
                    return failure
                flight = self._flight
                mine = flight is None or flight.is_overdue
                if flight is None or mine:
                    flight = self._flight = Flight(log_in.limit, self._clock)
            if mine:
                self._fly(flight, log_in)
            elif not flight.wait():
                return Failure(
                    LoginUnavailable, f"the login under way gave no answer within {flight.limit:g} s"
                )
            outcome = flight.outcome
            # A flight that began before the refusal may end in the refused token itself: once more round.
            if isinstance(outcome, Failure) or (
                outcome is not None and not outcome.is_from_login_of(refused)
            ):
                return outcome
        return grant

    def refresh_ahead(self, log_in: LogIn) -> None:
        """Start a login in the background, unless one is under way. Requests go on with the present token."""
        with self._lock:
            due = self.current
            if self._flight is not None or due is None or not due.is_due(self._clock):
                return
            flight = self._flight = Flight(log_in.limit, self._clock)
            due.put_off(_PAUSE, self._clock)
        context = contextvars.copy_context()
        try:
            threading.Thread(
                target=context.run,
                args=(self._fly, flight, log_in, due),
                name="partnerauth-refresh-ahead",
                daemon=True,
            ).start()
        except RuntimeError:
            self._end(flight, None)

    def reject(self, grant: Grant) -> None:
        """The partner has refused this token: no request uses it any more."""
        with self._lock:
            self._refused_logins.append(grant.login_id)
            if grant.is_from_login_of(self.current):
                self.current = None
                self._refused = True

    def cool(self, grant: Grant, seconds: float) -> None:
        """A refresh did not help: for so long, a refusal of this token starts no login."""
        grant.cooling_until = self._clock.monotonic() + seconds

    def is_cooling(self, grant: Grant) -> bool:
        """Whether a refusal of this token starts no login for now."""
        return self._clock.monotonic() < grant.cooling_until

    def preset(self, token: Token) -> None:
        """Use this token from now on, until it is refused or ends. It stays in this process."""
        grant = Grant(token, new_login_id(), self._clock)
        with self._lock:
            self.current = grant

    def forget(self) -> None:
        """Drop the token and the remembered refusal, here and in the cache."""
        with self._lock:
            self.current = self._refusal = None
            self._refused = False
        self._store.clear()

    def _fly(self, flight: Flight, log_in: LogIn, due: Grant | None = None) -> None:
        outcome: Grant | Failure | None = None
        try:
            with self._store.lock(log_in.limit):
                flight.extend()
                outcome = self._from_store(due) or self._logged_in(log_in, due)
        finally:
            self._end(flight, outcome)
        if due is not None and isinstance(outcome, Failure):
            logger.warning("refresh ahead failed, going on with the present token: %s", outcome.message)

    def _from_store(self, due: Grant | None) -> Grant | Failure | None:
        kept = self._store.token()
        if kept is not None and kept.login_id not in self._refused_logins:
            too_old = kept.has_ended if due is None else kept.is_due
            if not too_old(self._clock):
                return kept
        refusal = self._store.refusal()
        if refusal is None:
            return None
        failure, seconds = refusal
        self._remember(failure, seconds)
        return failure

    def _logged_in(self, log_in: LogIn, due: Grant | None) -> Grant | Failure:
        after_refusal = self._refused
        outcome = log_in("refused" if after_refusal else "refresh ahead" if due else "no usable token")
        if isinstance(outcome, Failure):
            if outcome.is_refusal and log_in.rejection_cooldown > 0:
                self._remember(outcome, log_in.rejection_cooldown)
                self._store.keep_refusal(outcome, log_in.rejection_cooldown)
            return outcome
        grant = Grant(outcome, new_login_id(), self._clock, after_refusal=after_refusal)
        self._store.keep_token(grant)
        return grant

    def _end(self, flight: Flight, outcome: Grant | Failure | None) -> None:
        with self._lock:
            if self._flight is flight:
                self._flight = None
                if isinstance(outcome, Grant):
                    self.current = outcome
                    self._refused = False
                    self._refusal = None
        flight.land(outcome)

    def _remember(self, failure: Failure, seconds: float) -> None:
        with self._lock:
            self._refusal = failure
            self._refusal_until = self._clock.monotonic() + seconds

    def _remembered_refusal(self) -> Failure | None:
        if self._refusal is not None and self._clock.monotonic() >= self._refusal_until:
            self._refusal = None
        return self._refusal

    def after_fork(self) -> None:
        """In a child process: no login is under way here, and nobody holds the lock."""
        self._lock = threading.Lock()
        self._flight = None


_guard = threading.Lock()
_accounts: weakref.WeakSet[Account] = weakref.WeakSet()


def account_of(cache: TokenCache, key: Hashable, make: Callable[[], Account]) -> Account:
    """The one account under this key for all who use this cache; made where there is none yet.

    A key of None belongs to nobody else: each call makes an account of its own.
    """
    with _guard:
        known: dict[Hashable, Account] = vars(cache).setdefault("_accounts", {})
        account = known.get(key)
        if account is None:
            account = make()
            _accounts.add(account)
            if key is not None:
                known[key] = account
        return account


def forget_all(cache: TokenCache) -> None:
    """Drop the tokens and remembered refusals of all accounts that use this cache in this process."""
    with _guard:
        accounts = list(vars(cache).get("_accounts", {}).values())
    for account in accounts:
        account.forget()


def _after_fork() -> None:
    global _guard
    _guard = threading.Lock()
    for account in list(_accounts):
        account.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
