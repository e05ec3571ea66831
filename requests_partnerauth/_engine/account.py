"""One login at a time: look, lock, look again, share. Refresh ahead, and cooldowns. Knows no HTTP.

An `Account` is what all auth objects of one account and secret share in this process. A caller that finds
no usable token joins the login under way, its flight, or starts one; whoever joined gets what comes out.
"""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
from enum import Enum

from .._token import Token
from ..errors import LoginTimeout, PartnerAuthError
from .clock import Clock
from .endpoints import SHAKEN, Endpoints
from .flight import Flight
from .flying import Flying, LogIn
from .memory import Memory, state_lock
from .outcome import Failure, Grant
from .reentry import calling_out, is_called_back
from .store import Store, new_login_id

logger = logging.getLogger(__name__)

_PAUSE = 10.0
_REJECTIONS = 16
_NO_ENDPOINTS = Endpoints()


class Verdict(Enum):
    """What a refusal tells."""

    REPLACED = "nothing: there is a newer token, or a login for it is due already"
    TOKEN = "the token is no longer good: a login is due"
    COOLS = "from now on, the endpoint's refusals start no login"
    COOLING = "the endpoint, or the account, cools already"


class Account:
    """What all auth objects of one account and secret share in this process, for as long as their cache.

    `current` is the token that requests may use, or None; `endpoints` holds those that are on trial or
    cool, nearly always none. Both are read without the lock; all changes under it. `memory` is what else it
    remembers.

    Args:
        store: The account's entries in the cache.
        clock: What tells the time.
    """

    __slots__ = (
        "__weakref__", "_clock", "_flight", "_refused", "_rejections", "_store", "current",
        "endpoints", "memory", "now", "wall",
    )  # fmt: skip

    def __init__(self, store: Store, clock: Clock) -> None:
        self.current: Grant | None = None
        self.endpoints = _NO_ENDPOINTS
        self.now = clock.monotonic
        self.wall = clock.wall
        self._clock = clock
        self._flight: Flight | None = None
        self.memory = Memory(clock)
        self._refused = False
        self._rejections: tuple[tuple[str, str], ...] = ()
        self._store = store

    @property
    def is_shaken(self) -> bool:
        """Whether the cache failed of late, and processes may have logged in without each other."""
        return self.now() - self._store.failed_at < SHAKEN

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

        Raises:
            PartnerAuthError: The very login of this account, or a look into its cache, asks for its token.
        """
        while (grant := self.usable(refused)) is None:
            if is_called_back(self) or self._store.is_called_back:
                raise PartnerAuthError("the login of this account asks for the very token that it is to give")
            self._drop_refusal_forgotten_elsewhere()
            flight = Flight(log_in.limit, self._clock)
            outcome: Grant | Failure | None = None
            try:
                with state_lock():
                    if (grant := self.usable(refused)) is not None:
                        break
                    if (failure := self.memory.failure()) is not None:
                        return failure
                    if self._flight is None or self._flight.is_overdue:
                        self._flight = flight
                    joined = self._flight
                    was_forgotten = joined.is_forgotten
                if joined is flight:
                    outcome = self._fly(flight, log_in)
            finally:
                # Also what strikes between the lines above, a signal handler's exception, ends the flight.
                try:
                    self._end(flight, outcome)
                finally:
                    flight.land(outcome)
            if isinstance(outcome, Failure) and outcome.bug is not None:
                raise outcome.bug
            if joined is not flight and not joined.wait():
                why = f"the login under way gave no answer within {joined.limit:g} s"
                return Failure(LoginTimeout, why)
            outcome = joined.outcome
            # A flight that began before the refusal, or before forget(), may end in what is not wanted any
            # more: once more round.
            if outcome is None or was_forgotten:
                continue
            if isinstance(outcome, Failure) or not outcome.is_from_login_of(refused):
                return outcome
        return grant

    def refuse(self, refused: Grant, endpoint: str, seconds: float, *, resent: bool = False) -> Verdict:
        """The partner has refused this token at an endpoint: what that tells.

        Args:
            refused: The token.
            endpoint: Method and URL, without its query.
            seconds: How long an endpoint is on trial, and how long it cools.
            resent: Whether that was on the resend of a request that it had refused before.
        """
        with state_lock():
            if self.endpoints is _NO_ENDPOINTS:
                self.endpoints = Endpoints()
            is_current, now = refused.is_from_login_of(self.current), self.now()
            if not is_current:
                # On a resend: was it ended by a login that another endpoint made due, or refused here before?
                is_judged = seconds <= 0 or (refused.login_id, endpoint) in self._rejections
                return Verdict.TOKEN if resent and is_judged else Verdict.REPLACED
            if not self.endpoints.is_to_blame(endpoint, refused, now, resent=resent):
                self.endpoints.refuse(endpoint, refused, now, seconds)
                return self._reject(refused, endpoint)
        if self._adopts_newer(refused):
            return Verdict.REPLACED
        with state_lock():
            if not refused.is_from_login_of(self.current):
                return Verdict.REPLACED
            shaken = self.is_shaken
            if self._store.is_used and self.endpoints.judge_anew(endpoint, refused, now, seconds, shaken):
                return self._reject(refused, endpoint)
            return Verdict.COOLS if self.endpoints.cool(endpoint, now, seconds) else Verdict.COOLING

    def _reject(self, refused: Grant, endpoint: str) -> Verdict:
        """Under the lock: no request uses this token any more, and the next one logs in."""
        self._rejections = (*self._rejections, (refused.login_id, endpoint))[-_REJECTIONS:]
        self._refused, self.current = True, None
        return Verdict.TOKEN

    def accept(self, endpoint: str, *, resent: bool) -> None:
        """An endpoint that is on trial or cools has taken a token, on a resend or a first sending."""
        with state_lock():
            self.endpoints.accept(endpoint, self.now(), resent=resent)

    def refresh_ahead(self, log_in: LogIn) -> None:
        """Start a login in the background, unless one is under way. Requests go on with the present token."""
        flight = Flight(log_in.limit, self._clock)
        with state_lock():
            due, under_way = self.current, self._flight
            if due is None or not due.is_due(self._clock) or not (under_way is None or under_way.is_overdue):
                return
            due.put_off(_PAUSE, self._clock)
            if self.memory.failure() is not None or sys.is_finalizing():
                return
            self._flight = flight
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

    def preset(self, token: Token) -> None:
        """Use this token from now on, until it is refused or ends; it is kept in the cache as any other."""
        self._see_what_is_kept()
        with state_lock():
            generation = self.memory.next_generation
            grant = Grant(token, new_login_id(), self._clock, generation=generation)
            self._replace(grant)
            self.endpoints.clear()
            if self._flight is not None:
                self._flight.is_superseded = True
        self._store.keep_token(grant)

    def forget(self) -> None:
        """Drop the token and the remembered failure, here and in the cache; a login under way is not kept."""
        self._see_what_is_kept()
        self._drop()
        self.memory.drop_failure()
        self._store.clear()

    def log_out(self) -> Token | None:
        """Drop the token, here and in the cache, and give it away: nobody uses it any more."""
        kept = self._see_what_is_kept()
        grant = self.current or kept
        self._drop()
        self._store.clear("token")
        return None if grant is None else grant.token

    def last(self) -> Grant | None:
        """The account's last token, also where it has ended or was refused; none after `forget`."""
        return self.memory.last or self._see_what_is_kept()

    def _see_what_is_kept(self) -> Grant | None:
        """What the cache holds, if that is newer than what was used here."""
        kept = self._store.token()
        if kept is not None:
            self.memory.see(kept)
        return kept if kept is not None and self.memory.is_newer(kept) else None

    def _drop(self) -> None:
        with state_lock():
            self.current, self._refused = None, False
            self.memory.forget()
            self.endpoints.clear()
            if self._flight is not None:
                self._flight.is_forgotten = True

    def _fly(self, flight: Flight, log_in: LogIn, due: Grant | None = None) -> Grant | Failure:
        reason = "token refused" if self._refused else "refresh ahead" if due else "no usable token"
        with calling_out(self):
            return Flying(flight, self._store, self.memory, self._clock, due)(log_in, reason)

    def _fly_ahead(self, flight: Flight, log_in: LogIn, due: Grant) -> None:
        outcome: Grant | Failure | None = None
        try:
            outcome = self._fly(flight, log_in, due)
            why = outcome.message if isinstance(outcome, Failure) else ""
        except Exception as error:
            why = type(error).__name__
        finally:
            self._end(flight, outcome)
        if isinstance(outcome, Grant):
            return
        due.put_off(_PAUSE, self._clock)
        logger.warning("refresh ahead failed, going on with the present token: %s", why)

    def _end(self, flight: Flight, outcome: Grant | Failure | None) -> None:
        try:
            with state_lock():
                if self._flight is flight:
                    self._flight = None
                    if isinstance(outcome, Grant) and not (flight.is_forgotten or flight.is_superseded):
                        self._replace(outcome)
                        self.memory.drop_failure()
        finally:
            flight.land(outcome)

    def _replace(self, grant: Grant) -> None:
        """Under the lock."""
        self.current, self._refused = grant, False
        self.memory.use(grant)

    def _adopts_newer(self, refused: Grant) -> bool:
        """Whether the cache holds a token newer than this refused one, which becomes the current.

        An endpoint that refuses every token would else start a login in each process by turns.
        """
        kept = self._store.token()
        if kept is None or kept.has_ended(self._clock):
            return False
        with state_lock():
            if refused.is_from_login_of(self.current) and self.memory.is_newer(kept):
                self._replace(kept)
        return not refused.is_from_login_of(self.current)

    def _drop_refusal_forgotten_elsewhere(self) -> None:
        refusal = self.memory.refusal
        if refusal is not None and self._store.has_dropped_refusal():
            self.memory.drop_failure(refusal)
