"""A login's reply is decoded as far as any such reply goes, and no further."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from bex_login import GRANTED, bex
from recording_server import Answer, RecordingServer, recording_server

from requests_partnerauth import InvalidLoginResponse

pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        server.answer = GRANTED
        yield server


def raw_deflate(content: bytes) -> bytes:
    deflating = zlib.compressobj(wbits=-15)
    return deflating.compress(content) + deflating.flush()


def encoded(encoding: str, body: bytes) -> Answer:
    return Answer(200, {"Content-Encoding": encoding, "Content-Type": "application/json"}, body)


def test_no_encoding_is_asked_for(server: RecordingServer) -> None:
    """A login says that it wants its reply as it is."""
    bex(server.url).token()
    assert server.heard[0].header("Accept-Encoding") == "identity"


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("Deflate", raw_deflate),
     ("identity", bytes), ("identity, gzip", gzip.compress)],
)  # fmt: skip
def test_what_is_encoded_all_the_same(
    server: RecordingServer, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    """Gzip and deflate, as servers write them, are read."""
    server.answer = encoded(encoding, encode(GRANTED.body))
    assert bex(server.url).token().value == "TOKEN-FROM-LOGIN"


UNREADABLE = {
    "a bomb": encoded("gzip", gzip.compress(bytes(200_000_000))),
    "a bomb, deflated": encoded("deflate", zlib.compress(bytes(50_000_000))),
    "a bomb in a bomb": encoded("gzip, gzip", gzip.compress(gzip.compress(bytes(50_000_000)))),
    "too long as it is": Answer(body=b'{"value": "TOKEN"}' + b" " * 300_000),
    "nested": encoded("gzip, deflate", zlib.compress(gzip.compress(GRANTED.body))),
    "another": encoded("br", b"whatever"),
    "not what it says": encoded("gzip", GRANTED.body),
    "cut off": encoded("gzip", gzip.compress(GRANTED.body)[:-9]),
    "two of them": encoded("gzip", gzip.compress(b"{}") * 2),
}


@pytest.mark.parametrize("answer", UNREADABLE)
def test_what_is_no_reply_of_a_login(server: RecordingServer, answer: str) -> None:
    """Longer than 256 KiB, on the wire or decoded, or in another encoding: no login's, and little memory."""
    server.answer = UNREADABLE[answer]
    auth = bex(server.url)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidLoginResponse, match="check base_url"):
            auth.token()
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert len(server.heard) == 1


def test_an_outage_is_not_read(server: RecordingServer) -> None:
    """The next try after an outage goes out over a good connection, though the body of the first is left."""
    answers = [GRANTED, Answer(503, {"Retry-After": "0"}, b"x" * 400_000)]
    server.answer = lambda heard: answers.pop()
    assert bex(server.url).token().value == "TOKEN-FROM-LOGIN"
