"""Documents that go out and come back: a mapping written down as JSON once, and the token in a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidLoginResponse


def json_document(argument: str, value: object, wanted: str = "a mapping") -> str:
    """The compact JSON text of a mapping, which what the caller does to it later can't change.

    Raises:
        ValueError: It is none, or holds what JSON can't; the message begins with the argument's name.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{argument}: {wanted} is wanted, not {type(value).__name__}")
    try:
        document = json.dumps(dict(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        document.encode()
        return document
    except (TypeError, ValueError, RecursionError):
        pass
    # Raised outside the except: what the encoder says may quote the value.
    raise ValueError(f"{argument}: it holds something that JSON can't")


def token_in(reply: dict[str, Any], name: str) -> str:
    """The token that stands under a name, taken out of the reply: what is left are its details.

    Raises:
        InvalidLoginResponse: There is none.
    """
    value = reply.pop(name, None)
    if not isinstance(value, str) or not value.strip():
        raise InvalidLoginResponse(f"no {name}")
    return value
