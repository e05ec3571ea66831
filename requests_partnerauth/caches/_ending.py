"""When an entry may go, written in front of it where the place itself knows no end.

It saves opening what has ended. Whoever can write to the place can move it, and gains nothing: the end
that decides is part of what is sealed.
"""

from __future__ import annotations

import math
import struct
import time

LONGEST = 8 * 1024 * 1024
"""What an entry may have at most, in bytes: none that was written here comes near it."""

_MARK = b"PAE1"
_HEADER = struct.Struct(">4sd")


def with_end(value: bytes, ttl: float | None) -> bytes:
    """The value with its end in front; a `ttl` of None has no end."""
    return _HEADER.pack(_MARK, math.inf if ttl is None else time.time() + ttl) + value


def until_end(entry: bytes) -> bytes | None:
    """The value of an entry, None where it has ended. What was not written here is given back as it is."""
    if len(entry) < _HEADER.size or not entry.startswith(_MARK):
        return entry
    _, ends_at = _HEADER.unpack_from(entry)
    return None if time.time() >= ends_at else entry[_HEADER.size :]
