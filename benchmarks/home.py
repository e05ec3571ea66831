"""The server as the cases see it: started once, an account of its own for every round."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def serving() -> Iterator[str]:
    """The server's address, while it runs in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)


class Account:
    """An account on the server, new unless named.

    Args:
        server: The server's address.
        name: The name of an account that exists.
        settings: What the account is to do, see `server.Account`.
    """

    def __init__(self, server: str, name: str | None = None, **settings: Any) -> None:
        self.server = server
        self.name = name or uuid.uuid4().hex[:12]
        self.url = f"{server}/{self.name}"
        self.token_url = f"{self.url}/token"
        if settings:
            self.control(**settings)

    def control(self, **wanted: Any) -> dict[str, Any]:
        """Change settings; what was counted so far."""
        connection = http.client.HTTPConnection(urlsplit(self.server).netloc, timeout=10)
        try:
            connection.request("POST", f"/{self.name}/control", json.dumps(wanted))
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def revoke(self) -> None:
        """End all tokens and start counting anew."""
        self.control(revoke=True, reset=True)
