"""Token: what a login gives."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import attrs

LIKE_A_SECRET = 16
"""How many characters make a text that nobody named look like a secret."""

_LONGEST = 16_384
_COOKIE_NAME = r"[!#-+\--:<>-~]+"
_NOTHING: Mapping[str, Any] = {}


def _check_value(instance: Token, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("value: a token is a text that is not empty")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ValueError("value: a token is printable ASCII without spaces around it")
    if len(value) > _LONGEST:
        raise ValueError(f"value: a token has {_LONGEST:,} characters at most")


def _end(seconds: object) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError("expires_at: a number of epoch seconds is wanted; Token.until reads dates and texts")
    return _finite(seconds)


def _finite(number: float) -> float | None:
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None


def _copied(details: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return dict(details) if details else _NOTHING


def _cookies(cookies: object) -> Mapping[str, str]:
    if not cookies:
        return _NOTHING
    if not isinstance(cookies, Mapping):
        raise ValueError("cookies: a mapping of names to values is wanted")
    if not all(is_cookie(name, value) for name, value in cookies.items()):
        raise ValueError("cookies: a name or value is none that a Cookie header can carry")
    return dict(cookies)


@attrs.frozen(kw_only=False)
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

    value: str = attrs.field(repr=False, validator=_check_value)
    issued_at: float = attrs.field(factory=time.time)
    expires_at: float | None = attrs.field(default=None, converter=_end)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    _details: Mapping[str, Any] = attrs.field(
        default=_NOTHING, repr=False, eq=False, converter=_copied, alias="details"
    )
    _cookies: Mapping[str, str] = attrs.field(
        default=_NOTHING, repr=False, eq=False, converter=_cookies, alias="cookies", kw_only=True
    )
    _is_lasting: bool = attrs.field(default=False, repr=False, eq=False, alias="_is_lasting", kw_only=True)

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
        now, seconds = time.time(), _seconds(lifetime, _unit(unit))
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
            return attrs.evolve(token, expires_at=end)
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


def is_cookie(name: object, value: object) -> bool:
    """Whether a Cookie header can carry this name and value."""
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and re.fullmatch(_COOKIE_NAME, name) is not None
        and ";" not in value
        and value.isprintable()
        and value == value.strip()
        and all(character <= "\xff" for character in value)
    )


def counted_from(token: Token, sent_at: float, now: float) -> Token:
    """The token as of when it was asked for: a lifetime counts from then, an end that was named stays.

    An end that has passed when it comes is none: clocks differ, and each request would log in.
    """
    if token._is_lasting:
        lifetime = token.lifetime
        expires_at = None if lifetime is None else max(sent_at + lifetime, now + 1.0)
    else:
        expires_at = None if token.expires_at is None or token.expires_at <= now else token.expires_at
    return attrs.evolve(token, issued_at=sent_at, expires_at=expires_at)


def _unit(unit: object) -> float:
    """Seconds in one unit."""
    seconds = unit.total_seconds() if isinstance(unit, timedelta) else unit
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
        raise ValueError("unit: a timedelta or a number of seconds is wanted, above zero")
    return seconds


def _seconds(lifetime: object, unit: float) -> float | None:
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float, str)):
        return None
    try:
        seconds = float(lifetime) * unit
    except (ValueError, OverflowError):
        return None
    return max(1.0, seconds) if math.isfinite(seconds) and seconds > 0 else None
