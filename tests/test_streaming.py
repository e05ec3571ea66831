"""Streams survive: what may be large is left unread, and a refused response gives its connection back."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import weakref
from collections.abc import Callable

import pytest
import requests
from conftest import make_auth
from odd_server import OddServer
from requests.adapters import HTTPAdapter
from together import Background, is_good, together

from requests_partnerauth import BexAuth, LoginRejected, MemoryTokenCache
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner
from requests_partnerauth.simulator._special import PDF_BYTES


def connections(partner_simulator: PartnerSimulator) -> int:
    """How many connections are open at the server."""
    assert partner_simulator._server is not None
    return len(partner_simulator._server._connections)


@pytest.mark.parametrize("signal", ["status", "body"])
def test_a_pdf_is_handed_over_unread(
    partner: SimulatedPartner, session: requests.Session, signal: str
) -> None:
    """After an expiry told by status or by body, a stream of 300 kB is resent once and not yet read."""
    partner.expiry_signal = "status" if signal == "status" else partner.body_signal
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    response = session.get(f"{partner.base_url}/pdf", stream=True)
    assert response.status_code == 200
    assert not response._content_consumed
    assert response._content is False
    assert (len(partner.calls), partner.logins) == (2, 2)
    content = response.raw.read(PDF_BYTES + 1)
    assert (len(content), content[:4]) == (PDF_BYTES, b"%PDF")


@pytest.mark.parametrize(
    ("size", "is_seen"), [(1000, True), (65_536, True), (65_537, False), (300_000, False)]
)
def test_json_up_to_64_kib_is_looked_into(
    simulator: PartnerSimulator, session: requests.Session, size: int, is_seen: bool
) -> None:
    """Under `stream=True` an expiry is seen in JSON of 64 KiB or less; `raw` has every byte of it."""
    partner = simulator.fiserv_boarding
    auth = session.auth = make_auth(partner)
    expired = b'{"status": {"statusCode": 200, "message": "Token not found"}}'
    longer = [Reply(200, {"Content-Type": "application/json"}, expired.ljust(size))]
    partner.answer("/thing", lambda call: longer.pop() if longer else None)
    auth.token()
    response = session.get(f"{partner.base_url}/thing", stream=True)
    assert partner.logins == (2 if is_seen else 1)
    if not is_seen:
        assert response.raw.read() == expired.ljust(size)
    response = session.get(f"{partner.base_url}/json", params={"size": size}, stream=True)
    assert (len(response.raw.read()), response._content) == (size, False)


@pytest.mark.parametrize("kind", ["chunked", "no json"])
def test_what_may_be_a_stream_is_left_unread(
    simulator: PartnerSimulator, session: requests.Session, kind: str
) -> None:
    """Without a Content-Length, or with another Content-Type, nothing of a stream is read."""
    partner = simulator.bex
    session.auth = make_auth(partner)

    def answer(call: Call) -> Reply:
        if kind == "chunked":
            return Reply(200, {"Content-Type": "application/json"}, b'{"ex": "Invalid token."}', chunked=True)
        return Reply(200, {"Content-Type": "text/plain"}, b'{"ex": "Invalid token."}')

    partner.answer("/stream", answer)
    response = session.get(f"{partner.base_url}/stream", stream=True)
    assert response._content is False
    assert b"Invalid token" in response.content
    assert (partner.logins, len(partner.calls)) == (1, 1)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("signal", ["status", "body"])
def test_a_pool_of_one_connection_never_blocks(
    simulator: PartnerSimulator, session: requests.Session, stream: bool, signal: str
) -> None:
    """With one connection and `pool_block=True`, 100 expiries neither block nor pile connections up."""
    partner = simulator.fiserv_boarding
    partner.expiry_signal = "status" if signal == "status" else partner.body_signal
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1, pool_block=True))
    login_session = requests.Session()
    session.auth = make_auth(partner, login_session=login_session)
    for _ in range(100):
        partner.revoke()
        with session.get(f"{partner.base_url}/echo", stream=stream, timeout=10) as response:
            assert is_good(response)
    assert partner.logins == 100
    assert connections(simulator) <= 2
    login_session.close()


def test_threads_share_a_small_pool(simulator: PartnerSimulator, session: requests.Session) -> None:
    """32 threads on two connections come through three expiries, streams and all."""
    partner = simulator.bex
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=2, pool_block=True))
    session.auth = make_auth(partner)

    def call(number: int) -> bool:
        with session.get(f"{partner.base_url}/echo", stream=bool(number % 2), timeout=20) as response:
            return is_good(response)

    for _ in range(3):
        partner.revoke()
        assert all(together(32, call))
    assert partner.logins <= 3
    assert connections(simulator) <= 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_cut_in_two_is_healed_or_told(
    simulator: PartnerSimulator, session: requests.Session, stream: bool
) -> None:
    """A 401 whose body breaks off ends well or in requests' own error, and the next call works."""
    partner = simulator.bex
    session.mount("http://", HTTPAdapter(pool_maxsize=1, pool_block=True))
    session.auth = make_auth(partner)
    cut = [Reply(401, {"Content-Type": "text/plain"}, b"x" * 5000, truncate=True)]
    partner.answer("/echo", lambda call: cut.pop() if cut else None)
    try:
        assert is_good(session.get(f"{partner.base_url}/echo", stream=stream, timeout=10))
    except requests.RequestException:
        assert not stream, "a refusal that is known by its status needs no body"
    assert is_good(session.get(f"{partner.base_url}/echo", stream=stream, timeout=10))


