"""What an account remembers in this process, beside its current token."""

from __future__ import annotations

from collections.abc import Iterable

from .clock import Clock
from .locks import ForkSafeLock
from .outcome import Failure, Grant

state_lock = ForkSafeLock()
"""Held for a few instructions while the state of an account changes; never during a login or a look into a
cache. One for all accounts: nobody waits for it longer than that."""

_EARLIER = 4


class Memory:
    """An account's last token, which one was the newest, and why it may not log in for now.

    `last` is what a login flow begins with. A failure is remembered where the partner refused the
    credentials, or said when it wants to be asked again.

    Args:
        clock: What tells the time.
    """

    __slots__ = (
        "_clock", "_earlier", "_failure", "_failure_until", "_forgotten", "_seen", "_sent", "_used", "last",
    )  # fmt: skip

    def __init__(self, clock: Clock) -> None:
        self.last: Grant | None = None
        self._clock = clock
        self._earlier: tuple[Grant, ...] = ()
        self._failure: Failure | None = None
        self._failure_until = 0.0
        self._seen = 0
        self._used = self._forgotten = 0
        self._sent = ""

    def see(self, grant: Grant) -> None:
        """There is this token: the next one is of a higher generation."""
        self._seen = max(self._seen, grant.generation)

    def use(self, grant: Grant) -> None:
        """Under the lock: this token becomes the current one, and no older one takes its place."""
        self.see(grant)
        self._used = max(self._used, grant.generation)
        if self.last is not None and not grant.is_from_login_of(self.last):
            self._earlier = (*self._earlier, self.last)[-_EARLIER:]
        self.last = grant

    def change(self, grant: Grant) -> None:
        """Under the lock: the last token, with or without its refresh token; what it held is still secret."""
        if self.last is not None and grant.is_from_login_of(self.last):
            self._earlier = (*self._earlier, self.last)[-_EARLIER:]
            self.last = grant

    @property
    def next_generation(self) -> int:
        """Of a token that is newer than all that were seen."""
        return self._seen + 1

    def is_newer(self, grant: Grant) -> bool:
        """Whether this token is newer than any that was ever used here, refused ones included.

        Of two of one generation, which processes gave that logged in without each other, neither is: both
        may have ended by now, and whoever tries the other's would hand out a refusal.
        """
        return grant.generation > self._used

    def is_forgotten(self, grant: Grant) -> bool:
        """Whether this token was there when everything was forgotten."""
        return grant.generation <= self._forgotten

    def forget(self) -> None:
        """Under the lock: there is no last token any more."""
        if self.last is not None:
            self._earlier = (*self._earlier, self.last)[-_EARLIER:]
        self.last = None
        self._forgotten = self._used

    def hidden(self) -> list[str]:
        """What the latest logins sent and the latest tokens held: a partner's words may repeat any of it."""
        return [*self._sent.split("\0"), *(text for grant in self._lately() for text in grant.hidden())]

    def sent(self, values: Iterable[str]) -> None:
        """What a login sent: a partner's words may repeat that too, also after the next one."""
        if new := list(values):
            # One text, which takes half of what a tuple of them does.
            known = dict.fromkeys((*new, *self._sent.split("\0")))
            self._sent = "\0".join(list(known)[: _EARLIER * len(new)])

    def carried(self) -> list[str]:
        """What requests held of those tokens: a redirect may repeat any of it."""
        return [text for grant in self._lately() for text in grant.carried]

    def _lately(self) -> list[Grant]:
        with state_lock():
            return [*self._earlier, *([] if self.last is None else [self.last])]

    def remember(self, failure: Failure, seconds: float) -> None:
        """Under the lock: for so long, nobody logs in."""
        self._failure = failure
        self._failure_until = self._clock.monotonic() + seconds

    def failure(self) -> Failure | None:
        """Why nobody logs in for now, or None."""
        failure, left = self._failure, self._failure_until - self._clock.monotonic()
        if failure is None or left <= 0:
            return None
        return failure if failure.retry_after is None else failure._replace(retry_after=left)

    def drop_failure(self, failure: Failure | None = None) -> None:
        """Logins are free again; where a failure is given, only if it is still the one that is remembered."""
        with state_lock():
            if failure is None or failure is self._failure:
                self._failure = None

    @property
    def refusal(self) -> Failure | None:
        """The remembered refusal of the credentials, or None."""
        failure = self._failure
        return failure if failure is not None and failure.is_refusal else None
