"""What happens in a flight: a look into the cache, the lock between processes, another look, the login."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from .._token import Token
from .clock import Clock
from .flight import Flight
from .lease import RefreshLease, without_refresh_token
from .memory import Memory, state_lock
from .outcome import Failure, Grant
from .store import Lock, Store, new_login_id

_LONGEST_WAIT = 600.0


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

    rejection_cooldown: float

    @property
    @abstractmethod
    def limit(self) -> float:
        """How many seconds a whole login may take."""

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


class Flying:
    """The way of one flight to its outcome. Lasts as long as the flight.

    Args:
        flight: The flight; it is told when its time begins to count anew.
        store: The account's entries in the cache.
        memory: What the account remembers.
        clock: What tells the time.
        due: The token that is to be refreshed ahead; None where there is none that is good.
    """

    __slots__ = ("_clock", "_due", "_flight", "_kept", "_memory", "_store")

    def __init__(
        self, flight: Flight, store: Store, memory: Memory, clock: Clock, due: Grant | None = None
    ) -> None:
        self._flight = flight
        self._store = store
        self._memory = memory
        self._clock = clock
        self._due = due
        self._kept: Grant | None = None

    def __call__(self, log_in: LogIn, reason: str) -> Grant | Failure:
        """The token that another process has left, or what a login gives."""
        # A token that another process keeps is there for all, even while one of them holds the lock.
        outcome = self._found()
        if outcome is not None:
            return outcome
        self._flight.await_others()
        with self._store.lock(log_in.limit, self._found) as lock:
            outcome = lock.found or self._found()
            return self._logged_in(log_in, reason, lock) if outcome is None else outcome

    def _found(self) -> Grant | Failure | None:
        kept = self._kept = self._store.token()
        if kept is not None:
            self._memory.see(kept)
            stale = kept.has_ended(self._clock) if self._due is None else kept.is_due(self._clock)
            if not stale and self._memory.is_newer(kept):
                return kept
        refusal = self._store.refusal()
        if refusal is None:
            return None
        self._remember(*refusal)
        return refusal[0]

    def _logged_in(self, log_in: LogIn, reason: str, lock: Lock) -> Grant | Failure:
        previous = self._previous()
        lease = None
        token = None if previous is None else previous.token
        if previous is not None and previous.token.refresh_token:
            if self._store.exists and not (lock.is_held and self._store.is_used):
                token = without_refresh_token(previous.token)
            else:
                lease = RefreshLease(previous, lambda: lock.is_held, self._keep_previous)
        self._flight.log_in()
        answer = log_in(reason, token, lease)
        if isinstance(answer, Failure):
            self._learn(answer, log_in.rejection_cooldown)
            outcome: Grant | Failure = answer
        else:
            generation = self._memory.next_generation
            outcome = Grant(answer, new_login_id(), self._clock, generation=generation, is_own=True)
            is_kept = self._flight.is_superseded or self._store.keep_token(outcome)
            if self._store.exists and not is_kept:
                # No other process knows of it: whatever is kept from now on is newer.
                outcome.generation = generation - 1
        if self._flight.is_forgotten:
            self._store.clear()
        return outcome

    def _previous(self) -> Grant | None:
        """The account's last token: what the cache says, where there is one that can be asked."""
        grant = self._kept if self._store.is_used else self._memory.last
        return None if grant is None or self._memory.is_forgotten(grant) else grant

    def _keep_previous(self, token: Token) -> bool:
        """Keep this instead of the last token: it is the same, with or without its refresh token."""
        previous = self._previous()
        if previous is None:
            return False
        changed = Grant(token, previous.login_id, self._clock, generation=previous.generation)
        if self._store.exists and not self._store.keep_token(changed):
            return False
        self._kept = changed
        with state_lock():
            self._memory.change(changed)
        return True

    def _learn(self, failure: Failure, rejection_cooldown: float) -> None:
        if failure.is_refusal and rejection_cooldown > 0:
            # Kept first: once it is remembered, whoever finds it missing there takes it for forgotten.
            self._store.keep_refusal(failure, rejection_cooldown)
            self._remember(failure, rejection_cooldown)
        elif failure.retry_after:
            self._remember(failure, min(failure.retry_after, _LONGEST_WAIT))

    def _remember(self, failure: Failure, seconds: float) -> None:
        with state_lock():
            if not self._flight.is_forgotten:
                self._memory.remember(failure, seconds)
