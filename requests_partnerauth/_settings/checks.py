"""Checks of constructor arguments: what is wrong, with which argument, and never its value."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import requests

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def text(argument: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str):
        raise ValueError(f"{argument}: a text is wanted, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{argument}: may not be empty")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{argument}: it holds a lone surrogate, which UTF-8 can't carry")
    return value


def text_or_number(argument: str, value: object) -> str:
    """A text that is not empty; a whole number counts as its digits."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return text(argument, str(value) if is_number else value)


def flag(argument: str, value: object) -> bool:
    """True or False, and nothing that merely counts as one of them, as "no" counts as True."""
    if not isinstance(value, bool):
        raise ValueError(f"{argument}: True or False is wanted, not {type(value).__name__}")
    return value


def own_text(attribute: str, value: object) -> str | None:
    """A text, or none, that a class of the user's own has as an attribute.

    Raises:
        TypeError: It is something else; the message names the attribute, never the value.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{attribute}: a text is wanted, not {type(value).__name__}")
    return value


class _FromSuper:
    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        raise TypeError(f"{owner.__name__}.__init__ must call super().__init__(base_url=..., **common)")


def from_super() -> Any:
    """Stands in a class for what its ``__init__`` sets, and says so where a subclass has not called that."""
    return _FromSuper()


def one_of(argument: str, value: object, choices: tuple[str, ...]) -> str:
    """One of a few words."""
    if value not in choices:
        raise ValueError(f"{argument}: one of {', '.join(choices)} is wanted")
    return str(value)


def header_name(argument: str, value: object) -> str:
    """The name of an HTTP header."""
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        raise ValueError(f"{argument}: the name of an HTTP header is wanted")
    return value


def header_prefix(argument: str, value: object) -> str:
    """What may stand before a token in a header."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value[:1] == " ":
        raise ValueError(f"{argument}: printable ASCII without a leading blank is wanted")
    return value


def _finite(value: object) -> float | None:
    """A number that a float can hold; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    with suppress(OverflowError):
        return float(value) if math.isfinite(value) else None
    return None


def seconds(argument: str, value: object) -> float:
    """A number of seconds, zero or more."""
    number = _finite(value)
    if number is None or number < 0:
        raise ValueError(f"{argument}: a number of seconds, zero or more, is wanted")
    return number


def epoch_seconds(argument: str, value: object) -> None:
    """A moment in epoch seconds; None where there is none."""
    if value is not None and _finite(value) is None:
        raise ValueError(f"{argument}: a number of epoch seconds is wanted, or None")


def timeouts(argument: str, value: object) -> tuple[float, float]:
    """Seconds to connect and to read, from a pair or from one number for both."""
    pair = [_finite(part) for part in (value if isinstance(value, (tuple, list)) else (value, value))]
    known = [part for part in pair if part is not None and part > 0]
    if len(pair) != 2 or len(known) != 2:
        raise ValueError(
            f"{argument}: seconds above zero are wanted, one number or (connect, read); "
            "a login without a limit could hang every thread that waits for it"
        )
    # The very pair that was given, the default's above all: each auth keeps it.
    return value if value == tuple(known) and isinstance(value, tuple) else (known[0], known[1])


def session(argument: str, value: object) -> requests.Session | None:
    """A session, or none."""
    if value is not None and not isinstance(value, requests.Session):
        raise ValueError(f"{argument}: a requests.Session is wanted")
    return value


def token_cache(argument: str, value: Any) -> Any:
    """Something with the four words of a token cache."""
    words = ("get", "set", "delete", "lock")
    if isinstance(value, type) or not all(callable(getattr(value, word, None)) for word in words):
        raise ValueError(f"{argument}: a token cache is wanted: get, set, delete, lock")
    if hasattr(value, "execute_command"):
        raise ValueError(f"{argument}: a Redis client is none by itself: RedisTokenCache(client)")
    return value


def markers(argument: str, value: object) -> None:
    """A collection of bytes."""
    if (
        isinstance(value, (str, bytes))
        or not isinstance(value, Iterable)
        or not all(isinstance(marker, bytes) for marker in value)
    ):
        raise ValueError(f'{argument}: a tuple of bytes is wanted, such as (b"expired",)')


def placement(argument: str, value: Any) -> Any:
    """Something with the words of a placement."""
    if isinstance(value, str):
        raise ValueError(
            f'{argument}: a placement is wanted, not a text: HeaderPlacement("the header\'s name")'
        )
    words = ("place", "remove", "carries", "can_carry", "header")
    if isinstance(value, type) or not all(callable(getattr(value, word, None)) for word in words):
        raise ValueError(
            f"{argument}: a placement is wanted: HeaderPlacement, CookiePlacement, QueryPlacement, "
            "SessionFieldsPlacement, or an object of a Placement class of your own"
        )
    return value


def span(argument: str, value: object) -> timedelta:
    """A span of time above zero; a number is one of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with suppress(OverflowError, ValueError):
            value = timedelta(seconds=value)
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise ValueError(
            f"{argument}: a span of time above zero is wanted: a timedelta, such as timedelta(minutes=1), "
            "or seconds"
        )
    return value


def path(argument: str, value: object) -> str:
    """The path of a URL, as it is appended to a base URL."""
    value = text(argument, value)
    is_plain = value.isascii() and value.isprintable() and not any(sign in value for sign in " ?#\\")
    if not is_plain or not value.startswith("/") or value.startswith("//"):
        raise ValueError(
            f"{argument}: a path is wanted that begins with / and has no query, such as /login; "
            "the address goes into base_url"
        )
    return value


def base64_bytes(argument: str, value: object, length: int) -> str:
    """The base64 text of so many bytes."""
    try:
        decoded = base64.b64decode(text(argument, value), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        decoded = b""
    if len(decoded) != length:
        # Raised outside the except: what the decoder says may quote the value.
        raise ValueError(f"{argument}: the base64 text of {length} bytes is wanted")
    return str(value)


def header_value(argument: str, value: object) -> str:
    """A text that can stand in an HTTP header."""
    value = text(argument, value)
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError(f"{argument}: printable ASCII without blanks around it is wanted")
    return value


def user_and_password(argument: str, value: object) -> tuple[str, str]:
    """A pair of user name and password."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{argument}: a pair (user, password) is wanted")
    user, password = text(argument, value[0]), text(argument, value[1])
    if ":" in user:
        raise ValueError(f"{argument}: HTTP Basic allows no colon in the user name")
    return user, password
