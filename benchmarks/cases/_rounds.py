"""Rounds, herds and medians."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def rounds(number: int, seconds: float) -> Iterator[int]:
    """So many rounds, or as many as fit into the time, at least three."""
    end = time.perf_counter() + seconds
    for index in range(number):
        if index >= 3 and time.perf_counter() >= end:
            return
        yield index


def herd(number: int, ask: Callable[[], int]) -> tuple[list[Any], float]:
    """What so many threads get that ask at one moment, and the seconds until the last one had it."""
    barrier = threading.Barrier(number + 1)
    outcomes: list[Any] = []

    def one() -> None:
        barrier.wait()
        outcomes.append(outcome(ask))

    threads = [threading.Thread(target=one, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return outcomes, time.perf_counter() - started


def outcome(ask: Callable[[], int]) -> Any:
    """The status, or the name of the error."""
    try:
        return ask()
    except Exception as error:
        return type(error).__name__


def failed(outcomes: Iterable[Any]) -> int:
    """How many of them are no success."""
    return sum(outcome != 200 for outcome in outcomes)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of every number, its least and its greatest, over all rounds."""
    result: dict[str, Any] = {"rounds": len(rows)}
    for name in rows[0]:
        values = [row[name] for row in rows]
        result[name] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return result
