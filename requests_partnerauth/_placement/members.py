"""Members put into JSON as it is written: numbers keep their digits, members their order and spelling."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_BLANKS = " \t\r\n"
_scan = json.JSONDecoder().raw_decode


class Members:
    """The fields as members: put into a JSON object, or into each object of a JSON list of objects.

    Args:
        names: All their names: members of the same name give way.
        fields: Those that are always the same.
        token_field: The name of the one that is not, the last.
    """

    __slots__ = ("_before", "_names", "_token_field")

    def __init__(self, names: frozenset[str], fields: Mapping[str, str], token_field: str) -> None:
        self._names = names
        self._token_field = token_field
        constant = f"{json.dumps(fields)[1:-1]}, " if fields else ""
        self._before = f"{constant}{json.dumps(token_field)}: "

    def put_into(self, text: str, value: str) -> str | None:
        """The text with the fields in it, None where it holds neither; `value` is the token, in quotes."""
        text = text.strip(_BLANKS)
        try:
            if text[:1] == "{":
                members, end = _scan(text)
                return self._put(text, members, value) if end == len(text) else None
            if text[:1] == "[":
                return self._put_into_each(text, value)
        except (ValueError, IndexError, RecursionError):
            pass
        return None

    def values_in(self, text: str) -> list[str]:
        """The tokens where `put_into` puts them."""
        if text.lstrip(_BLANKS)[:1] not in ("{", "["):
            return []
        try:
            held = json.loads(text)
        except (ValueError, RecursionError):
            return []
        objects = held if isinstance(held, list) else [held]
        values = [one.get(self._token_field) for one in objects if isinstance(one, dict)]
        return [value for value in values if isinstance(value, str)]

    def _put_into_each(self, text: str, value: str) -> str | None:
        pieces, end = [], 0
        while text[end] != "]":
            start = _next(text, end + 1)
            if text[start] != "{":
                return None
            members, stop = _scan(text, start)
            pieces += [text[end:start], self._put(text[start:stop], members, value)]
            end = _next(text, stop)
            if text[end] not in ",]":
                return None
            pieces.append(text[stop:end])
        return "".join([*pieces, "]"]) if end == len(text) - 1 else None

    def _put(self, text: str, members: Mapping[str, Any], value: str) -> str:
        """The text of an object, with the fields in it."""
        if not members:
            return f"{{{self._before}{value}}}"
        if self._names.isdisjoint(members):
            return f"{text[:-1]}, {self._before}{value}}}"
        others = [member for name, member in _written(text) if name not in self._names]
        return "{" + ", ".join([*others, f"{self._before}{value}"]) + "}"


def _written(text: str) -> Iterator[tuple[str, str]]:
    """The members of a JSON object, by name, each as it is written in this text."""
    start = _next(text, 1)
    while text[start] != "}":
        name, end = _scan(text, start)
        _, end = _scan(text, _next(text, end, ":"))
        yield name, text[start:end]
        start = _next(text, end, ",")


def _next(text: str, position: int, also: str = "") -> int:
    """Where the next thing is written: past blanks, and past `also`."""
    while text[position] in _BLANKS or text[position] == also:
        position += 1
    return position
