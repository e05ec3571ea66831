"""Token: what a login gives."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import attrs


def _check_value(instance: Token, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("value: a token is a text that is not empty")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ValueError("value: a token is printable ASCII without spaces around it")


def _finite(seconds: float | None) -> float | None:
    if seconds is None or isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    return float(seconds) if math.isfinite(seconds) else None


_NO_DETAILS: Mapping[str, Any] = {}


def _copied(details: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(details) if details else _NO_DETAILS


@attrs.frozen(kw_only=False)
class Token:
    """What a login gave. A value: it never changes; a refresh makes another one.

    Args:
        value: What goes into each request. Never shown in the repr.
        issued_at: When it was issued, in epoch seconds; now, unless told otherwise.
        expires_at: When it ends, in epoch seconds; None means no known end.
        refresh_token: Kept where the partner grants one (Fiserv partner); nothing here uses it.
        details: What else the login said, as a read-only mapping.
    """

    value: str = attrs.field(repr=False, validator=_check_value)
    issued_at: float = attrs.field(factory=time.time)
    expires_at: float | None = attrs.field(default=None, converter=_finite)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    cookies: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    _details: Mapping[str, Any] = attrs.field(
        default=_NO_DETAILS, repr=False, eq=False, converter=_copied, alias="details"
    )

    @property
    def details(self) -> Mapping[str, Any]:
        """What else the login said, read-only."""
        return MappingProxyType(self._details)

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
        unit: timedelta = timedelta(seconds=1),
        refresh_token: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Token:
        """A token issued now, with a lifetime as a partner states it.

        Args:
            value: The token.
            lifetime: How many units it lives: a number or a numeric text. Anything that is no
                positive number means no known end.
            unit: What one unit of `lifetime` is.
            refresh_token: See `Token`.
            details: See `Token`.

        Raises:
            TypeError: `unit` is no timedelta.
            ValueError: `value` is no text that can stand in a header.
        """
        if not isinstance(unit, timedelta):
            raise TypeError(f"unit: a timedelta is wanted, not {type(unit).__name__}")
        now = time.time()
        seconds = _seconds(lifetime, unit)
        return cls(
            value,
            issued_at=now,
            expires_at=None if seconds is None else now + seconds,
            refresh_token=refresh_token,
            details=details or {},
        )


def fingerprint(value: str) -> str:
    """Eight hex digits that name a token without telling it."""
    return hashlib.sha256(value.encode()).hexdigest()[:8]


def counted_from(token: Token, sent_at: float, now: float) -> Token:
    """The token with its life counted from when it was asked for, not from when the answer was read."""
    lifetime = token.lifetime
    expires_at = None if lifetime is None else max(sent_at + lifetime, now + 1.0)
    return attrs.evolve(token, issued_at=sent_at, expires_at=expires_at)


def _seconds(lifetime: object, unit: timedelta) -> float | None:
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float, str)):
        return None
    try:
        seconds = float(lifetime) * unit.total_seconds()
    except (ValueError, OverflowError):
        return None
    return max(1.0, seconds) if math.isfinite(seconds) and seconds > 0 else None
