"""What a signal's handler raises, a task's time limit say, reaches the caller wherever the signal comes."""

from __future__ import annotations

import contextlib
import functools
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from bex_login import GRANTED, bex
from cache_contract import told
from conftest import make_auth
from odd_server import OddServer
from recording_server import Answer, RecordingServer, recording_server
from test_looking import head_of
from together import main_thread_is_in, wait_until

from requests_partnerauth import (
    BexAuth,
    InvalidLoginResponse,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuthError,
    Token,
)
from requests_partnerauth._http.ahead import read_ahead
from requests_partnerauth._http.draining import drain
from requests_partnerauth._http.looking import read_refused
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import PartnerSimulator

pytestmark = [
    pytest.mark.usefixtures("no_environment"),
    pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signals"),
]


class TimeIsUp(Exception):
    """As a task queue's soft time limit."""


def throw(error: type[Exception], *_: object) -> None:
    raise error("the time is up")


class Throwing:
    """A handler that is an object, and one that is a method."""

    def __call__(self, *_: object) -> None:
        throw(TimeIsUp)

    def throw(self, *_: object) -> None:
        throw(TimeIsUp)


HANDLERS: dict[str, Callable[..., None]] = {
    "function": lambda *_: throw(TimeIsUp),
    "partial": functools.partial(throw, TimeIsUp),
    "object": Throwing(),
    "method": Throwing().throw,
    "partial of an object": functools.partial(Throwing(), "more"),
}


@contextmanager
def handled_by(handler: Callable[..., None]) -> Iterator[Callable[[], None]]:
    """What sends the main thread a signal that is handled so, from whichever thread it is called."""
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        yield lambda: signal.pthread_kill(main, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


class Slow(TokenCache):
    """A cache of which one word takes its time, once: then a signal comes to whoever waits for it."""

    def __init__(self, word: str, strike: Callable[[], None]) -> None:
        self.memory = MemoryTokenCache()
        self.go_on = threading.Event()
        self._word = word
        self._strike = strike

    def _pass(self, word: str) -> None:
        if word == self._word:
            self._word = ""
            self._strike()
            self.go_on.wait(60)

    def get(self, key: str) -> bytes | None:
        self._pass("get")
        return self.memory.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._pass("set")
        self.memory.set(key, value, ttl)

    def delete(self, key: str) -> None:
        self._pass("delete")
        self.memory.delete(key)

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        self._pass("lock")
        yield True
        self._pass("unlock")


def are_done() -> bool:
    return not any(
        thread.name in ("partnerauth-login", "partnerauth-lock") for thread in threading.enumerate()
    )


@pytest.mark.parametrize("word", ["get", "set", "delete", "lock", "unlock"])
def test_while_a_cache_is_waited_for(
    simulator: PartnerSimulator, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    """It is no fault of the cache's: no warning is told, and the next token is shared as ever."""
    with handled_by(HANDLERS["function"]) as strike:
        cache = Slow(word, strike)
        auth = make_auth(simulator.bex, cache=cache)
        with pytest.raises(TimeIsUp):
            auth.forget() if word == "delete" else auth.token()
        cache.go_on.set()
        wait_until(are_done)
    assert told(caplog) == []
    other = Slow("", strike)
    other.memory = cache.memory
    assert auth.token().value == make_auth(simulator.bex, cache=other).token().value
    assert told(caplog) == []


STALLED = {
    "chunked": head_of(None, "Transfer-Encoding: chunked", status=401) + b"2\r\nab\r\n",
    "of known length": head_of(500, status=401) + b"ab",
}


@pytest.mark.parametrize("error", [TimeIsUp, TimeoutError, ValueError, RuntimeError])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", STALLED)
def test_while_a_refused_body_is_read(body: str, stream: bool, error: type[Exception]) -> None:
    """Whatever it is, it is not taken for the body's fault: it comes as it is, and no login is made."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        if server.connections == 1:
            connection.sendall(head_of(len(GRANTED.body), "Connection: close") + GRANTED.body)
            return
        connection.sendall(STALLED[body])
        wait_until(lambda: main_thread_is_in(drain, read_ahead, read_refused))
        strike()
        closing.wait(60)

    with (
        handled_by(functools.partial(throw, error)) as strike,
        contextlib.closing(OddServer(converse)) as server,
    ):
        auth = bex(server.base_url)
        auth.token()
        with pytest.raises(error, match="the time is up") as caught:
            requests.get(f"{server.base_url}/a", auth=auth, stream=stream, timeout=60)
        assert type(caught.value) is error
        assert server.connections == 2


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        server.answer = GRANTED
        yield server


@pytest.mark.parametrize("where", ["login_request", "parse_login"])
@pytest.mark.parametrize("kind", HANDLERS)
def test_whatever_the_handler_is(server: RecordingServer, kind: str, where: str) -> None:
    """A function, a partial, an object that is called or its method: it is no mistake of the author's."""
    places: list[str] = [where]

    class Interrupted(BexAuth):
        def login_request(self) -> requests.Request:
            self.meet("login_request")
            return super().login_request()

        def parse_login(self, response: requests.Response) -> Token:
            self.meet("parse_login")
            return super().parse_login(response)

        def meet(self, place: str) -> None:
            if place in places:
                places.remove(place)
                strike()
                threading.Event().wait(30)

    auth = Interrupted("user", "a password", base_url=server.url, cache=MemoryTokenCache())
    with handled_by(HANDLERS[kind]) as strike, pytest.raises(TimeIsUp):
        auth.token()
    assert auth.token().value == "TOKEN-FROM-LOGIN"


def refuse_to_send(*_: object, **__: object) -> None:
    raise requests.ConnectionError("made up")


@pytest.mark.parametrize(
    ("fault", "kind"), [("an odd reply", InvalidLoginResponse), ("an own transport", LoginUnavailable)]
)
def test_a_login_that_fails_while_such_an_exception_is_handled(
    server: RecordingServer, session: requests.Session, fault: str, kind: type[PartnerAuthError]
) -> None:
    """What goes wrong in a call that is made in the `except` block is told as ever."""
    arguments: dict[str, Any] = {}
    if fault == "an odd reply":
        server.answer = Answer(body=b"[]")
    else:
        vars(session)["send"] = refuse_to_send
        arguments = {"login_session": session}
    auth = bex(server.url, **arguments)
    with handled_by(HANDLERS["function"]) as strike:
        try:
            strike()
            threading.Event().wait(30)
        except TimeIsUp:
            with pytest.raises(kind) as caught:
                auth.token()
            assert type(caught.value) is kind
        else:
            pytest.fail("no signal came")


def test_a_refusal_that_breaks_off_while_such_an_exception_is_handled() -> None:
    """A 401 without an end, in a call that is made in the `except` block, is refreshed and resent as ever."""
    granted = head_of(len(GRANTED.body), "Connection: close") + GRANTED.body
    answers = [granted, head_of(100, "Connection: close", status=401) + b"ab", granted, granted]

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(answers[server.connections - 1])

    with handled_by(HANDLERS["function"]) as strike, contextlib.closing(OddServer(converse)) as server:
        auth = bex(server.base_url)
        try:
            strike()
            threading.Event().wait(30)
        except TimeIsUp:
            assert requests.get(f"{server.base_url}/a", auth=auth, timeout=60).status_code == 200
        assert server.connections == 4
