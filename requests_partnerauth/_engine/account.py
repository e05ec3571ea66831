"""One login at a time: look, lock, look again, share. Refresh ahead, and cooldowns. Knows no HTTP.

An `Account` is what all auth objects of one account and secret share in this process. A caller that finds
no usable token joins the login under way, its flight, or starts one; whoever joined gets what comes out.
"""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .._token import Token
from ..errors import LoginUnavailable
from .clock import Clock
from .flight import Flight
from .locks import ForkSafeLock
from .outcome import Failure, Grant
from .store import Store, new_login_id
from .verdict import Verdict

logger = logging.getLogger(__name__)

_PAUSE = 10.0
_REMEMBERED_LOGINS = 16
_REMEMBERED_VALUES = 4


class Lease(Protocol):
    """The right to send the refresh token of the previous token. It lasts as long as one login."""

    @abstractmethod
    def take(self) -> bool:
        """Called right before it is sent: from now on it counts as used up. False: it may not be sent."""

    @abstractmethod
    def give_back(self) -> None:
        """It was not used up: HTTP 429, or no connection was made."""


class LogIn(Protocol):
    """How an account logs in, over the wire: what `_http.login.Login` is."""

    limit: float
    rejection_cooldown: float

    @abstractmethod
    def __call__(
        self, reason: str, previous: Token | None = None, lease: Lease | None = None
    ) -> Token | Failure:
        """Log in once. What it raises was thrown in from outside; all else is a `Failure`.

        Args:
            reason: Why, for the log.
            previous: The account's last token; without refresh token where that may not be sent.
            lease: What is asked before a refresh token is sent; None where there is none.
        """


