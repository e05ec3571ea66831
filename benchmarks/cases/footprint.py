"""What the libraries weigh: import time, memory for each auth object, 10,000 accounts in one process."""

from __future__ import annotations

import gc
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

from requests.auth import HTTPBasicAuth

from ..home import Account
from ..peers import PEERS, Peer
from ..peers._base import unsigned
from ..peers.fifteen_lines import TokenAuth
from ..peers.ours import BenchAuth

_OBJECTS = 100
_CALLS = 500


def imports(server: str, number: int, names: Iterable[str] = PEERS) -> dict[str, Any]:
    """Wall time of the import in fresh processes, in random order; each peer's after `import requests`."""
    statements = {
        "requests": "import requests",
        "requests, attrs": "import requests, attrs",
        "requests_partnerauth, no name of it used": "import requests; import requests_partnerauth",
    }
    for name, peer in ((name, PEERS[name]) for name in names):
        if peer.imports != "import requests":
            statements[name] = f"import requests; {peer.imports}"
    took: dict[str, list[float]] = {name: [] for name in statements}
    # Many: a whole process start differs from the next by more than the libraries do.
    number *= 4
    for turn in range(number + 1):
        for name in random.sample(list(statements), len(statements)):
            seconds = _import_time(statements[name])
            if turn:
                took[name].append(seconds)
    return {
        name: {
            "ms": statistics.median(took[name]) * 1e3,
            "ratio": _ratio(took[name], took["requests"]),
            "ratio_with_attrs": _ratio(took[name], took["requests, attrs"]),
            "rounds": number,
        }
        for name in statements
    }


def _import_time(statement: str) -> float:
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def memory(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """tracemalloc's count for each object of 100, every one with an account and a cached token of its own."""
    return {"bytes": _bytes_each(lambda: _with_token(peer, server), _OBJECTS), "what": peer.counted}


def _with_token(peer: type[Peer], server: str) -> Any:
    client = peer(Account(server))
    client.get()
    session = getattr(client, "session", None) or getattr(client, "client", None)
    if session is not None:
        session.close()
    return client.keep()


def _bytes_each(make: Callable[[], Any], number: int) -> float:
    tracemalloc.start()
    # Enough to fill the caches of parsed URLs that the standard library keeps for everyone.
    kept = [make() for _ in range(_OBJECTS + 50)]
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    kept += [make() for _ in range(number)]
    gc.collect()
    each = (tracemalloc.get_traced_memory()[0] - before) / number
    tracemalloc.stop()
    return each


def accounts(server: str, number: int) -> dict[str, Any]:
    """10,000 accounts, each with a token: memory for each, and the call on accounts at random."""
    makers: dict[str, Callable[[int], Any]] = {
        "requests_partnerauth": _own,
        "HTTPBasicAuth": lambda index: HTTPBasicAuth(f"user-{index}", f"password-{index}"),
        "fifteen lines": _fifteen,
    }
    result: dict[str, Any] = {}
    crowds = {}
    for name, make in makers.items():
        result[name] = {}
        for crowd in (1_000, 10_000):
            gc.collect()
            tracemalloc.start()
            kept = [make(crowd * 10 + index) for index in range(crowd)]
            gc.collect()
            result[name][f"bytes_{crowd}"] = tracemalloc.get_traced_memory()[0] / crowd
            tracemalloc.stop()
        crowds[name] = kept
    took: dict[str, dict[str, list[float]]] = {name: {"many": [], "one": []} for name in makers}
    for _ in range(number * 3):
        for name in random.sample(list(crowds), len(crowds)):
            took[name]["many"].append(_calls(random.sample(crowds[name], _CALLS)))
            took[name]["one"].append(_calls([crowds[name][0]] * _CALLS))
    for name, times in took.items():
        result[name]["many_ns"] = statistics.median(times["many"])
        result[name]["one_ns"] = statistics.median(times["one"])
        result[name]["ratio"] = _ratio(times["many"], took["HTTPBasicAuth"]["many"])
        result[name]["rounds"] = len(times["many"])
    return result


def _own(index: int) -> BenchAuth:
    auth = BenchAuth(f"client-{index}", f"secret-{index}", base_url="https://api.example.com")
    auth.preset(f"token-{index:035}", expires_at=time.time() + 86_400)
    auth(unsigned("https://api.example.com/thing", 1)[0])
    return auth


def _fifteen(index: int) -> TokenAuth:
    auth = TokenAuth(
        "https://api.example.com/token", f"client-{index}", f"secret-{index}", "Authorization", "Bearer "
    )
    auth.token = f"token-{index:035}"
    return auth


def _calls(auths: list[Any]) -> float:
    prepared = unsigned("https://api.example.com/thing", len(auths))
    gc.disable()
    started = time.perf_counter_ns()
    for auth, request in zip(auths, prepared, strict=True):
        auth(request)
    took = (time.perf_counter_ns() - started) / len(auths)
    gc.enable()
    return took


def _ratio(ours: list[float], floor: list[float]) -> float:
    return statistics.median(mine / its for mine, its in zip(ours, floor, strict=True))
