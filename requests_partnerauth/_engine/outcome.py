"""The two ways in which a login ends: a grant, or a failure that many callers share."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

from .._token import Token, secrets_of
from ..errors import LoginRejected, LoginUnavailable, PartnerAuthError
from .clock import Clock

_serials = itertools.count(1)


class Grant:
    """A token as this process holds it: by the login it came from, with its deadlines on both clocks.

    Two grants of the same value are two. Of an account's grants in a cache the one of the higher generation
    is newer, whichever process or host it came from; of those in this process, that of the higher `serial`.
    `is_own` tells that a login of this process gave it.
    """

    __slots__ = (
        "due_at", "due_at_wall", "ends_at", "ends_at_wall", "generation", "is_own", "login_id",
        "serial", "timed", "token", "value",
    )  # fmt: skip

    def __init__(
        self, token: Token, login_id: str, clock: Clock, *, generation: int, is_own: bool = False
    ) -> None:
        self.token = token
        self.value = token.value
        self.login_id = login_id
        self.generation = generation
        self.serial = next(_serials)
        self.is_own = is_own
        self.timed = token.expires_at is not None
        self.due_at = self.ends_at = self.due_at_wall = self.ends_at_wall = math.inf
        if token.expires_at is not None:
            # The steady clock may have stood still with the machine, and the wall clock may be set: the
            # earlier end holds. A preset token may have ended before it was handed over.
            ahead = min((token.lifetime or 0.0) / 5, 60.0)
            self.ends_at_wall = token.expires_at
            self.ends_at = clock.monotonic() + token.expires_at - clock.wall()
            self.due_at, self.due_at_wall = self.ends_at - ahead, self.ends_at_wall - ahead

    def __repr__(self) -> str:
        return f"Grant({self.token!r})"

    def is_from_login_of(self, other: Grant | None) -> bool:
        """Whether both hold the token of one and the same login."""
        return other is not None and self.login_id == other.login_id

    def has_ended(self, clock: Clock) -> bool:
        """Whether the token is past its end."""
        return self.timed and (clock.monotonic() >= self.ends_at or clock.wall() >= self.ends_at_wall)

    def is_due(self, clock: Clock) -> bool:
        """Whether it is time to refresh it ahead of its end."""
        return self.timed and (clock.monotonic() >= self.due_at or clock.wall() >= self.due_at_wall)

    def put_off(self, seconds: float, clock: Clock) -> None:
        """A refresh ahead failed: the next try comes after a pause, or when the token has ended."""
        self.due_at = min(clock.monotonic() + seconds, self.ends_at)
        self.due_at_wall = min(clock.wall() + seconds, self.ends_at_wall)

    @property
    def carried(self) -> tuple[str, ...]:
        """What a request holds of it: the token, and the cookies that travel with it."""
        return (self.value, *self.token.cookies.values())

    def hidden(self) -> list[str]:
        """All that a partner's words may repeat of it, and no message may."""
        return secrets_of(self.token)


class Failure(NamedTuple):
    """Why a login failed, without any secret. Every caller gets an exception object of its own.

    `is_refusal` tells that the credentials were refused, or may have been: that is remembered.
    `retry_after` are the seconds before which the partner does not want to be asked again; None where it
    named none. `bug` is an exception of the partner class's author, for whoever logs in to see as it is.
    """

    kind: type[PartnerAuthError]
    message: str
    code: str | None = None
    partner_message: str = ""
    is_refusal: bool = False
    retry_after: float | None = None
    bug: Exception | None = None

    def error(self, response: Any = None) -> PartnerAuthError:
        """A new exception that tells it; `response` is the refused API response, if there was one."""
        if self.kind is LoginRejected:
            return LoginRejected(
                self.message, code=self.code, partner_message=self.partner_message, response=response
            )
        if issubclass(self.kind, LoginUnavailable):
            return self.kind(self.message, retry_after=self.retry_after, response=response)
        return self.kind(self.message, response=response)
