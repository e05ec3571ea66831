"""Tokens that the server ends: what that costs the one request that meets it, and a crowd that goes on."""

from __future__ import annotations

import queue
import statistics
import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter

from ..home import Account
from ..peers import PEERS, Peer
from ._rounds import outcome, rounds, summary

FLOOR = "HTTPBasicAuth"
OURS = "requests_partnerauth"
THREADS, REQUESTS, EVERY = 32, 10_000, 500
_USUAL = 9


def refresh(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """One request with a token that has just been ended, beyond the usual one; a login takes no time."""
    rows = []
    client = peer(account := Account(server))
    client.get()
    for _ in rounds(number * 4, seconds):
        usual = statistics.median(_seconds(client) for _ in range(_USUAL))
        account.revoke()
        started = time.perf_counter()
        result = outcome(client.get)
        took = time.perf_counter() - started
        if result != 200:
            # It has to log in anew all the same, or it never would again.
            client = peer(account := Account(server))
            client.get()
        rows.append(
            {
                "beyond_ms": (took - usual) * 1e3,
                "usual": usual * 1e3,
                "times": took / usual,
                "failed": int(result != 200),
            }
        )
    return summary(rows)


def _seconds(client: Peer) -> float:
    started = time.perf_counter()
    client.get()
    return time.perf_counter() - started


def revocations(
    server: str, number: int, requests: int = REQUESTS, names: tuple[str, ...] = ("fifteen lines", OURS)
) -> dict[str, Any]:
    """A revocation each 500 requests, 32 threads, against HTTPBasicAuth without any, in turns."""
    result: dict[str, Any] = {}
    for name in names:
        rows = []
        for turn in range(max(3, number // 3)):
            if turn % 2:
                floor, own = _crowd(FLOOR, server, requests), _crowd(name, server, requests)
            else:
                own, floor = _crowd(name, server, requests), _crowd(FLOOR, server, requests)
            rows.append(
                {
                    **own,
                    "ratio": own["per_second"] / floor["per_second"],
                    "cpu_ratio": floor["cpu"] / own["cpu"],
                }
            )
        result[name] = summary(rows)
    return result


def _crowd(name: str, server: str, number: int) -> dict[str, float]:
    """All threads take from one heap of requests, on one session with a connection for each."""
    account = Account(server)
    client: Any = PEERS[name](account)
    client.session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
    client.get()
    account.control(revoke_every=EVERY if client.logs_in else None)
    heap: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(number):
        heap.put(None)
    bad: list[Any] = []

    def work() -> None:
        while True:
            try:
                heap.get_nowait()
            except queue.Empty:
                return
            if (result := outcome(client.get)) != 200:
                bad.append(result)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
    started, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - started, time.process_time() - used
    counted = account.control(revoke_every=None)
    client.session.close()
    # The first request was answered before the counting; the revocation that the last ones may meet counts
    # as soon as one of them has.
    revoked = counted["ended"] if client.logs_in else 0
    return {
        "per_second": number / took,
        "cpu": used,
        "logins_beyond": counted["logins"] - revoked - 1 if client.logs_in else 0,
        "logins": counted["logins"],
        "refused": counted["denied"],
        "failed": len(bad),
    }
