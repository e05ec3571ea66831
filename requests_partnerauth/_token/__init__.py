"""Token: what a login gives."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from .arguments import cookies_of, details_of, end_of, refresh_token_of, seconds_of, unit_of, value_of

if TYPE_CHECKING:
    from typing_extensions import Self

LIKE_A_SECRET = 16
"""How many characters make a text that nobody named look like a secret."""


class Token:
    """What a login gave. A value: it never changes; a refresh makes another one.

    Args:
        value: What goes into each request, 16,384 characters at most. Never shown in the repr.
        issued_at: When it was issued, in epoch seconds; now, unless told otherwise.
        expires_at: When it ends, in epoch seconds; None means no known end. `until` reads dates and texts.
        refresh_token: What `refresh_request` gets a new token by, where the partner has that.
        details: What else the login said, as a read-only mapping.
        cookies: Cookies of the login that travel with the token, names and values: a load balancer's, say.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    __slots__ = (
        "__weakref__", "_cookies", "_details", "_is_lasting",
        "expires_at", "issued_at", "refresh_token", "value",
    )  # fmt: skip

    def __init__(
        self,
        value: str,
        issued_at: float | None = None,
        expires_at: float | None = None,
        refresh_token: str | None = None,
        details: Mapping[str, Any] | None = None,
        *,
        cookies: Mapping[str, str] | None = None,
        _is_lasting: bool = False,
    ) -> None:
        self.value: Final = value_of(value)
        self.issued_at: Final = time.time() if issued_at is None else issued_at
        self.expires_at: Final = end_of(expires_at)
        self.refresh_token: Final = refresh_token_of(refresh_token)
        self._details: Final = details_of(details)
        self._cookies: Final = cookies_of(cookies)
        self._is_lasting: Final = _is_lasting

    def __setattr__(self, name: str, value: object) -> None:
        # An unpickled or copied one gets its attributes here too, each once.
        if hasattr(self, name):
            raise AttributeError("a Token never changes: make another one")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Token never changes: make another one")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(issued_at={self.issued_at!r}, expires_at={self.expires_at!r})"

    def __eq__(self, other: object) -> bool:
        return self._told_apart_by() == other._told_apart_by() if isinstance(other, Token) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._told_apart_by())

    def __replace__(self, **changes: Any) -> Self:
        """Another token, with these arguments changed; what ``copy.replace`` calls."""
        arguments: dict[str, Any] = {
            "value": self.value, "issued_at": self.issued_at, "expires_at": self.expires_at,
            "refresh_token": self.refresh_token, "details": self._details, "cookies": self._cookies,
            "_is_lasting": self._is_lasting,
        }  # fmt: skip
        return type(self)(**{**arguments, **changes})

    def _told_apart_by(self) -> tuple[object, ...]:
        return self.value, self.issued_at, self.expires_at, self.refresh_token

    @property
    def details(self) -> Mapping[str, Any]:
        """What else the login said, read-only."""
        return MappingProxyType(self._details)

    @property
    def cookies(self) -> Mapping[str, str]:
        """Cookies that travel with the token, read-only."""
        return MappingProxyType(self._cookies)

    @property
    def fingerprint(self) -> str:
        """A short name for log lines, the same for all the token's life; it does not tell the value."""
        return fingerprint(self.value)

    @property
    def lifetime(self) -> float | None:
        """Seconds from issue to end, at least one; None for no known end, or one before the issue."""
        if self.expires_at is None or self.expires_at <= self.issued_at:
            return None
        return max(1.0, self.expires_at - self.issued_at)

    @classmethod
    def lasting(
        cls,
        value: str,
        lifetime: object,
        *,
        unit: timedelta | float = timedelta(seconds=1),
        refresh_token: str | None = None,
        details: Mapping[str, Any] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Token:
        """A token with a lifetime as a partner states it, counted from when the login was sent.

        Args:
            value: The token.
            lifetime: How many units it lives: a number or a numeric text. Anything that is no
                positive number means no known end.
            unit: What one unit of `lifetime` is: a timedelta, or a number of seconds.
            refresh_token: See `Token`.
            details: See `Token`.
            cookies: See `Token`.

        Raises:
            ValueError: An argument is not what it should be; the message begins with its name.
        """
        now, seconds = time.time(), seconds_of(lifetime, unit_of(unit))
        return cls(
            value,
            issued_at=now,
            expires_at=None if seconds is None else now + seconds,
            refresh_token=refresh_token,
            details=details,
            cookies=cookies,
            _is_lasting=True,
        )

    @classmethod
    def until(
        cls,
        value: str,
        end: float | datetime | str,
        *,
        refresh_token: str | None = None,
        details: Mapping[str, Any] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Token:
        """A token with an end as a partner names it; that end is not moved.

        Args:
            value: The token.
            end: Epoch seconds, a datetime that knows its timezone, an ISO 8601 text with its offset
                (``2030-01-31T12:00:00Z``), or an HTTP date.
            refresh_token: See `Token`.
            details: See `Token`.
            cookies: See `Token`.

        Raises:
            ValueError: An argument is not what it should be; the message begins with its name.
        """
        from .moments import moment

        ends_at = moment(end)
        if ends_at is None:
            raise ValueError(
                "end: epoch seconds, a datetime with its timezone, an ISO 8601 text with its offset "
                "or an HTTP date is wanted"
            )
        return cls(value, expires_at=ends_at, refresh_token=refresh_token, details=details, cookies=cookies)

    @classmethod
    def from_jwt(
        cls,
        value: str,
        *,
        refresh_token: str | None = None,
        details: Mapping[str, Any] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Token:
        """A token that is a JSON Web Token, with the end that its payload names as ``exp``.

        Without ``exp`` it has no known end. The signature is not checked, nor is anything else in it: that is
        the partner's business, and what is read here decides when to log in again, nothing more.

        Args:
            value: The token, without ``Bearer`` before it.
            refresh_token: See `Token`.
            details: See `Token`.
            cookies: See `Token`.

        Raises:
            ValueError: An argument is not what it should be; the message begins with its name.
        """
        from .moments import end_of_jwt

        token = cls(value, refresh_token=refresh_token, details=details, cookies=cookies)
        try:
            end = end_of_jwt(value)
        except (ValueError, RecursionError):
            pass
        else:
            return token.__replace__(expires_at=end)
        # Raised outside the except: what the decoder says may quote the value.
        raise ValueError("value: a JSON Web Token with a readable payload and exp is wanted")


def secrets_of(token: Token) -> list[str]:
    """What may be shown of no token: value, cookies, refresh token, longer texts among its details."""
    details = (text for text in texts_in(dict(token.details)) if len(text) >= LIKE_A_SECRET)
    refresh_token = [token.refresh_token] if token.refresh_token else []
    return [token.value, *token.cookies.values(), *refresh_token, *details]


def texts_in(value: Any) -> Iterator[str]:
    """All texts in what was read from JSON, but for the names of members."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (list, tuple)):
            waiting += value


def fingerprint(value: str) -> str:
    """Eight hex digits that name a token without telling it."""
    return hashlib.sha256(value.encode()).hexdigest()[:8]


def counted_from(token: Token, sent_at: float, now: float) -> Token:
    """The token as of when it was asked for: a lifetime counts from then, an end that was named stays.

    An end that has passed when it comes is none: clocks differ, and each request would log in.
    """
    if token._is_lasting:
        lifetime = token.lifetime
        expires_at = None if lifetime is None else max(sent_at + lifetime, now + 1.0)
    else:
        expires_at = None if token.expires_at is None or token.expires_at <= now else token.expires_at
    return token.__replace__(issued_at=sent_at, expires_at=expires_at)
