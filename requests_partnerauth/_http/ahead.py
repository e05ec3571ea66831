"""Bytes of a body, read ahead of whoever reads it and put back for him, or read in a hurry."""

from __future__ import annotations

import io
import ssl
from time import perf_counter
from typing import Any, cast

from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read

from .._engine.thrown import is_thrown_in

_BUFFER = 1024


def read_ahead(raw: HTTPResponse, end: float) -> bytes | None:
    """What has come of a body whose length is known, waiting for all of it until a point in time.

    Whoever reads it gets every byte all the same, then what is yet to come, or what breaks: beneath his
    response nothing has been read so far. None where there is no way to put bytes back.
    """
    source: Any = getattr(raw, "_fp", None)
    if isinstance(source, io.BytesIO):
        return bytes(source.getbuffer()[source.tell() :])
    reader: Any = getattr(source, "fp", None)
    sock = _socket_of(raw)
    length = raw.length_remaining
    if length is None or (length and not (sock and hasattr(reader, "peek"))):
        return None
    read, trouble = io.BytesIO(), None
    try:
        while read.tell() < length and (left := end - perf_counter()) > 0:
            count = _come(reader, sock)
            if not count:
                if not wait_for_read(sock, left):
                    break
                count = _come(reader, sock)
                if count == 0:
                    break
            read.write(reader.read(count or 0))
    except OSError as error:
        if is_thrown_in(error):
            raise
        trouble = error
    body = read.getvalue()
    if body or trouble:
        source.fp = _Ahead(_Again(reader, body, trouble), buffer_size=min(len(body) + 1, _BUFFER))
    return body


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


def _come(reader: Any, sock: Any) -> int | None:
    """How many bytes have come: 0 also where it ends, None where TLS waits for the rest of a record."""
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        return len(reader.peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return None
    finally:
        sock.settimeout(timeout)


class _Over(io.RawIOBase):
    """A reader over another."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self.reader.fileno())

    def readinto(self, buffer: Any) -> int | None:
        piece = self.reader.read1(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

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
