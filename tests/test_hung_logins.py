"""A login that hangs, drips or is interrupted holds nobody up for longer than its time."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
import requests
from conftest import make_auth
from held import Held
from manual_clock import ManualClock
from odd_server import OddServer
from requests.adapters import HTTPAdapter
from together import Background, is_good, together, wait_for_waiters, wait_until

from requests_partnerauth import (
    BexAuth,
    InvalidLoginResponse,
    LoginTimeout,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    Token,
)
from requests_partnerauth._engine.account import Account
from requests_partnerauth.simulator import PartnerSimulator

TIMEOUT = (0.4, 0.8)
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"


def say_nothing(connection: socket.socket, closing: threading.Event) -> None:
    closing.wait(60)


def drip(connection: socket.socket, closing: threading.Event, reply: bytes) -> None:
    for byte in reply:
        if closing.wait(0.05):
            return
        connection.sendall(bytes([byte]))


def drip_all(connection: socket.socket, closing: threading.Event) -> None:
    drip(connection, closing, HEADERS + b"x" * 5000)


def drip_the_body(connection: socket.socket, closing: threading.Event) -> None:
    connection.sendall(HEADERS)
    drip(connection, closing, b"x" * 5000)


@pytest.fixture(params=[say_nothing, drip_all, drip_the_body])
def server(request: pytest.FixtureRequest) -> Iterator[OddServer]:
    opened = OddServer(request.param)
    yield opened
    opened.close()


@pytest.mark.parametrize("own_session", [False, True])
def test_a_hung_login_is_bounded_for_all(server: OddServer, own_session: bool) -> None:
    """16 threads get an error within connect plus read of `login_timeout` and a second; then a new try.

    On a machine that may pause by itself, one of five rounds in that time is enough.
    """
    # Promise: login-time
    transport = requests.Session() if own_session else None
    auth = BexAuth(
        "user",
        "secret",
        base_url=server.base_url,
        cache=MemoryTokenCache(),
        login_timeout=TIMEOUT,
        login_session=transport,
    )

    def is_in_time() -> bool:
        started = time.monotonic()
        errors = together(16, lambda number: requests.get(f"{server.base_url}/echo", auth=auth))
        took = time.monotonic() - started
        assert [type(error) for error in errors] == [LoginTimeout] * 16
        return took < sum(TIMEOUT) + 1.0

    assert any(is_in_time() for _ in range(5))
    before = server.connections
    with pytest.raises(LoginUnavailable):
        auth.token()
    wait_until(lambda: server.connections > before)
    assert server.connections <= 2 * before + 1
    if transport is not None:
        transport.close()


class InterruptedOnce(HTTPAdapter):
    """Lets the first login of all be interrupted, once told to."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way, self.go_on = threading.Event(), threading.Event()

    def send(self, *arguments: Any, **sent_with: Any) -> requests.Response:
        if not self.under_way.is_set():
            self.under_way.set()
            self.go_on.wait(30)
            raise KeyboardInterrupt
        return super().send(*arguments, **sent_with)


def test_an_interrupted_login_poisons_nobody(simulator: PartnerSimulator) -> None:
    """Ctrl-C in the thread that logs in ends that thread's call; those who wait log in once and go on."""
    partner, adapter, transport = simulator.bex, InterruptedOnce(), requests.Session()
    transport.mount("http://", adapter)
    auth = make_auth(partner, login_session=transport)

    def call() -> requests.Response:
        return requests.get(f"{partner.base_url}/echo", auth=auth)

    leader = Background(call)
    assert adapter.under_way.wait(60)
    others = [Background(call) for _ in range(16)]
    adapter.go_on.set()
    assert isinstance(leader.result(), KeyboardInterrupt)
    assert all(is_good(other.result()) for other in others)
    assert partner.login_attempts == 1
    transport.close()


def test_an_interrupt_right_before_its_end_holds_nobody_up(simulator: PartnerSimulator) -> None:
    """Ctrl-C between a login and telling those who wait: they get its token, and the next call works."""
    partner = simulator.bex
    auth, held = make_auth(partner), Held(partner)

    def strike(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is Account._end.__code__:
            sys.settrace(None)
            raise KeyboardInterrupt

    def interrupted() -> Token:
        sys.settrace(strike)
        return auth.token()

    leader = Background(interrupted)
    held.wait()
    other = Background(auth.token)
    wait_for_waiters(1)
    held.let_go()
    assert isinstance(leader.result(), KeyboardInterrupt)
    assert other.result().value == partner.issued[0]
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))


def test_whoever_comes_after_a_login_was_given_up_flies_alone(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login that outlives its time, in the user's code, holds up neither those who wait nor later ones."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    partner, go_on, under_way = simulator.bex, threading.Event(), threading.Event()

    class Ponderous(BexAuth):
        def parse_login(self, response: requests.Response) -> Token:
            if not under_way.is_set():
                under_way.set()
                go_on.wait(60)
            return super().parse_login(response)

    auth = Ponderous(**partner.credentials, cache=MemoryTokenCache(), login_timeout=(5, 20))
    leader = Background(auth.token)
    assert under_way.wait(60)
    clock.advance(24)
    waiting = [Background(auth.token) for _ in range(8)]
    wait_for_waiters(8)
    clock.advance(4)
    assert [type(call.result()) for call in waiting] == [LoginTimeout] * 8
    token = auth.token()
    assert (token.value, partner.login_attempts) == (partner.issued[1], 2)
    go_on.set()
    assert leader.result().value == partner.issued[0]
    assert auth.token() is token, "the late one may not replace what came after it"


def test_a_token_that_outlives_its_login_by_nothing_is_still_used(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a login takes longer than its token lives, requests go through without a login each."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    partner = simulator.fiserv_boarding
    partner.ttl = 0.005  # minutes
    partner.answer_logins(lambda call: clock.advance(2))
    with requests.Session() as session:
        session.auth = make_auth(partner)
        assert all(is_good(session.get(f"{partner.base_url}/echo")) for _ in range(10))
    assert partner.login_attempts <= 3


def test_a_login_may_be_slow(simulator: PartnerSimulator) -> None:
    """A login that is answered within its time to read is a login, however short the time to connect."""
    partner = simulator.rp_gateway
    partner.login_delay = 0.8
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=make_auth(partner, login_timeout=(0.4, 10))))


def test_a_redirect_with_an_endless_body() -> None:
    """It is told at once, and not read to an end that never comes."""
    left = threading.Event()

    def redirect_without_end(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n")
        try:
            while not closing.is_set():
                connection.sendall(b"x" * 65_536)
        except OSError:
            left.set()

    with contextlib.closing(OddServer(redirect_without_end)) as server:
        with pytest.raises(InvalidLoginResponse, match="redirect"):
            BexAuth("u", "p", base_url=server.base_url, cache=MemoryTokenCache()).token()
        assert left.wait(60)
