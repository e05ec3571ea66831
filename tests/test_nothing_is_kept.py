"""What a login sent and got is let go of with it, not when the garbage collector comes by."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
from typing import Any

import pytest
import requests
from odd_server import OddServer

from requests_partnerauth import BexAuth, MemoryTokenCache, PartnerAuthError

SAID = {
    "token": b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"value": "token"}',
    "other words": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "refusal": b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}",
    "outage": b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}",
    "broken body": b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"value',
    "broken chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"val',
    "nothing": b"",
}


@pytest.mark.parametrize("said", SAID)
def test_after_a_login_no_request_and_no_reply_is_alive(said: str) -> None:
    """Neither the password in the request nor the token in the reply outlives the login, however it ends."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(SAID[said])

    gc.disable()
    try:
        with contextlib.closing(OddServer(converse)) as server:
            auth = BexAuth("u", "a password", base_url=server.base_url, cache=MemoryTokenCache())
            with contextlib.suppress(PartnerAuthError):
                auth.token()
            assert [each for each in _messages() if str(each.url).startswith(server.base_url)] == []
    finally:
        gc.enable()


def _messages() -> list[Any]:
    return [each for each in gc.get_objects() if type(each) in (requests.PreparedRequest, requests.Response)]
