"""What a response costs by its size: processor time, wall clock and peak memory, against HTTPBasicAuth."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import requests

from requests_partnerauth import BexAuth, FiservPartnerAuth, PartnerAuth, RpGatewayAuth

from ..home import Account
from ..peers import PEERS
from ..peers.fifteen_lines import TokenAuth
from ..peers.ours import BenchAuth

OTHERS = ("azure-core", "fifteen lines")
FLOOR, AGAIN = "HTTPBasicAuth", "HTTPBasicAuth, once more"
SIZES = (100, 1_000, 10_000, 60_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
FORMS = ("json", "binary")
_TOKEN = "a-token-of-usual-length-0123456789"
_PIECE = 64 * 1024
_LIMIT = 60

Ask = Callable[[str, bool], None]


def responses(
    server: str,
    number: int,
    sizes: Iterable[int] = SIZES,
    forms: Iterable[str] = FORMS,
    *,
    own: bool = False,
) -> dict[str, Any]:
    """Every subject next to the floor, in turns, for each size, form, and way of reading; or ours alone."""
    account = Account(server)
    subjects = _subjects(account)
    if own:
        subjects = {name: ask for name, ask in subjects.items() if name not in OTHERS}
    floor = subjects.pop(FLOOR)
    result: dict[str, Any] = {name: {} for name in subjects}
    for form in forms:
        for size in sizes:
            url = f"{account.url}/size/{size}/{form}"
            for streamed in (False, True):
                floor(url, streamed)  # the server makes it once
                what = f"{form}, streamed" if streamed else form
                plain = _peak(floor, url, streamed)
                for name, ask in subjects.items():
                    cell = _against(floor, ask, url, streamed, size, number)
                    peak = _peak(ask, url, streamed)
                    cell["peak"], cell["peak_kb_more"] = peak / plain, (peak - plain) / 1e3
                    result[name].setdefault(what, {})[str(size)] = cell
    return result


def _subjects(account: Account) -> dict[str, Ask]:
    partners: dict[str, PartnerAuth] = {
        "BexAuth": BexAuth("user", "a-password", base_url=account.url),
        "FiservPartnerAuth": FiservPartnerAuth("user", "a-password", base_url=account.url, ain="123"),
        "RpGatewayAuth": RpGatewayAuth("user", "a-password", base_url=account.url, uid="123"),
    }
    for auth in partners.values():
        auth.preset(_TOKEN)
    own = BenchAuth("bench-client", "a-secret", base_url=account.url)
    own.preset(_TOKEN)
    fifteen = TokenAuth(account.token_url, "bench-client", "a-secret", "Authorization", "Bearer ")
    fifteen.token = _TOKEN
    floor = PEERS[FLOOR](Account(account.server)).signer()
    azure: Any = PEERS["azure-core"](Account(account.server))
    return {
        FLOOR: _with_requests(floor),
        AGAIN: _with_requests(floor),
        "requests_partnerauth": _with_requests(own),
        **{name: _with_requests(auth) for name, auth in partners.items()},
        "azure-core": _with_azure(azure.client),
        "fifteen lines": _with_requests(fifteen),
    }


def _with_requests(auth: Any) -> Ask:
    session = requests.Session()
    session.auth = auth

    def ask(url: str, streamed: bool) -> None:
        response = session.get(url, stream=streamed, timeout=_LIMIT)
        assert response.status_code == 200
        if streamed:
            for _ in response.iter_content(_PIECE):
                pass

    return ask


def _with_azure(client: Any) -> Ask:
    from azure.core.rest import HttpRequest

    def ask(url: str, streamed: bool) -> None:
        # It raises for what it can't deserialize, unless that is streamed.
        streamed = streamed or url.endswith("/binary")
        response = client.send_request(
            HttpRequest("GET", url), stream=streamed, enforce_https=False, read_timeout=_LIMIT
        )
        assert response.status_code == 200
        if streamed:
            for _ in response.iter_bytes():
                pass

    return ask


class _Cost(NamedTuple):
    """Seconds for one request."""

    cpu: float
    wall: float


def _against(floor: Ask, ask: Ask, url: str, streamed: bool, size: int, number: int) -> dict[str, Any]:
    calls = max(1, min(10, 2_000_000 // size))
    turns = max(number, 3) * (2 if size <= 10_000_000 else 1)
    pairs = []
    gc.collect()
    for turn in range(turns):
        if turn % 2:
            its = _cost(floor, url, streamed, calls)
            theirs = _cost(ask, url, streamed, calls)
        else:
            theirs = _cost(ask, url, streamed, calls)
            its = _cost(floor, url, streamed, calls)
        pairs.append((theirs, its))
    return {
        # Of neighbours: a machine that others slow down slows both.
        "cpu": statistics.median(theirs.cpu / its.cpu for theirs, its in pairs),
        "wall": statistics.median(theirs.wall / its.wall for theirs, its in pairs),
        "ms": statistics.median(theirs.cpu for theirs, _ in pairs) * 1e3,
        "rounds": turns,
    }


def _cost(ask: Ask, url: str, streamed: bool, calls: int) -> _Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        ask(url, streamed)
    return _Cost((time.process_time() - cpu) / calls, (time.perf_counter() - wall) / calls)


def _peak(ask: Ask, url: str, streamed: bool) -> float:
    """The most that was allocated at a time while one response was read; the least of three tries."""
    peaks = []
    for _ in range(3):
        gc.collect()
        tracemalloc.start()
        ask(url, streamed)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return min(peaks)