class Account:
    """What all auth objects of one account and secret share in this process, for as long as their cache.

    `current` is the token that requests may use, or None. It is read without the lock and replaced whole;
    all else changes under the lock, which is never held during a login or a look into a cache.

    Args:
        store: The account's entries in the cache.
        clock: What tells the time.
    """

    __slots__ = (
        "__weakref__", "_clock", "_earlier_values", "_flight", "_lock", "_refusal", "_refusal_until",
        "_refused", "_refused_logins", "_store", "_verdict", "current", "now",
    )  # fmt: skip

    def __init__(self, store: Store, clock: Clock) -> None:
        self.current: Grant | None = None
        self.now = clock.monotonic
        self._store = store
        self._clock = clock
        self._lock = ForkSafeLock()
        self._flight: Flight | None = None
        self._refused = False
        self._refused_logins: tuple[str, ...] = ()
        self._earlier_values: tuple[str, ...] = ()
        self._refusal: Failure | None = None
        self._refusal_until = 0.0
        self._verdict: Verdict | None = None

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
            self._drop_refusal_forgotten_elsewhere()
            with self._lock():
                if (grant := self.usable(refused)) is not None:
                    break
                if (failure := self._remembered_refusal()) is not None:
                    return failure
                flight = self._flight
                mine = flight is None or flight.is_overdue
                if flight is None or mine:
                    flight = self._flight = Flight(log_in.limit, self._clock, self.current)
                is_forgotten = flight.is_forgotten
            if mine:
                self._fly(flight, log_in)
            elif not flight.wait():
                return Failure(
                    LoginUnavailable, f"the login under way gave no answer within {flight.limit:g} s"
                )
            outcome = flight.outcome
            # A flight that began before the refusal, or before forget(), may end in what is not wanted any
            # more: once more round.
            if outcome is None or is_forgotten:
                continue
            if isinstance(outcome, Failure) or not outcome.is_from_login_of(refused):
                return outcome
        return grant

    def finds_nothing_newer(self, refused: Grant) -> bool:
        """Whether this refused token is the current one, cools, and the cache holds no newer.

        A newer one becomes the current, and cools as long: an endpoint that refuses every token would else
        start a login in each process by turns.
        """
        if not (refused.is_from_login_of(self.current) and self.is_cooling(refused)):
            return False
        kept = self._store.token()
        is_newer = kept is not None and kept.token.issued_at > refused.token.issued_at
        if kept is None or not is_newer or not self._is_wanted(kept, refused, None):
            return True
        with self._lock():
            if refused.is_from_login_of(self.current):
                kept.cooling_until = refused.cooling_until
                self._replace(kept)
                if self._flight is not None:
                    self._flight.replaces = kept
        return False

    def refresh_ahead(self, log_in: LogIn) -> None:
        """Start a login in the background, unless one is under way. Requests go on with the present token."""
        with self._lock():
            due, flight = self.current, self._flight
            if due is None or not due.is_due(self._clock) or not (flight is None or flight.is_overdue):
                return
            due.put_off(_PAUSE, self._clock)
            if self._remembered_refusal() is not None or sys.is_finalizing():
                return
            flight = self._flight = Flight(log_in.limit, self._clock, due)
        context = contextvars.copy_context()
        try:
            threading.Thread(
                target=context.run,
                args=(self._fly_ahead, flight, log_in, due),
                name="partnerauth-refresh-ahead",
                daemon=True,
            ).start()
        except RuntimeError:
            self._end(flight, None)

    def reject(self, grant: Grant) -> None:
        """The partner has refused this token: no request uses it any more."""
        with self._lock():
            if grant.login_id not in self._refused_logins:
                self._refused_logins = (*self._refused_logins, grant.login_id)[-_REMEMBERED_LOGINS:]
            if grant.is_from_login_of(self.current):
                self._replace(None)
                self._refused = True

    def cool(self, grant: Grant, seconds: float) -> bool:
        """A refresh did not help: for so long, a refusal of this token starts no login. False: it cooled."""
        with self._lock():
            is_new = not self.is_cooling(grant)
            grant.cooling_until = self._clock.monotonic() + seconds
            if self._verdict is not None:
                self._verdict.tell()
            return is_new

    def is_cooling(self, grant: Grant) -> bool:
        """Whether a refusal of this token starts no login for now."""
        return self._clock.monotonic() < grant.cooling_until

    @contextmanager
    def resending(self) -> Iterator[None]:
        """While a refused request is on its way with another token, that one's verdict is awaited."""
        with self._lock():
            verdict = self._verdict
            if verdict is None or not verdict.is_of_this_process:
                verdict = self._verdict = Verdict()
            verdict.awaited += 1
        try:
            yield
        finally:
            with self._lock():
                verdict.awaited -= 1
                if not verdict.awaited:
                    verdict.tell()
                    self._drop(verdict)

    def await_verdict(self, refused: Grant) -> None:
        """Where a refresh has just given this token, see whether it helps others before starting the next.

        Of many threads at an endpoint that always refuses, some come too late to be resent: refused
        with the new token, they can't tell yet that it cools.
        """
        verdict = self._verdict
        if verdict is None or not verdict.is_of_this_process or self.is_cooling(refused):
            return
        if refused.after_refusal and refused.is_from_login_of(self.current) and not verdict.wait():
            with self._lock():
                self._drop(verdict)

    def values(self) -> list[str]:
        """The tokens that were current lately."""
        with self._lock():
            return [*self._earlier_values, *([] if self.current is None else [self.current.value])]

    def preset(self, token: Token) -> None:
        """Use this token from now on, until it is refused or ends. It stays in this process."""
        grant = Grant(token, new_login_id(), self._clock)
        older = self._store.token()
        with self._lock():
            self._replace(grant)
            if older is not None:
                # Once the preset token is refused, a login follows, not what it had replaced.
                self._refused_logins = (*self._refused_logins, older.login_id)[-_REMEMBERED_LOGINS:]

    def forget(self) -> None:
        """Drop the token and the remembered refusal, here and in the cache; a login under way is not kept."""
        with self._lock():
            if self.current is not None:
                # A cache that is down keeps its entry: it is not taken from there again.
                self._refused_logins = (*self._refused_logins, self.current.login_id)[-_REMEMBERED_LOGINS:]
            self._replace(None)
            self._refusal = None
            self._refused = False
            if self._flight is not None:
                self._flight.is_forgotten = True
        self._store.clear()

    def _fly(self, flight: Flight, log_in: LogIn, due: Grant | None = None) -> None:
        outcome: Grant | Failure | None = None
        try:
            # A token that another process keeps is there for all, even while one of them holds the lock.
            outcome = self._from_store(flight, due)
            if outcome is None:
                flight.extend()
                with self._store.lock(log_in.limit):
                    flight.extend()
                    outcome = self._from_store(flight, due) or self._logged_in(flight, log_in, due)
        except Exception as error:
            # It is for whoever flew; who waited is told as well, and does not run into it again by itself.
            why = f"the login under way ended in {type(error).__name__}"
            outcome = Failure(LoginUnavailable, why)
            raise
        finally:
            self._end(flight, outcome)

    def _fly_ahead(self, flight: Flight, log_in: LogIn, due: Grant) -> None:
        try:
            self._fly(flight, log_in, due)
        except Exception as error:
            why = type(error).__name__
        else:
            if not isinstance(flight.outcome, Failure):
                return
            why = flight.outcome.message
        due.put_off(_PAUSE, self._clock)
        logger.warning("refresh ahead failed, going on with the present token: %s", why)

    def _from_store(self, flight: Flight, due: Grant | None) -> Grant | Failure | None:
        kept = self._store.token()
        if kept is not None and self._is_wanted(kept, flight.replaces, due):
            return kept
        refusal = self._store.refusal()
        if refusal is None:
            return None
        failure, seconds = refusal
        self._remember(flight, failure, seconds)
        return failure

    def _is_wanted(self, kept: Grant, replaced: Grant | None, due: Grant | None) -> bool:
        # The token that is to be replaced may look fresh in the cache: there its life goes by the wall clock.
        with self._lock():
            if kept.is_from_login_of(replaced) or kept.login_id in self._refused_logins:
                return False
        return not (kept.has_ended(self._clock) if due is None else kept.is_due(self._clock))

    def _logged_in(self, flight: Flight, log_in: LogIn, due: Grant | None) -> Grant | Failure:
        after_refusal = self._refused
        answer = log_in("token refused" if after_refusal else "refresh ahead" if due else "no usable token")
        outcome: Grant | Failure
        if isinstance(answer, Failure):
            outcome = answer
            if outcome.is_refusal and log_in.rejection_cooldown > 0:
                # Kept first: once it is remembered, whoever finds it missing there takes it for forgotten.
                self._store.keep_refusal(outcome, log_in.rejection_cooldown)
                self._remember(flight, outcome, log_in.rejection_cooldown)
        else:
            outcome = Grant(answer, new_login_id(), self._clock, after_refusal=after_refusal)
            self._store.keep_token(outcome)
        if flight.is_forgotten:
            self._store.clear()
        return outcome

    def _end(self, flight: Flight, outcome: Grant | Failure | None) -> None:
        try:
            with self._lock():
                if self._flight is flight:
                    self._flight = None
                    if isinstance(outcome, Grant) and not flight.is_forgotten:
                        self._refused = False
                        self._refusal = None
                        # Anything else is there by preset(), and newer than this login.
                        if self.current is None or self.current is flight.replaces:
                            self._replace(outcome)
        finally:
            flight.land(outcome)

    def _replace(self, grant: Grant | None) -> None:
        """Under the lock. What was current may still be good, and a partner's words may repeat it."""
        if self.current is not None:
            self._earlier_values = (*self._earlier_values, self.current.value)[-_REMEMBERED_VALUES:]
        self.current = grant

    def _drop(self, verdict: Verdict) -> None:
        """Under the lock. Nobody waits for it any more."""
        if self._verdict is verdict:
            self._verdict = None

    def _remember(self, flight: Flight, failure: Failure, seconds: float) -> None:
        with self._lock():
            if not flight.is_forgotten:
                self._refusal = failure
                self._refusal_until = self._clock.monotonic() + seconds

    def _drop_refusal_forgotten_elsewhere(self) -> None:
        failure = self._refusal
        if failure is not None and self._store.has_dropped_refusal():
            with self._lock():
                if self._refusal is failure:
                    self._refusal = None

    def _remembered_refusal(self) -> Failure | None:
        if self._refusal is not None and self._clock.monotonic() >= self._refusal_until:
            self._refusal = None
        return self._refusal
