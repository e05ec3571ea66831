"""The body of a login's reply: read and decoded as far as any such reply goes, and no further."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import requests

Body = TypeVar("Body", bytes, bytearray)

_LARGEST = 256 * 1024
_PIECE = 1024
_WBITS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


class Unreadable(Exception):
    """What stands in the body of a reply is not to be read. Says why, and quotes nothing."""

    response: requests.Response | None = None


def body_of(response: requests.Response, is_over: Callable[[], bool]) -> bytes:
    """All of it, decoded.

    Raises:
        Unreadable: It is too long, or in an encoding that is not read.
        requests.RequestException, urllib3.exceptions.HTTPError: It breaks off.
    """
    if getattr(response, "_content", False) is not False:
        # A mock's, or a cache's: it has been read.
        return _not_too_long(response.content)
    return _decoded(_read(response, is_over), response.headers.get("Content-Encoding", ""))


def _read(response: requests.Response, is_over: Callable[[], bool]) -> bytes:
    body = bytearray()
    for piece in _pieces(response):
        body += piece
        _not_too_long(body)
        if is_over():
            raise requests.ReadTimeout()
    return bytes(body)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    raw = response.raw
    if hasattr(raw, "stream"):
        yield from raw.stream(_PIECE, decode_content=False)
    else:
        while piece := raw.read(_PIECE):
            yield piece


def _decoded(body: bytes, encoding: str) -> bytes:
    names = [name for name in (part.strip().lower() for part in encoding.split(",")) if name]
    names = [name for name in names if name != "identity"]
    if not body or not names:
        return body
    if len(names) > 1 or names[0] not in _WBITS:
        raise Unreadable("its Content-Encoding is neither gzip nor deflate alone")
    for wbits in _WBITS[names[0]]:
        decoder = zlib.decompressobj(wbits)
        try:
            decoded = decoder.decompress(body, _LARGEST + 1)
        except zlib.error:
            continue
        _not_too_long(decoded)
        if decoder.eof and not decoder.unused_data:
            return decoded
    raise Unreadable("it is not what its Content-Encoding says")


def _not_too_long(body: Body) -> Body:
    if len(body) > _LARGEST:
        raise Unreadable(f"it is longer than {_LARGEST // 1024} KiB")
    return body
