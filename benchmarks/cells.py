"""What stands in one cell of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Cell = Callable[[dict[str, Any]], str]


def count(name: str) -> Cell:
    """A count: one number where all rounds agree, else from the least to the most."""

    def cell(figures: dict[str, Any]) -> str:
        least, most = figures[name]["least"], figures[name]["most"]
        return f"{least}" if least == most else f"{least} to {most}"

    return cell


def seconds(figures: dict[str, Any]) -> str:
    """The median time; how many rounds where they were fewer than 15."""
    few = f" ({figures['rounds']} rounds)" if figures["rounds"] < 15 else ""
    return f"{figures['seconds']['median']:.2f} s{few}"


def words(name: str) -> Cell:
    """What was seen; several things where rounds differ."""
    return lambda figures: " / ".join(figures[name])


def ratio(name: str, small: Cell) -> Cell:
    """A ratio, and what it is made of in small print."""
    return lambda figures: f"{figures[name]:.2f} <small>{small(figures)}</small>"


def thread(number: str) -> Cell:
    """The ratio in so many threads, and the time for each call."""

    def cell(figures: dict[str, Any]) -> str:
        own = figures[number]
        return f"{own['ratio']:.2f} <small>{own['ns'] / 1e3:.1f} µs</small>"

    return cell


def shared(name: str) -> Cell:
    """A count for processes on their own, and for those that share a file."""

    def cell(figures: dict[str, Any]) -> str:
        alone = count(name)(figures["alone"])
        return f"{alone}; sharing {count(name)(figures['shared'])}" if "shared" in figures else alone

    return cell


def pickled(figures: dict[str, Any]) -> str:
    """What came of each thing that a user might pickle."""
    return "; ".join(f"{name}: {seen}" for name, seen in figures.items())


def middle(name: str, form: str) -> Cell:
    """The median of a number."""
    return lambda figures: form.format(figures[name]["median"])


def beyond(figures: dict[str, Any]) -> str:
    """The median of the slowest requests, and between what they lie."""
    beyond = figures["beyond_ms"]
    return f"{beyond['median']:.0f} ms <small>{beyond['least']:.0f} to {beyond['most']:.0f}</small>"
