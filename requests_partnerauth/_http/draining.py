"""Reading the rest of a refused response, so that its connection goes back to the pool."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from time import perf_counter

import requests
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from .._engine.thrown import thrown_in
from .ahead import hurry, read_ahead
from .frames import let_go

_LONGEST = 1024 * 1024
_SECONDS = 2.0
_PIECE = 8192
_DECODED = ("gzip", "x-gzip", "deflate")


def drain(response: requests.Response) -> None:
    """Read the rest of a refused response and keep it as its content.

    A body that was to be streamed may have no end: it takes 2 s by the clock, however slowly bytes come, and
    1 MiB at most. What was not read to its end, or is longer than announced, is closed, and its connection
    with it: the pool makes another in its place. A body that ends with its connection is not read: there
    would be nothing to give back.
    """
    if not response._content_consumed:
        body = _rest_of(response)
        response._content = _decoded(body, response.headers.get("Content-Encoding", ""))
        response._content_consumed = True
    elif response._content is False:
        response._content = b""  # streamed by a hook of the user's
    response.close()


def _rest_of(response: requests.Response) -> bytes:
    body, is_whole = bytearray(), False
    try:
        for piece in _pieces(response.raw, perf_counter() + _SECONDS):
            body += piece
            if len(body) > _LONGEST:
                break
        else:
            is_whole = True
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        if (thrown := thrown_in(error)) is not None:
            raise thrown from None
        let_go(error)
    finally:
        if not is_whole:
            response.close()
    # Half a body may end in half a secret, which nobody finds.
    return bytes(body) if is_whole else b""


def _pieces(raw: HTTPResponse, end: float) -> Iterator[bytes]:
    """The pieces of a body, undecoded; an error where it does not end in time, or as announced."""
    if not isinstance(raw, HTTPResponse) or (raw.length_remaining is None and not raw.chunked):
        raise ValueError("a body without an end")
    if raw.chunked:
        hurry(raw, end)
        yield from raw.stream(_PIECE, decode_content=False)
        return
    length = raw.length_remaining or 0
    body = read_ahead(raw, end) if length <= _LONGEST else None
    if body is None or len(body) != length:
        yield (body or b"")[:length]
        raise ValueError("another length than announced, or too long")
    yield raw.read(decode_content=False)


def _decoded(body: bytes, encoding: str) -> bytes:
    """A body that was read as it came, without its encoding; 1 MiB of it at most."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    for form in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS) if encoding in _DECODED else ():
        try:
            return zlib.decompressobj(form).decompress(body, _LONGEST)
        except zlib.error:
            continue
    return b""
