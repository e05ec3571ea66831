"""Bytes of a body, read ahead of whoever reads it and put back for him, or read in a hurry."""

from __future__ import annotations

import io
import ssl
from time import perf_counter
from typing import Any

from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read


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
    body, trouble = bytearray(), None
    try:
        while len(body) < length and (left := end - perf_counter()) > 0:
            there = _there(reader, sock)
            if not there:
                if not wait_for_read(sock, left):
                    break
                there = _there(reader, sock)
                if there == b"":
                    break
            body += reader.read(len(there or b""))
    except OSError as error:
        trouble = error
    if body or trouble:
        source.fp = io.BufferedReader(_Again(reader, bytes(body), trouble))
    return bytes(body)


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


def _there(reader: Any, sock: Any) -> bytes | None:
    """What has come already: b"" also where it ends, None where TLS waits for the rest of a record."""
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        there: bytes = reader.peek(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None
    finally:
        sock.settimeout(timeout)
    return there


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
        self._body = io.BytesIO(body)
        self._trouble = trouble

    def readinto(self, buffer: Any) -> int | None:
        count = self._body.readinto(buffer)
        if count:
            return count
        if self._trouble is not None:
            raise self._trouble
        return super().readinto(buffer)


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
