"""Refresh ahead: 8 threads go on asking in the last stretch of a token's life; a login takes 500 ms."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Any

from ..home import Account
from ..peers import Peer
from ._rounds import outcome, rounds, summary

THREADS = 8
LOGIN_SECONDS = 0.5
# Without it the threads would wait for the interpreter: 40 ms at times, with nothing to refresh.
PAUSE_SECONDS = 0.02


def ahead(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """Each peer with its own margin: the token ends that long, and a second, after the first login.

    Where the margin is a share of the token's life (this project's), it lives four seconds.
    """
    rows = []
    for _ in rounds(number, seconds):
        account = Account(server, expires_in=peer.lifetime_ahead, later_expires_in=3600)
        client = peer(account)
        client.get()
        client.settle()
        began = time.perf_counter()
        account.control(login_delay=LOGIN_SECONDS)
        # Half a second before the window begins, until the refresh is over and done with.
        time.sleep(max(0.0, peer.ahead_after - 0.5))
        spans = _asked(client, until=began + peer.ahead_after + LOGIN_SECONDS + 0.4)
        counted = account.control()
        usual = statistics.median(spans[0])
        rows.append(
            {
                "logins": max(0, counted["logins"] - 1),
                "failed": spans[1],
                "usual_ms": usual * 1e3,
                "slowest_ms": max(spans[0]) * 1e3,
                "beyond_ms": (max(spans[0]) - usual) * 1e3,
                "requests": len(spans[0]),
            }
        )
    return summary(rows)


def _asked(client: Peer, until: float) -> tuple[list[float], int]:
    """How long each request took, and how many failed."""
    spans: list[float] = []
    bad: list[Any] = []

    def ask() -> None:
        while (started := time.perf_counter()) < until:
            result = outcome(client.get)
            spans.append(time.perf_counter() - started)
            if result != 200:
                bad.append(result)
            time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return spans, len(bad)
