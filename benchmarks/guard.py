"""python -m benchmarks --goals: the costs measured in short rounds by turns, and each goal reached or not.

For a look before a change is taken: within five minutes, and nothing is written. It compares what stands side
by side in one run; absolute times, and what only whole runs can show, are the report's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .cases import costs, first, footprint, responses, revocations
from .goals import OURS, goals
from .home import serving
from .peers import PEERS

_SIZES = (100, 10_000, 60_000, 1_000_000, 100_000_000)

_MEASURED: dict[str, Callable[[str], dict[str, Any]]] = {
    "hot-path": lambda server: costs.hot_path(server, 15),
    "body-size": lambda server: costs.body_size(server, 5),
    "end-to-end": lambda server: costs.end_to_end(server, 20, ("HTTPBasicAuth", OURS)),
    "responses": lambda server: responses.responses(server, 12, _SIZES, ("json",), own=True),
    "imports": lambda server: footprint.imports(server, 6, ("HTTPBasicAuth", OURS)),
    "first-request": lambda server: first.first_request(server, 6, (first.BY_HAND, OURS)),
    "revocations": lambda server: revocations.revocations(server, 9, 2_000, (OURS,)),
    "memory": lambda server: {OURS: footprint.memory(PEERS[OURS], server, 1, 0.0)},
}


def guard() -> bool:
    """Measure, print each goal that was measured, and tell whether all of them are reached."""
    cases: dict[str, Any] = {}
    for case, measure in _MEASURED.items():
        print(f"{case} ...", file=sys.stderr, flush=True)
        with serving() as server:
            cases[case] = measure(server)
    seen = [row for row in goals(cases) if row[2] != "not measured"]
    for case, wanted, measured, verdict in seen:
        print(f"{verdict.strip('*'):12}  {case}: {wanted}; measured {measured}")
    return all(verdict == "reached" for _, _, _, verdict in seen)
