"""A login that is given up or interrupted leaves nothing behind: no thread, no socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from bex_login import GRANTED, bex
from odd_server import OddServer
from recording_server import RecordingServer, recording_server
from requests.adapters import HTTPAdapter
from together import together, wait_until

from requests_partnerauth import LoginTimeout, MemoryTokenCache, Token
from requests_partnerauth.partners.bex import BexAuth

pytestmark = pytest.mark.usefixtures("no_environment")

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


class Dripping:
    """Sends a beginning, then a piece for ever, and tells when the other side has gone."""

    def __init__(self, beginning: bytes, piece: bytes) -> None:
        self.beginning, self.piece = beginning, piece
        self.begun, self.left = threading.Event(), threading.Event()

    def __call__(self, connection: socket.socket, closing: threading.Event) -> None:
        try:
            connection.sendall(self.beginning)
            self.begun.set()
            while not closing.wait(0.02):
                connection.sendall(self.piece)
        except OSError:
            self.left.set()


DRIPS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"x"),
    "body of a last reply": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n", b"x"),
    "chunks": (CHUNKED + b"\r\n", b"1\r\nx\r\n"),
    "half a chunk": (CHUNKED + b"\r\nffff\r\n", b"x"),
    "trailers": (CHUNKED + b"\r\n1\r\nx\r\n0\r\n", b"A: b\r\n"),
}


def exchanges() -> int:
    return sum(thread.name == "partnerauth-login" for thread in threading.enumerate())


@pytest.mark.parametrize("lends", [False, True])
@pytest.mark.parametrize("what", DRIPS)
def test_a_partner_that_drips(what: str, lends: bool) -> None:
    """Once the login's time is over its socket is closed, and the thread that waited for it ends."""
    dripping = Dripping(*DRIPS[what])
    with contextlib.closing(OddServer(dripping)) as server, requests.Session() as session:
        auth = bex(server.base_url, login_timeout=(0.1, 0.3), login_session=session if lends else None)
        with pytest.raises(LoginTimeout):
            auth.token()
        assert dripping.left.wait(60)
        wait_until(lambda: exchanges() == 0)


def test_a_proxy_that_drips() -> None:
    """So it is where a proxy never ends its answer to CONNECT."""
    dripping = Dripping(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n")
    with contextlib.closing(OddServer(dripping)) as server, requests.Session() as session:
        session.proxies = {"https": server.base_url}
        with pytest.raises(LoginTimeout):
            bex("https://partner.test", login_timeout=(0.3, 0.3), login_session=session).token()
        assert dripping.left.wait(60)
        wait_until(lambda: exchanges() == 0)


class TimeIsUp(Exception):
    """As Celery's soft time limit: an Exception, raised by a signal's handler."""


@pytest.fixture
def interrupting() -> Iterator[Callable[[], None]]:
    """What makes the main thread meet `TimeIsUp`."""

    def time_is_up(*_: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGUSR1, time_is_up)
    yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_while_the_partner_is_silent(interrupting: Callable[[], None]) -> None:
    """What its handler raises reaches the caller as it is; the socket is closed and no thread is left."""
    dripping = Dripping(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n")
    with contextlib.closing(OddServer(dripping)) as server:
        auth = bex(server.base_url)
        threading.Thread(target=lambda: dripping.begun.wait(60) and interrupting(), daemon=True).start()
        with pytest.raises(TimeIsUp):
            requests.get(f"{server.base_url}/a", auth=auth)
        assert dripping.left.wait(60)
        wait_until(lambda: exchanges() == 0)


@pytest.mark.parametrize("where", ["login_request", "parse_login"])
def test_a_signal_in_the_authors_code(
    server: RecordingServer, interrupting: Callable[[], None], where: str
) -> None:
    """It is no mistake of the author's: it reaches the caller, whatever was running when it came."""
    times: list[int] = []

    class Interrupted(BexAuth):
        def login_request(self) -> requests.Request:
            self.interrupt("login_request")
            return super().login_request()

        def parse_login(self, response: requests.Response) -> Token:
            self.interrupt("parse_login")
            return super().parse_login(response)

        def interrupt(self, name: str) -> None:
            if name == where and not times:
                times.append(1)
                interrupting()
                threading.Event().wait(30)

    auth = Interrupted("user", "a password", base_url=server.url, cache=MemoryTokenCache())
    with pytest.raises(TimeIsUp):
        auth.token()
    assert auth.token().value == "TOKEN-FROM-LOGIN"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        server.answer = GRANTED
        yield server


def test_a_login_has_connections_of_its_own() -> None:
    """A connection that a lent session holds, a parent's before a fork say, is not the login's."""
    served: list[int] = []
    connections: list[socket.socket] = []

    def keep_alive(connection: socket.socket, closing: threading.Event) -> None:
        connections.append(connection)
        number = len(connections)
        while True:
            served.append(number)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GRANTED.body)
            connection.sendall(head + GRANTED.body)
            if not connection.recv(65536):
                return

    with contextlib.closing(OddServer(keep_alive)) as server, requests.Session() as session:
        session.get(f"{server.base_url}/a")
        bex(server.base_url, login_session=session, login_via="get").token()
        session.get(f"{server.base_url}/a")
    assert served == [1, 2, 1]


class Slotted(requests.Session):
    __slots__ = ("__hidden", "sent")

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.__hidden = "kept"

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        self.sent.append(f"{self.__hidden} {request.method}")
        return super().send(request, **more)


def test_a_lent_session_with_slots(server: RecordingServer) -> None:
    """What a session's class keeps in slots is there in a login."""
    with Slotted() as session:
        bex(server.url, login_session=session).token()
        assert session.sent == ["kept POST"]


class Counting(HTTPAdapter):
    """Counts what it carries, in an attribute that it sets anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.carried = 0

    def send(self, *arguments: Any, **more: Any) -> requests.Response:
        self.carried += 1
        return super().send(*arguments, **more)


def test_what_an_adapter_learns_it_keeps(server: RecordingServer) -> None:
    """The state of a mounted adapter is its own in a login too: a rate limit's count goes on."""
    adapter = Counting()
    with requests.Session() as session:
        session.mount("http://", adapter)
        together(8, lambda number: bex(server.url, login_session=session).token())
        before = adapter.poolmanager
        session.get(f"{server.url}/a")
    assert adapter.carried >= 8
    assert adapter.poolmanager is before
