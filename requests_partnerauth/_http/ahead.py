"""Bytes of a body, read ahead of whoever reads it and put back for him, or read in a hurry."""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar, cast

from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read

from .._engine.thrown import is_thrown_in

_BUFFER = 1024
_Come = TypeVar("_Come", int, bytes)


def read_ahead(raw: HTTPResponse, end: float) -> bytes | None:
    """What has come of a body whose length is known, waiting for all of it until a point in time.

    Whoever reads it gets every byte all the same, then what is yet to come, or what breaks: beneath his
    response nothing has been read so far. Of a body that is longer than announced it is more than that.
    None where there is no way to put bytes back.
    """
    source: Any = getattr(raw, "_fp", None)
    if isinstance(source, io.BytesIO):
        return bytes(source.getbuffer()[source.tell() :])
    reader: Any = getattr(source, "fp", None)
    sock = _socket_of(raw)
    length = raw.length_remaining
    if not length:
        return None if length is None else b""
    if not sock or not isinstance(reader, io.BufferedReader):
        return None
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        gathered = _gather(reader, sock, length, end)
        if gathered is None:
            return reader.peek()
    finally:
        sock.settimeout(timeout)
    body, beyond, trouble = gathered
    if body or trouble:
        source.fp = _Ahead(_Again(reader, body, trouble), buffer_size=min(len(body) + 1, _BUFFER))
    return body + beyond


def hurry(raw: HTTPResponse, end: float) -> None:
    """Let a body be read until a point in time and no longer.

    The timeout of a socket bounds each read: a byte now and then passes it for ever.
    """
    source: Any = getattr(raw, "_fp", None)
    reader = getattr(source, "fp", None)
    if hasattr(reader, "read1"):
        source.fp = io.BufferedReader(_Hurried(reader, _socket_of(raw), end))


def _socket_of(raw: HTTPResponse) -> Any:
    # The connection has let go of it where the response ends with it.
    reader: Any = getattr(getattr(raw, "_fp", None), "fp", None)
    return getattr(getattr(raw, "_connection", None), "sock", None) or _socket_under(reader)


def _socket_under(reader: Any) -> Any:
    under = getattr(reader, "raw", None)
    return _socket_under(under.reader) if isinstance(under, _Over) else getattr(under, "_sock", None)


def _gather(
    reader: io.BufferedReader, sock: Any, length: int, end: float
) -> tuple[bytes, bytes, OSError | None] | None:
    """What comes until then, what came beyond it, and what broke; None where all of it lies in the buffer."""
    store, count, beyond, trouble = None, 0, b"", None
    try:
        # Most small bodies came with their head: they stay where they are.
        lying = len(_come(reader.peek) or b"")
        if lying >= length:
            return None
        store = io.BytesIO(bytes(length))
        with store.getbuffer() as view:
            # Alone: what breaks in a read of more than that would take it along.
            count = reader.readinto1(view[:lying])
            while count < length and (left := end - perf_counter()) > 0:
                # Of a socket that does not wait it gives None, which its type does not say.
                come = cast("int | None", _come(reader.readinto1, view[count:]))
                if come == 0 or (come is None and not wait_for_read(sock, left)):
                    break
                count += come or 0
        if count == length:
            beyond = _come(reader.peek) or b""
    except OSError as error:
        if is_thrown_in(error):
            raise
        trouble = error
    # Of what is whole this makes no copy.
    body = b"" if store is None else store.getvalue()
    return body if count == length else body[:count], beyond, trouble


def _come(read: Callable[..., _Come], *into: memoryview) -> _Come | None:
    """What has come, by `peek` or `readinto1`; None where TLS waits for the rest of a record."""
    try:
        return read(*into)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None


class _Over(io.RawIOBase):
    """A reader over another."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self.reader.fileno())

    def readinto(self, buffer: Any) -> int | None:
        # None under a socket that does not wait: that is no end. And no more than a buffer holds: what breaks
        # in a read of more would take along what lies there.
        return cast("int | None", self.reader.readinto1(memoryview(buffer)[: io.DEFAULT_BUFFER_SIZE]))

    def close(self) -> None:
        self.reader.close()
        super().close()


class _Again(_Over):
    """First what was read ahead, then what broke, then what comes."""

    def __init__(self, reader: Any, body: bytes, trouble: OSError | None) -> None:
        super().__init__(reader)
        self._whole = body
        self._body = io.BytesIO(body)
        self._trouble = trouble

    def whole(self, size: int) -> bytes | None:
        """All that was read ahead, where nothing of it is gone yet and it is of this size."""
        if self._body.tell() or len(self._whole) != size:
            return None
        body, self._whole, self._body = self._whole, b"", io.BytesIO()
        return body

    def readinto(self, buffer: Any) -> int | None:
        count = self._body.readinto(buffer)
        if count:
            return count
        if self._trouble is not None:
            raise self._trouble
        return super().readinto(buffer)


class _Ahead(io.BufferedReader):
    """Over `_Again`: who reads all at once, as requests does, gets it without a copy."""

    def read(self, size: int | None = -1) -> bytes:
        whole = None if size is None or size < 1 else cast(_Again, self.raw).whole(size)
        return super().read(size) if whole is None else whole


class _Hurried(_Over):
    """What comes until a point in time."""

    def __init__(self, reader: Any, sock: Any, end: float) -> None:
        super().__init__(reader)
        self._sock = sock
        self._end = end

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - perf_counter()
        if left <= 0:
            raise TimeoutError
        if self._sock is not None:
            # Not put back: urllib3 sets its own before each request, and until then another may use it.
            self._sock.settimeout(left)
        return super().readinto(buffer)
