"""When a partner says no, or not now, the password goes out once, and again only when it may."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from bex_login import GRANTED, bex
from manual_clock import ManualClock
from odd_server import OddServer
from recording_server import Answer, RecordingServer, recording_server

from requests_partnerauth import LoginRejected, LoginTimeout, LoginUnavailable, PartnerAuth, Token
from requests_partnerauth.partners.bex import BexAuth

pytestmark = pytest.mark.usefixtures("no_environment")

HEAD = b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\n"
BROKEN = {
    "no chunk at all": b"Transfer-Encoding: chunked\r\n\r\n",
    "no last chunk": b"Transfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
    "a chunk of negative length": b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}\n\r\n",
    "a chunk that is none": b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n",
    "too short a length": b"Content-Length: 500\r\n\r\n{}",
    "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "an unknown encoding": b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
    "without an end": b"\r\n" + b"x" * 300_000,
}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", BROKEN)
def test_the_status_of_a_refusal_decides(body: str, status: int) -> None:
    """Whatever becomes of the body of a 401 or 403, the password goes out once and no more."""

    def refuse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(HEAD % status + BROKEN[body])

    with contextlib.closing(OddServer(refuse)) as server:
        auth = bex(server.base_url)
        for _ in range(5):
            with pytest.raises(LoginRejected) as caught:
                auth.token()
        assert caught.value.code == str(status)
        assert server.connections == 1


@pytest.mark.parametrize("timeouts", [(5, 0.3), (0.1, 0.3)], ids=["read", "whole"])
def test_a_refusal_whose_body_stalls(timeouts: tuple[float, float]) -> None:
    """A 401 is one though its body never comes, or comes so slowly that the login's time is over."""

    def stall(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(HEAD % 401 + b"Content-Length: 500\r\n\r\n")
        while not closing.wait(0.05) and timeouts[0] < 1:
            connection.sendall(b"x")
        closing.wait(30)

    with contextlib.closing(OddServer(stall)) as server:
        auth = bex(server.base_url, login_timeout=timeouts)
        for _ in range(3):
            with pytest.raises(LoginRejected):
                auth.token()
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(429), 10),
        (Answer(429, {"Retry-After": "soon"}), 10),
        (Answer(429, {"Retry-After": "120"}), 120),
        (Answer(503, {"Retry-After": "120"}), 120),
        (Answer(503, {"Retry-After": "86400"}), 600),
        (Answer(500, {"Retry-After": "9" * 30}), 600),
    ],
)
def test_a_partner_that_says_when(server: RecordingServer, answer: Answer, seconds: int) -> None:
    """20 calls log in once; each failure says in how many seconds the partner may be asked again."""
    server.answer = answer
    auth = bex(server.url)
    for _ in range(20):
        with pytest.raises(LoginUnavailable) as caught:
            auth.token()
        assert caught.value.retry_after is not None
        assert seconds - 60 < caught.value.retry_after <= seconds
    assert len(server.heard) == 1
    server.answer = GRANTED
    auth.forget()
    auth.token()


def test_a_time_that_fits_is_waited_for(server: RecordingServer) -> None:
    """Within the login's limit a named time passes in the same flight, and nobody hears of the outage."""
    answers = [GRANTED, Answer(503, {"Retry-After": "1"}), Answer(429, {"Retry-After": "0"})]
    server.answer = lambda heard: answers.pop()
    assert bex(server.url).token().value == "TOKEN-FROM-LOGIN"


@pytest.mark.parametrize("when", ["0", "Sun, 06 Nov 1994 08:49:37 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_partner_that_says_now_for_ever(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch, status: int, when: str
) -> None:
    """The tries of a login come with the pauses that they have where no time is named."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    auth, took = bex(server.url), []
    for answer in (Answer(503), Answer(status, {"Retry-After": when})):
        server.answer = answer
        began = clock.monotonic()
        with pytest.raises(LoginUnavailable):
            auth.token()
        took.append(clock.monotonic() - began)
    assert len(server.heard) == 6
    assert took[1] == took[0] > 0


def test_an_outage_without_a_time_is_not_remembered(server: RecordingServer) -> None:
    """A 503 that names no time is tried three times by each who asks."""
    server.answer = Answer(503)
    auth = bex(server.url)
    for _ in range(2):
        with pytest.raises(LoginUnavailable) as caught:
            auth.token()
        assert caught.value.retry_after is None
    assert len(server.heard) == 6


def test_a_class_that_says_when(server: RecordingServer) -> None:
    """LoginUnavailable with `retry_after`, raised by `parse_login`, counts as the partner's own word."""

    class Closed(BexAuth):
        def parse_login(self, response: requests.Response) -> Token:
            raise LoginUnavailable("closed for the night", retry_after=100)

    server.answer = GRANTED
    auth = Closed("user", "a password", base_url=server.url)
    for _ in range(3):
        with pytest.raises(LoginUnavailable, match="closed for the night") as caught:
            auth.token()
        assert caught.value.retry_after is not None
        assert 40 < caught.value.retry_after <= 100
    assert len(server.heard) == 1


def test_a_time_limit_is_told_as_one() -> None:
    """It is a LoginTimeout, and thus a requests.Timeout; it says that a call's timeout= bounds no login."""

    def say_nothing(connection: socket.socket, closing: threading.Event) -> None:
        closing.wait(30)

    with contextlib.closing(OddServer(say_nothing)) as server:
        auth = bex(server.base_url, login_timeout=(0.2, 0.2))
        with pytest.raises(requests.Timeout, match="the timeout= of a call does not") as caught:
            requests.get(f"{server.base_url}/a", auth=auth, timeout=20)
    assert type(caught.value) is LoginTimeout


def test_a_proxy_that_wants_a_password(server: RecordingServer) -> None:
    """A 407 is the proxy's, over plain http as well: told as such, after one try."""
    server.answer = Answer(407)
    with requests.Session() as session:
        session.proxies = {"http": server.url}
        auth = bex("http://partner.test", allow_http=True, login_session=session)
        with pytest.raises(LoginUnavailable, match="the proxy could not be used"):
            auth.token()
    assert len(server.heard) == 1
