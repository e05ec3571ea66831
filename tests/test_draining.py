"""A refused response is read to its end in two seconds, or its connection is closed."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading

import pytest
import requests
from odd_server import OddServer
from requests.adapters import HTTPAdapter
from test_looking import head_of
from together import Background, main_thread_is_in, wait_until
from urllib3.util.wait import wait_for_read

from requests_partnerauth._http.draining import drain
from requests_partnerauth._http.looking import look
from requests_partnerauth._http.replies import short_text

REFUSED = head_of(1000, status=401)
CHUNKED = head_of(None, "Transfer-Encoding: chunked", status=401)


def drip(connection: socket.socket, closing: threading.Event) -> None:
    """A byte now and then, often enough for any timeout of a single read."""
    while not closing.wait(0.3):
        connection.sendall(b"1")


def then(*answers: bytes, slowly: bool = False) -> OddServer:
    """A server whose first connection gives these, and drips on; all others say 200."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        first = server.connections == 1
        for number, answer in enumerate(answers if first else (head_of(2) + b"{}",)):
            if number:
                connection.recv(65536)
            connection.sendall(answer)
        if first and slowly:
            drip(connection, closing)
        closing.wait(60)

    server = OddServer(converse)
    return server


@pytest.fixture
def narrow(session: requests.Session) -> requests.Session:
    """A session with one connection, for which a request waits."""
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1, pool_block=True))
    return session


BAD = {
    "a drip": (REFUSED, True),
    "a drip within a chunk": (CHUNKED + b"400\r\nabc", True),
    "a drip within the size of a chunk": (CHUNKED, True),
    "cut off by silence": (REFUSED + b"x" * 999, False),
    "longer than announced": (REFUSED + b"x" * 1000 + b"more", False),
    "longer than announced, and than a buffer": (head_of(20_000, status=401) + b"x" * 20_004, False),
    "without an end": (b"HTTP/1.1 401 No\r\n\r\nabc", True),
    "larger than a megabyte": (head_of(1_048_577, status=401) + b"x" * 1_048_577, False),
    "a length of 5,000 digits": (head_of("1" * 5000, status=401) + b"x", False),
    "no chunks": (CHUNKED + b"zz\r\n", False),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("is_looked_into", [True, False])
def test_what_is_not_read_to_its_end_is_closed(
    narrow: requests.Session, what: str, is_looked_into: bool
) -> None:
    """After a refusal that drips, stalls or is longer than it says, the next request has a new connection."""
    answer, slowly = BAD[what]
    server = then(answer, slowly=slowly)
    with contextlib.closing(server):
        refused = narrow.get(server.base_url, stream=True, timeout=60)
        if is_looked_into:
            look(refused, streamed=True)
            short_text(refused)
        # A byte each 0.3 s takes the thousand of them five minutes.
        Background(lambda: drain(refused)).result()
        assert len(refused.content) <= 1_048_576
        assert narrow.get(server.base_url, timeout=10).status_code == 200
        assert server.connections == 2


WHOLE = {
    "short": (head_of(3, status=401) + b"abc", b"abc"),
    "empty": (head_of(0, status=401), b""),
    "long": (head_of(1_000_000, status=401) + b"x" * 1_000_000, b"x" * 1_000_000),
    "chunked": (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "gzipped": (head_of(23, "Content-Encoding: gzip", status=401) + gzip.compress(b"abc"), b"abc"),
    "no gzip": (head_of(3, "Content-Encoding: gzip", status=401) + b"abc", b""),
}


@pytest.mark.parametrize("what", WHOLE)
@pytest.mark.parametrize("is_looked_into", [True, False])
def test_what_is_read_to_its_end_goes_back_to_the_pool(
    narrow: requests.Session, what: str, is_looked_into: bool
) -> None:
    """A refusal that ends as announced is kept as content, and its connection is used again."""
    answer, content = WHOLE[what]
    server = then(answer, head_of(2) + b"{}")
    with contextlib.closing(server):
        refused = narrow.get(server.base_url, stream=True, timeout=10)
        if is_looked_into:
            look(refused, streamed=True)
            short_text(refused)
        drain(refused)
        assert refused.content == content
        assert narrow.get(server.base_url, timeout=10).content == b"{}"
        assert server.connections == 1


def test_a_refusal_that_had_not_come_when_it_was_looked_at(narrow: requests.Session) -> None:
    """What was read of it in vain is put back without an end: its rest is waited for when it is drained."""
    body = b"{}".ljust(20_000)
    looked = threading.Event()

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(head_of(len(body), status=401) + body[:10_000])
        looked.wait(60)
        wait_until(lambda: main_thread_is_in(wait_for_read))
        connection.sendall(body[10_000:])
        connection.recv(65536)
        connection.sendall(head_of(2) + b"{}")
        closing.wait(60)

    with contextlib.closing(OddServer(converse)) as server:
        refused = narrow.get(server.base_url, stream=True, timeout=10)
        look(refused, streamed=True)
        assert short_text(refused) is None
        looked.set()
        drain(refused)
        assert refused.content == body
        assert narrow.get(server.base_url, timeout=10).content == b"{}"
        assert server.connections == 1


@pytest.mark.parametrize("beyond", [b"", b"more"])
def test_what_comes_beyond_a_late_refusal_closes_it(narrow: requests.Session, beyond: bytes) -> None:
    """Also where body and more come after the head: no later response begins with it."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        if server.connections == 1:
            connection.sendall(REFUSED)
            wait_until(lambda: main_thread_is_in(wait_for_read))
            connection.sendall(b"x" * 1000 + beyond)
            connection.recv(65536)
        connection.sendall(head_of(2) + b"{}")
        closing.wait(60)

    with contextlib.closing(OddServer(converse)) as server:
        drain(narrow.get(server.base_url, stream=True, timeout=60))
        assert narrow.get(server.base_url, timeout=10).content == b"{}"
        assert server.connections == (2 if beyond else 1)


def test_a_small_refusal_that_unpacks_to_a_large_one(narrow: requests.Session) -> None:
    """Of 100 MB in 100 kB no more than a megabyte is unpacked, and of what is packed twice nothing."""
    packed = gzip.compress(b"0" * 100_000_000)
    for body, encoding, size in ((packed, "gzip", 1_048_576), (gzip.compress(packed), "gzip, gzip", 0)):
        server = then(head_of(len(body), f"Content-Encoding: {encoding}", status=401) + body)
        with contextlib.closing(server):
            refused = narrow.get(server.base_url, stream=True, timeout=10)
            drain(refused)
            assert len(refused.content) == size
