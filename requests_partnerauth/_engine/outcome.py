"""The two ways in which a login ends: a grant, or a failure that many callers share."""

from __future__ import annotations

import math
from typing import NamedTuple

import requests

from .._token import Token
from ..errors import LoginRejected, PartnerAuthError
from .clock import Clock


class Grant:
    """A token as this process holds it: by the login it came from, with its deadlines on this clock.

    Two grants of the same value are two. `accepted` tells whether the partner ever took the token,
    `after_refusal` whether it was got because another had been refused.
    """

    __slots__ = (
        "accepted", "after_refusal", "cooling_until", "due_at", "ends_at", "login_id",
        "timed", "token", "value",
    )  # fmt: skip

    def __init__(self, token: Token, login_id: str, clock: Clock, *, after_refusal: bool = False) -> None:
        self.token = token
        self.value = token.value
        self.login_id = login_id
        self.after_refusal = after_refusal
        self.accepted = False
        self.cooling_until = -math.inf
        self.timed = False
        self.due_at = self.ends_at = math.inf
        if token.expires_at is not None:
            # A preset token may have ended before it was handed over; a login's has no such end.
            lifetime = token.lifetime or 0.0
            self.timed = True
            self.ends_at = clock.monotonic() + token.expires_at - clock.wall()
            self.due_at = self.ends_at - min(lifetime / 5, 60.0)

    def __repr__(self) -> str:
        return f"Grant({self.token!r})"

    def is_from_login_of(self, other: Grant | None) -> bool:
        """Whether both hold the token of one and the same login."""
        return other is not None and self.login_id == other.login_id

    def has_ended(self, clock: Clock) -> bool:
        """Whether the token is past its end."""
        return clock.monotonic() >= self.ends_at

    @property
    def has_cooled(self) -> bool:
        """Whether it was ever put on the refresh cooldown."""
        return self.cooling_until > -math.inf

    def is_due(self, clock: Clock) -> bool:
        """Whether it is time to refresh it ahead of its end."""
        return clock.monotonic() >= self.due_at

    def put_off(self, seconds: float, clock: Clock) -> None:
        """A refresh ahead failed: the next try comes after a pause, or when the token has ended."""
        self.due_at = min(clock.monotonic() + seconds, self.ends_at)


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

    def error(self, response: requests.Response | None = None) -> PartnerAuthError:
        """A new exception that tells it; `response` is the refused API response, if there was one."""
        if self.kind is LoginRejected:
            return LoginRejected(
                self.message, code=self.code, partner_message=self.partner_message, response=response
            )
        return self.kind(self.message, response=response)
