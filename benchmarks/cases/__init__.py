"""The cases by name: those that run for one peer at a time, and those that run everyone side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..peers import Peer
from . import (
    ahead,
    bodies,
    costs,
    first,
    footprint,
    herds,
    processes,
    redirects,
    refusals,
    responses,
    revocations,
)

EACH: dict[str, Callable[[type[Peer], str, int, float], dict[str, Any]]] = {
    "cold-herd": herds.cold,
    "expiry-herd": herds.expiry,
    "ending-herd": herds.ending,
    "refused": refusals.refused,
    "always-refused": refusals.always,
    "bodies": bodies.bodies,
    "redirects": redirects.redirects,
    "ahead": ahead.ahead,
    "refresh": revocations.refresh,
    "processes": processes.processes,
    "fork": processes.fork,
    "pickle": processes.pickles,
    "memory": footprint.memory,
}
"""Called with a peer, the server, how many rounds and for how many seconds; in a process of its own each."""

SIDE_BY_SIDE: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "hot-path": costs.hot_path,
    "end-to-end": costs.end_to_end,
    "contention": costs.contention,
    "body-size": costs.body_size,
    "responses": responses.responses,
    "revocations": revocations.revocations,
    "imports": footprint.imports,
    "first-request": first.first_request,
    "accounts": footprint.accounts,
}
"""Called with the server and how many rounds; everyone in one process, interleaved."""

NO_LOGIN = frozenset(
    {"cold-herd", "expiry-herd", "ending-herd", "always-refused", "ahead", "refresh", "processes", "fork"}
)
"""What says nothing about those who have no login."""

UNTIMED = frozenset({"bodies", "redirects", "fork", "pickle", "memory"})
"""What is seen or counted, not timed: two of these may run at once."""
