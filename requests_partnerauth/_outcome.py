"""The two ways in which a login ends: a grant, or a failure that many callers share."""

from __future__ import annotations

import math

import attrs
import requests

from ._clock import Clock
from ._token import Token
from .errors import LoginRejected, PartnerAuthError


@attrs.define(eq=False)
class Grant:
    """A token as this process holds it: by the login it came from, with its deadlines on this clock.

    Two grants of the same value are two. `accepted` tells whether the partner ever took the token,
    `after_refusal` whether it was got because another had been refused.
    """

    token: Token
    login_id: str
    value: str = attrs.field(repr=False)
    due_at: float = math.inf
    due_at_wall: float = math.inf
    ends_at: float = math.inf
    ends_at_wall: float = math.inf
    timed: bool = False
    after_refusal: bool = False
    accepted: bool = False
    cooling_until: float = -math.inf

    @classmethod
    def of(cls, token: Token, login_id: str, clock: Clock, *, after_refusal: bool = False) -> Grant:
        """A grant whose deadlines follow from the token's end and the present time."""
        grant = cls(token, login_id, token.value, after_refusal=after_refusal)
        lifetime = token.lifetime
        if lifetime is not None and token.expires_at is not None:
            left = token.expires_at - clock.wall()
            early = min(lifetime / 5, 60.0)
            grant.timed = True
            grant.ends_at, grant.ends_at_wall = clock.monotonic() + left, token.expires_at
            grant.due_at, grant.due_at_wall = grant.ends_at - early, token.expires_at - early
        return grant

    def is_from_login_of(self, other: Grant | None) -> bool:
        """Whether both hold the token of one and the same login."""
        return other is not None and self.login_id == other.login_id

    def has_ended(self, clock: Clock) -> bool:
        """Whether the token is past its end, by either clock."""
        return self.timed and (clock.monotonic() >= self.ends_at or clock.wall() >= self.ends_at_wall)

    def is_due(self, clock: Clock) -> bool:
        """Whether it is time to refresh it ahead of its end."""
        return self.timed and (clock.monotonic() >= self.due_at or clock.wall() >= self.due_at_wall)

    def put_off(self, seconds: float, clock: Clock) -> None:
        """A refresh ahead failed: the next try comes after a pause."""
        self.due_at = clock.monotonic() + seconds
        self.due_at_wall = clock.wall() + seconds


@attrs.frozen
class Failure:
    """Why a login failed, without any secret. Every caller gets an exception object of its own."""

    kind: type[PartnerAuthError]
    message: str
    code: str | None = None
    partner_message: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the credentials were refused, which is remembered."""
        return self.kind is LoginRejected

    def error(self, response: requests.Response | None = None) -> PartnerAuthError:
        """A new exception that tells it; `response` is the refused API response, if there was one."""
        if self.kind is LoginRejected:
            return LoginRejected(
                self.message, code=self.code, partner_message=self.partner_message, response=response
            )
        return self.kind(self.message, response=response)
