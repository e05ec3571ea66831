"""What a token is made of: each argument checked, told by its name where it is wrong, and never quoted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

_LONGEST = 16_384
_COOKIE_NAME = r"[!#-+\--:<>-~]+"
_NOTHING: Mapping[str, Any] = {}


def value_of(value: object) -> str:
    """A text that a header can carry."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("value: a token is a text that is not empty")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ValueError("value: a token is printable ASCII without spaces around it")
    if len(value) > _LONGEST:
        raise ValueError(f"value: a token has {_LONGEST:,} characters at most")
    return value


def end_of(seconds: object) -> float | None:
    """Epoch seconds; None for no known end."""
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


def refresh_token_of(refresh_token: object) -> str | None:
    """A text that a request can send."""
    if refresh_token is not None and not isinstance(refresh_token, str):
        raise ValueError("refresh_token: a text or None is wanted")
    return refresh_token


def details_of(details: object) -> Mapping[str, Any]:
    """A copy, for what is given may change."""
    if not details:
        return _NOTHING
    if not isinstance(details, Mapping):
        raise ValueError("details: a mapping is wanted")
    return dict(details)


def cookies_of(cookies: object) -> Mapping[str, str]:
    """A copy of a mapping of names to values that a Cookie header can carry."""
    if not cookies:
        return _NOTHING
    if not isinstance(cookies, Mapping):
        raise ValueError("cookies: a mapping of names to values is wanted")
    if not all(is_cookie(name, value) for name, value in cookies.items()):
        raise ValueError("cookies: a name or value is none that a Cookie header can carry")
    if sum(len(name) + len(value) for name, value in cookies.items()) > _LONGEST:
        raise ValueError(f"cookies: those of a token have {_LONGEST:,} characters at most")
    return dict(cookies)


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


def unit_of(unit: object) -> float:
    """Seconds in one unit."""
    seconds = unit.total_seconds() if isinstance(unit, timedelta) else unit
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
        raise ValueError("unit: a timedelta or a number of seconds is wanted, above zero")
    return seconds


def seconds_of(lifetime: object, unit: float) -> float | None:
    """How long so many units last, one second at least; None for what is no positive number."""
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float, str)):
        return None
    try:
        seconds = float(lifetime) * unit
    except (ValueError, OverflowError):
        return None
    return max(1.0, seconds) if math.isfinite(seconds) and seconds > 0 else None
