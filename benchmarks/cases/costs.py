"""What an auth call costs with a token in hand, a request end to end, and the call in many threads."""

from __future__ import annotations

import gc
import json
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import requests

from requests_partnerauth import (
    BexAuth,
    FiservBoardingAuth,
    FiservCommerceConnectAuth,
    FiservPartnerAuth,
    PartnerAuth,
    RpGatewayAuth,
)
from requests_partnerauth.simulator import PartnerSimulator

from ..home import Account
from ..peers import PEERS, Peer
from ..peers._base import unsigned

FLOOR, AGAIN = "HTTPBasicAuth", "HTTPBasicAuth, once more"
_CALLS = 100
_BLOCK = 25
_THREADS = (1, 8, 32, 64)

Prepare = Callable[[int], list[Any]]
Sign = Callable[[Any], Any]


def hot_path(server: str, number: int) -> dict[str, Any]:
    """`auth(prepared)` on requests not signed before, or the nearest a library has."""
    with ExitStack() as stack:
        subjects: dict[str, tuple[Prepare, Sign]] = {}
        for name, client in _clients(server).items():
            subjects[name] = client.requests, client.signer()
        for name, auth in stack.enter_context(_partners()).items():
            subjects[name] = _prepares(auth.base_url + "/thing"), auth
        return _against_floor(subjects, max(number, 3) * 10, _signing)


def _signing(prepare: Prepare, sign: Sign) -> float:
    prepared = prepare(_CALLS)
    started = time.perf_counter_ns()
    for request in prepared:
        sign(request)
    return (time.perf_counter_ns() - started) / _CALLS


def end_to_end(server: str, number: int, names: Iterable[str] = PEERS) -> dict[str, Any]:
    """Requests per second on one kept-alive connection, by wall clock and by the client's processor time."""
    clients = _clients(server, names)
    floor = clients[FLOOR]
    pairs: dict[str, list[tuple[_Speed, _Speed]]] = {name: [] for name in clients}
    for turn in range(max(number, 3) * 4):
        for name in _shuffled(clients):
            # Next to each other, in turns: what disturbs the one disturbs the other.
            if turn % 2:
                its, theirs = _block(floor), _block(clients[name])
            else:
                theirs, its = _block(clients[name]), _block(floor)
            pairs[name].append((theirs, its))
    return {
        name: {
            "per_second": statistics.median(theirs.wall for theirs, _ in some),
            "ratio": statistics.median(theirs.wall / its.wall for theirs, its in some),
            "cpu_ratio": statistics.median(theirs.cpu / its.cpu for theirs, its in some),
            "rounds": len(some),
        }
        for name, some in pairs.items()
    }


class _Speed(NamedTuple):
    """Requests per second of wall clock and of processor time."""

    wall: float
    cpu: float


def _block(client: Peer) -> _Speed:
    started, used = time.perf_counter(), time.process_time()
    for _ in range(_BLOCK):
        client.get()
    used, took = time.process_time() - used, time.perf_counter() - started
    return _Speed(_BLOCK / took, _BLOCK / used)


def contention(server: str, number: int) -> dict[str, Any]:
    """The auth call in 1 to 64 threads on one auth: time for all, per call."""
    clients = _clients(server)
    # Its state is kept for each thread: new ones would have nothing to sign with.
    del clients["HTTPDigestAuth"]
    result: dict[str, Any] = {name: {} for name in clients}
    signs = {name: client.signer() for name, client in clients.items()}
    for threads in _THREADS:
        took: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(number * 2):
            for name in _shuffled(clients):
                took[name].append(_together(clients[name].requests, signs[name], threads))
        for name in clients:
            result[name][str(threads)] = {
                "ns": statistics.median(took[name]),
                "ratio": _ratio(took[name], took[FLOOR]),
                "rounds": number * 2,
            }
    return {**result, "HTTPDigestAuth": {"verdict": "a handshake in each thread"}}


