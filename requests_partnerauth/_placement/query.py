"""The token as a parameter of the query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote_plus, unquote_plus, urlsplit, urlunsplit

import requests

from .._settings import checks
from ._base import Placement


class QueryPlacement(Placement):
    """The token as a parameter of the query, whatever the body: ``QueryPlacement("access_token")``.

    A parameter of the same name gives way. A URL turns up in logs and histories that no header does: take
    another placement where the partner has one.

    Args:
        name: The parameter's name.

    Raises:
        ValueError: `name` is no text, or empty.
    """

    def __init__(self, name: str) -> None:
        self.name = checks.text("name", name)
        self._pair = quote_plus(name) + "="

    def __repr__(self) -> str:
        return f"QueryPlacement({self.name!r})"

    def place(self, request: requests.PreparedRequest, value: str) -> Any:
        before = request.url or ""
        request.url = with_pair(before, (self.name,), self._pair + quote_plus(value))
        return _Mark(before, request.url)

    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        if mark is not None and request.url == mark.signed:
            request.url = mark.unsigned
        else:
            request.url = without_pairs(request.url or "", (self.name,))

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return value in self._values(request)

    def _values(self, request: requests.PreparedRequest) -> Iterable[str]:
        value = pair_value(urlsplit(request.url or "").query, self.name)
        return [] if value is None else [value]


class _Mark(NamedTuple):
    """The URL as it was, and as it went out."""

    unsigned: str
    signed: str

    def __repr__(self) -> str:
        return "Mark(...)"


def with_pair(url: str, names: Iterable[str], pair: str) -> str:
    """The URL with this at the end of its query, in place of what had one of these names."""
    if "?" not in url and "#" not in url:
        return f"{url}?{pair}"
    split = urlsplit(url)
    return urlunsplit(split._replace(query="&".join([*other_pairs(split.query, names), pair])))


def without_pairs(url: str, names: Iterable[str]) -> str:
    """The URL without parameters of these names; as it is, where it has none."""
    split = urlsplit(url)
    if all(pair_value(split.query, name) is None for name in names):
        return url
    return urlunsplit(split._replace(query="&".join(other_pairs(split.query, names))))


def other_pairs(pairs: str, names: Iterable[str]) -> list[str]:
    """The pairs of a query or form that have none of these names, as they are written."""
    return [pair for pair in pairs.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in names]


def pair_value(pairs: str, wanted: str) -> str | None:
    """The first value of this name in a query or form."""
    for pair in pairs.split("&"):
        name, _, value = pair.partition("=")
        if unquote_plus(name) == wanted:
            return unquote_plus(value)
    return None
