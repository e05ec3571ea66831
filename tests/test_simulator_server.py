"""The server before the simulated partners: bodies, framing, clients that leave, and its end."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from simulator_contract import plain_session

from requests_partnerauth.simulator import Call, PartnerSimulator, Reply


class TestSocketDoor:
    """What the server itself owes its clients."""

    @pytest.fixture
    def session(self) -> Iterator[requests.Session]:
        with plain_session() as opened:
            yield opened

    def test_bodies_arrive_whole(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A body with a length and a chunked one arrive byte for byte, on one connection."""
        body = os.urandom(200_000)
        headers = {"token": simulator.bex.login_elsewhere()}
        chunks = (body[start : start + 7_001] for start in range(0, len(body), 7_001))
        for data in (body, chunks):
            echo = session.put(simulator.bex.base_url + "/x", data=data, headers=headers).json()["echo"]
            assert (hashlib.sha256(body).hexdigest(), len(body)) == (echo["sha256"], echo["length"])

    def test_chunked_replies_and_head(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A reply is chunked where asked; HEAD gets the length and no body."""
        simulator.bex.answer("/x", Reply(200, {}, b"whole", chunked=True))
        reply = session.get(simulator.bex.base_url + "/x")
        assert (reply.content, reply.headers.get("Content-Length")) == (b"whole", None)
        simulator.bex.answer("/x", Reply(200, {}, b"whole"))
        head = session.head(simulator.bex.base_url + "/x")
        assert (head.content, head.headers["Content-Length"]) == (b"", "5")

    def test_an_unknown_prefix(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A path under no partner is not found."""
        root = simulator.bex.base_url.removesuffix("/bex")
        assert [session.get(root + path).status_code for path in ("/", "/bexx/api")] == [404, 404]

    def test_a_client_that_hangs_up(
        self, simulator: PartnerSimulator, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A client that leaves in the middle of its body, or before the answer, prints nothing."""
        seen = threading.Event()

        def large(call: Call) -> Reply:
            seen.set()
            return Reply(200, {}, b"x" * 1_000_000)

        simulator.bex.answer("/x", large)
        where = urlsplit(simulator.bex.base_url)
        for sent in (b"Content-Length: 10\r\n\r\nabc", b"Content-Length: 0\r\n\r\n"):
            with socket.create_connection((where.hostname, where.port or 0)) as client:
                client.sendall(b"POST /bex/x HTTP/1.1\r\nHost: here\r\n" + sent)
        assert seen.wait(60)
        simulator.stop()
        assert capfd.readouterr().err == ""

    def test_stopping_hangs_up(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """After stop() nobody is served, not even over a connection kept alive."""
        simulator.bex.answer("/x", Reply(200))
        assert session.get(simulator.bex.base_url + "/x").status_code == 200
        simulator.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(simulator.bex.base_url + "/x")

    def test_a_callable_runs_outside_the_lock(
        self, simulator: PartnerSimulator, session: requests.Session
    ) -> None:
        """A test's own answer may use the controls of the partner it answers for."""

        def revoke(call: Call) -> Reply | None:
            simulator.bex.revoke()
            return None

        token = simulator.bex.login_elsewhere()
        simulator.bex.answer("/x", revoke)
        assert session.get(simulator.bex.base_url + "/x", headers={"token": token}).status_code == 401
