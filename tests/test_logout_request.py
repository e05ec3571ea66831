"""A logout tells the partner once, and nothing that comes of it reaches the caller."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from acme_steps import Steps, StepsAuth, answer_of
from odd_server import OddServer
from recording_server import Answer, RecordingServer, recording_server

from requests_partnerauth import Token

pytestmark = pytest.mark.usefixtures("no_environment")

TOKEN = Token("TOKEN-TO-END-TODAY", cookies={"node": "a-node-of-seven"})


class LeavingAuth(StepsAuth):
    where = "/logout"

    def logout_request(self, token: Token) -> requests.Request | None:
        url = self.where if "//" in self.where else f"{self.base_url}{self.where}"
        return requests.Request("DELETE", url)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


def told(records: list[logging.LogRecord]) -> str:
    (line,) = [record.getMessage() for record in records if record.levelno > logging.DEBUG]
    return line


def test_the_token_is_in_it(server: RecordingServer, records: list[logging.LogRecord]) -> None:
    """The request carries the token where every request does, and its cookies."""
    LeavingAuth(server.url)._log_in.log_out(TOKEN)
    (heard,) = server.heard
    assert (heard.method, heard.target) == ("DELETE", "/logout")
    assert (heard.header("X-Token"), heard.header("Cookie")) == (TOKEN.value, "node=a-node-of-seven")
    assert told(records) == f"acme: logged out 'me', token {TOKEN.fingerprint}"


def test_a_whole_round(server: RecordingServer) -> None:
    """At the end of a `with` the token that was logged in for is ended at the partner."""
    steps = Steps(server)
    with LeavingAuth(server.url) as auth:
        first = auth.token()
    assert steps.last("/logout").header("X-Token") == first.value
    assert auth.token().value != first.value
    assert (steps.count("/logout"), steps.count("/login")) == (1, 2)


def test_a_partner_without_one(server: RecordingServer, records: list[logging.LogRecord]) -> None:
    """Where there is no logout nothing is sent, and nothing told."""
    StepsAuth(server.url)._log_in.log_out(TOKEN)
    assert (server.heard, records) == ([], [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answer_of(401, {"error": TOKEN.value}), "HTTP 401"),
        (Answer(503), "HTTP 503"),
        (Answer(0), "the connection broke"),
    ],
    ids=["401", "503", "hung-up"],
)
def test_a_partner_that_does_not_take_it(
    server: RecordingServer, records: list[logging.LogRecord], answer: Answer, why: str
) -> None:
    """It is asked once; what it says is a warning without the token, and no error."""
    server.answer = answer
    LeavingAuth(server.url)._log_in.log_out(TOKEN)
    assert len(server.heard) == 1
    assert told(records) == f"acme: no logout for 'me': {why}"


def test_a_partner_that_says_nothing(records: list[logging.LogRecord]) -> None:
    """It is over within the login's limit."""

    def say_nothing(connection: socket.socket, closing: threading.Event) -> None:
        closing.wait(60)

    with contextlib.closing(OddServer(say_nothing)) as server:
        LeavingAuth(server.base_url, login_timeout=(0.2, 0.2))._log_in.log_out(TOKEN)
    assert told(records).startswith("acme: no logout for 'me': no ")


def test_a_logout_elsewhere(server: RecordingServer, records: list[logging.LogRecord]) -> None:
    """A token is not sent to a host that may not see it, to be ended neither."""
    auth = LeavingAuth("https://api.example")
    auth.where = f"{server.url}/logout"
    auth._log_in.log_out(TOKEN)
    assert server.heard == []
    assert "may not go to" in told(records)


@pytest.mark.parametrize("wrong", [KeyError("a secret"), "a secret"])
def test_a_mistake_of_the_author(
    server: RecordingServer, records: list[logging.LogRecord], wrong: object
) -> None:
    """What `logout_request` does wrong is told in the log, by kind, without values."""

    class Mistaken(StepsAuth):
        def logout_request(self, token: Token) -> Any:
            if isinstance(wrong, Exception):
                raise wrong
            return wrong

    Mistaken(server.url)._log_in.log_out(TOKEN)
    assert server.heard == []
    why = (
        "KeyError in Mistaken.logout_request"
        if isinstance(wrong, Exception)
        else "a requests.Request is wanted"
    )
    assert why in told(records)
    assert "a secret" not in told(records)
