"""A mapping that an argument gives, written down as JSON once."""

from __future__ import annotations

import json
from collections.abc import Mapping


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
