"""Refused credentials, and an endpoint that always refuses."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from ..home import Account
from ..peers import Peer
from ._rounds import herd, outcome, rounds, summary


def refused(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """A wrong password: 64 threads at once, then 20 calls. What counts is how often the server saw it."""
    rows = []
    for _ in rounds(number, seconds):
        account = Account(server, login_delay=0.02)
        client = peer(account, secret="not-the-secret")
        _, took = herd(64, client.get)
        first = _attempts(peer, account)
        for _ in range(20):
            outcome(client.get)
        rows.append({"attempts": first, "later": _attempts(peer, account) - first, "seconds": took})
    return summary(rows)


def always(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """Good credentials and an endpoint that answers 401 whatever comes: 50 calls."""
    rows = []
    for _ in rounds(number, seconds):
        account = Account(server)
        client = peer(account)
        client.get()
        account.control(reset=True)
        started = time.perf_counter()
        for _ in range(50):
            outcome(partial(client.get, "/api/refuse"))
        counted = account.control()
        rows.append(
            {
                "logins": counted["logins"],
                "requests": counted["requests"],
                "seconds": time.perf_counter() - started,
            }
        )
    return summary(rows)


def _attempts(peer: type[Peer], account: Account) -> int:
    """Refused logins; for those who send the password with each call, refused calls."""
    counted = account.control()
    return int(counted["refused"] if peer.logs_in else counted["denied"])