def _together(prepare: Prepare, sign: Sign, threads: int) -> float:
    calls = max(3200 // threads, 100)
    work = [prepare(calls) for _ in range(threads)]
    barrier = threading.Barrier(threads)
    spans: list[tuple[int, int]] = []

    def run(requests: list[Any]) -> None:
        barrier.wait()
        started = time.perf_counter_ns()
        for request in requests:
            sign(request)
        spans.append((started, time.perf_counter_ns()))

    crew = [threading.Thread(target=run, args=(part,)) for part in work]
    gc.disable()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    gc.enable()
    return (max(end for _, end in spans) - min(start for start, _ in spans)) / (calls * threads)


def body_size(server: str, number: int) -> dict[str, Any]:
    """rp.Gateway's fields in JSON bodies of many sizes, against parsing and writing that body once."""
    result = {}
    with PartnerSimulator() as simulator:
        auth = RpGatewayAuth(**simulator.rp_gateway.credentials)
        auth.token()
        for size in (100, 300, 1_000, 10_000, 100_000, 1_000_000, 10_000_000):
            body = _json_of(size)
            calls = max(1, min(_CALLS, 100_000 // size))

            def prepare(number: int, body: bytes = body, url: str = auth.base_url + "/thing") -> list[Any]:
                return _posts(url, body, number)

            signing: list[float] = []
            writing: list[float] = []
            many = max(number, 3) * (1 if size > 10_000 else 4)
            for turn in range(many):
                for which in (turn % 2, (turn + 1) % 2):
                    if which:
                        signing.append(_timed(auth, prepare(calls)))
                    else:
                        writing.append(_timed(_parsed_and_written, [body] * calls))
            result[str(size)] = {
                "us": statistics.median(signing) / 1e3,
                "plain_us": statistics.median(writing) / 1e3,
                "ratio": _ratio(signing, writing),
                "bytes": len(body),
                "rounds": many,
            }
    return result


def _parsed_and_written(body: bytes) -> bytes:
    return json.dumps(json.loads(body)).encode()


def _json_of(size: int) -> bytes:
    items: list[dict[str, Any]] = []
    length = 60
    while length < size:
        items.append({"id": len(items), "street": f"{len(items)} Example Road", "price": len(items) * 1.25})
        length += len(json.dumps(items[-1])) + 2
    body = json.dumps({"op": "search", "items": items, "note": ""})
    return body.replace('"note": ""', '"note": "' + "x" * max(0, size - len(body)) + '"').encode()


def _posts(url: str, body: bytes, number: int) -> list[Any]:
    model = requests.Request("POST", url, data=body, headers={"Content-Type": "application/json"}).prepare()
    prepared = [model.copy() for _ in range(number)]
    for request in prepared:
        request.hooks = {"response": []}
    return prepared


def _timed(sign: Sign, arguments: list[Any]) -> float:
    gc.disable()
    started = time.perf_counter_ns()
    for argument in arguments:
        sign(argument)
    took = (time.perf_counter_ns() - started) / len(arguments)
    gc.enable()
    return took


def _clients(server: str, names: Iterable[str] = PEERS) -> dict[str, Peer]:
    """Everyone with a token in hand, and the floor twice: what lies between the two is noise."""
    clients = {name: PEERS[name](Account(server)) for name in names}
    clients[AGAIN] = PEERS[FLOOR](Account(server))
    for client in clients.values():
        assert client.get() == 200
    return clients


@contextmanager
def _partners() -> Iterator[dict[str, PartnerAuth]]:
    """The partners' own auths, logged in at the simulator; two of them with a token that has an end."""
    with PartnerSimulator() as simulator:
        simulator.fiserv_boarding.ttl = simulator.fiserv_partner.ttl = 60
        auths: dict[str, PartnerAuth] = {
            "BexAuth": BexAuth(**simulator.bex.credentials),
            "FiservBoardingAuth": FiservBoardingAuth(**simulator.fiserv_boarding.credentials),
            "FiservCommerceConnectAuth": FiservCommerceConnectAuth(
                **simulator.fiserv_commerce_connect.credentials
            ),
            "FiservPartnerAuth": FiservPartnerAuth(**simulator.fiserv_partner.credentials),
        }
        for auth in auths.values():
            auth.token()
        yield auths


def _prepares(url: str) -> Prepare:
    return lambda number: unsigned(url, number)


def _against_floor(
    subjects: dict[str, tuple[Prepare, Sign]], number: int, measure: Callable[[Prepare, Sign], float]
) -> dict[str, Any]:
    took: dict[str, list[float]] = {name: [] for name in subjects}
    gc.disable()
    for _ in range(number):
        for name in _shuffled(subjects):
            took[name].append(measure(*subjects[name]))
        gc.collect()
    gc.enable()
    return {
        name: {
            "ns": statistics.median(took[name]),
            "ratio": _ratio(took[name], took[FLOOR]),
            "rounds": number,
        }
        for name in subjects
    }


def _shuffled(names: Any) -> list[str]:
    return random.sample(list(names), len(names))


def _ratio(ours: list[float], floor: list[float]) -> float:
    return statistics.median(mine / its for mine, its in zip(ours, floor, strict=True))
