"""64 threads that need a token at one moment: cold, expired, and where a login ends the old session."""

from __future__ import annotations

from typing import Any

from ..home import Account
from ..peers import Peer
from ._rounds import failed, herd, outcome, rounds, summary

THREADS = 64
LOGIN_SECONDS = 0.1


def cold(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """The first request of each thread, with no token anywhere."""
    rows = []
    for _ in rounds(number, seconds):
        account = Account(server, login_delay=LOGIN_SECONDS)
        outcomes, took = herd(THREADS, peer(account).get)
        counted = account.control()
        rows.append({"logins": counted["logins"], "failed": failed(outcomes), "seconds": took})
    return summary(rows)


def expiry(
    peer: type[Peer], server: str, number: int, seconds: float, *, one_session: bool = False
) -> dict[str, Any]:
    """All tokens are ended at the server; then each thread asks once, and one asks five times more."""
    rows = []
    for _ in rounds(number, seconds):
        account = Account(server, one_session=one_session)
        client = peer(account)
        client.get()
        herd(THREADS, client.get)
        account.control(login_delay=LOGIN_SECONDS)
        account.revoke()
        outcomes, took = herd(THREADS, client.get)
        counted = account.control()
        later = [outcome(client.get) for _ in range(5)]
        rows.append(
            {
                "logins": counted["logins"],
                "failed": failed(outcomes),
                "failed_later": failed(later),
                "seconds": took,
            }
        )
    return summary(rows)


def ending(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """The same on an account where a login ends the session before it."""
    return expiry(peer, server, number, seconds, one_session=True)
