"""4 processes x 8 threads x 5 requests on one account; a fork during a login; pickle."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

from ..home import Account
from ..peers import Peer
from ._rounds import outcome, rounds, summary

CHILD_SECONDS = 5.0


def processes(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """Each process on its own, and with what the library has for sharing tokens, where it has something."""
    result = {"alone": _many(peer, server, number, seconds, shared=False)}
    if peer.shares:
        result["shared"] = _many(peer, server, number, seconds, shared=True)
    return result


def _many(peer: type[Peer], server: str, number: int, seconds: float, *, shared: bool) -> dict[str, Any]:
    rows = []
    for _ in rounds(number, seconds):
        with tempfile.TemporaryDirectory() as directory:
            account = Account(server, login_delay=0.1)
            single = Account(server, login_delay=0.1, one_session=True)
            (_, took), (lost, _) = _four(peer, (account, single), directory if shared else "")
            rows.append({"logins": account.control()["logins"], "lost_of_160": lost, "seconds": took})
    return summary(rows)


def _four(peer: type[Peer], accounts: tuple[Account, ...], directory: str) -> list[tuple[int, float]]:
    """How many requests on each account failed, and the seconds it took."""
    names = [account.name for account in accounts]
    command = [sys.executable, "-m", "benchmarks.child", peer.name, accounts[0].server, directory, *names]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    results = []
    for child in children:
        _line(child)
    for _ in accounts:
        started = time.perf_counter()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        lost = sum(int(_line(child)) for child in children)
        results.append((lost, time.perf_counter() - started))
    for child in children:
        child.communicate(timeout=10)
    return results


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline()


def fork(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """A child is forked while another thread logs in; it has five seconds for a request of its own."""
    return {"seen": sorted({_forked(peer, server) for _ in range(3)})}


def _forked(peer: type[Peer], server: str) -> str:
    account = Account(server, login_delay=1.0)
    client = peer(account)
    thread = threading.Thread(target=outcome, args=(client.get,), daemon=True)
    thread.start()
    while not account.control()["started"]:
        time.sleep(0.01)
    child = os.fork()
    if not child:
        os._exit(0 if outcome(client.get) == 200 else 1)
    end = time.perf_counter() + CHILD_SECONDS
    while time.perf_counter() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            thread.join(5)
            return "ok" if status == 0 else "fails"
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "DEADLOCK"


def pickles(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """What a user might pickle, pickled and used."""
    client = peer(Account(server))
    client.get()
    return {name: _pickled(thing, use) for name, (thing, use) in client.copies().items()}


def _pickled(thing: Any, use: Any) -> str:
    try:
        copy = pickle.loads(pickle.dumps(thing))
    except Exception as error:
        return type(error).__name__
    result = outcome(lambda: use(copy))
    return "ok" if result == 200 else "unusable copy"