def test_a_large_refusal_is_drained(simulator: PartnerSimulator, session: requests.Session) -> None:
    """A 401 with a body of nearly a megabyte, under `stream=True`, gives its one connection back."""
    partner = simulator.bex
    session.mount("http://", HTTPAdapter(pool_maxsize=1, pool_block=True))
    session.auth = make_auth(partner)
    large = [Reply(401, {"Content-Type": "text/plain"}, b"x" * 1_000_000) for _ in range(3)]
    partner.answer("/echo", lambda call: large.pop() if len(partner.calls) % 2 and large else None)
    for _ in range(3):
        with session.get(f"{partner.base_url}/echo", stream=True, timeout=10) as response:
            assert is_good(response)


def plain(connection: socket.socket, closing: threading.Event) -> int:
    return connection.send(b"x" * 65_536)


def chunked(connection: socket.socket, closing: threading.Event) -> int:
    return connection.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def dripping(connection: socket.socket, closing: threading.Event) -> int:
    closing.wait(0.05)
    return connection.send(b"7\r\n: ping\n\r\n")


def trickling(connection: socket.socket, closing: threading.Event) -> int:
    closing.wait(0.5)
    return connection.send(b":")


@pytest.mark.parametrize("more", [plain, chunked, dripping, trickling])
def test_an_endless_refusal_is_cut_off(
    session: requests.Session, more: Callable[[socket.socket, threading.Event], int]
) -> None:
    """A 401 whose body never ends, under `stream=True`, is left before long, and the request resent."""
    sent = 0
    kind = b"" if more in (plain, trickling) else b"Transfer-Encoding: chunked\r\n"

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        nonlocal sent
        if server.connections > 1:
            body = b'{"value": "new-token"}'
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return
        connection.sendall(b"HTTP/1.1 401 No\r\nContent-Type: text/event-stream\r\n" + kind + b"\r\n")
        while sent < 100_000_000 and not closing.is_set():
            sent += more(connection, closing)

    server = OddServer(converse)
    with contextlib.closing(server):
        session.auth = auth = BexAuth("u", "a password", base_url=server.base_url, cache=MemoryTokenCache())
        auth.preset("old-token")
        call = Background(lambda: session.get(f"{server.base_url}/events", stream=True, timeout=10))
        with call.result() as response:
            assert response.status_code == 200
    assert server.connections == 3
    assert sent < 20_000_000


@pytest.mark.parametrize("streamed", [True, False])
def test_a_refusal_that_breaks_off_keeps_no_response_alive(session: requests.Session, streamed: bool) -> None:
    """Whoever drops a response gives its connection back at once, also after a refusal that broke off."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        if server.connections > 1:
            body = b'{"value": "new-token"}'
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return
        connection.sendall(b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nbreaks off")

    server = OddServer(converse)
    gc.disable()
    try:
        with contextlib.closing(server):
            auth = BexAuth("u", "a password", base_url=server.base_url, cache=MemoryTokenCache())
            session.auth = auth
            auth.preset("old-token")
            response = session.get(f"{server.base_url}/events", stream=streamed, timeout=10)
            assert response.status_code == 200
            kept = [weakref.ref(each) for each in (response, *response.history)]
            response.close()
            del response
            assert [each() for each in kept] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_refusal_that_breaks_off_within_the_token(
    session: requests.Session, framing: str, streamed: bool
) -> None:
    """What came of it is not shown by the error of the call: nobody finds half a secret in it."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        if server.connections > 1:
            connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            return
        size = "30\r\n" if "chunked" in framing else ""
        head = f"HTTP/1.1 401 No\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{size}"
        connection.sendall(head.encode() + b'{"ex": "no made-up-tok')

    server = OddServer(converse)
    with contextlib.closing(server):
        auth = BexAuth("u", "a password", base_url=server.base_url, cache=MemoryTokenCache())
        auth.preset("made-up-token")
        with pytest.raises(LoginRejected) as caught:
            session.get(f"{server.base_url}/x", auth=auth, stream=streamed, timeout=10)
    assert server.connections == 2
    assert caught.value.response is not None
    assert (caught.value.response.status_code, caught.value.response.content) == (401, b"")
