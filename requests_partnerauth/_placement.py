"""Where a token goes in a request, and how it is taken off again."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

import requests

from ._settings.checks import header_name, header_prefix, text

_FORM = "application/x-www-form-urlencoded"


class Mark(NamedTuple):
    """What placing changed in a request: url and body as they were, and as they went out."""

    unsigned_url: str
    unsigned_body: Any
    signed_url: str
    signed_body: Any

    def __repr__(self) -> str:
        return "Mark(...)"


class Placement(ABC):
    """Where the token goes. Knows requests, nothing of partners or logins."""

    @abstractmethod
    def place(self, request: requests.PreparedRequest, value: str) -> Mark | None:
        """Put the token into the request, instead of any that is there. Returns what undoes it exactly."""

    def header(self, value: str) -> tuple[str, str] | None:
        """Name and text of the header, where placing the token means no more than setting that one."""
        return None

    @abstractmethod
    def remove(self, request: requests.PreparedRequest, mark: Mark | None) -> None:
        """Make the request what it was before. A redirect's request is left without token at least."""

    @abstractmethod
    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        """Whether this very token is in the request."""


class HeaderPlacement(Placement):
    """The token in a header of its own: ``HeaderPlacement("X-Acme-Token")``.

    Args:
        name: The header's name.
        prefix: What stands before the token, its blank included: ``"Bearer "``.
    """

    def __init__(self, name: str, prefix: str = "") -> None:
        self.name = header_name("name", name)
        self.prefix = header_prefix("prefix", prefix)

    def __repr__(self) -> str:
        return f"HeaderPlacement({self.name!r}, prefix={self.prefix!r})"

    def place(self, request: requests.PreparedRequest, value: str) -> None:
        request.headers[self.name] = self.prefix + value

    def header(self, value: str) -> tuple[str, str] | None:
        if type(self).place is not HeaderPlacement.place:
            return None
        return self.name, self.prefix + value

    def remove(self, request: requests.PreparedRequest, mark: Mark | None) -> None:
        request.headers.pop(self.name, None)

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return request.headers.get(self.name) == self.prefix + value


class SessionFieldsPlacement(Placement):
    """The token and further fields in the request itself: ``SessionFieldsPlacement("sid", {"uid": "X1"})``.

    They become members of a JSON object body or fields of a form body, else parameters of the query. Any
    other body (multipart, bytes, JSON that is no object) keeps its content. A field of the same name that
    is already there gives way.

    Args:
        token_field: The name under which the token goes.
        fields: Further fields that go along, as names and values.
    """

    def __init__(self, token_field: str, fields: Mapping[str, str] | None = None) -> None:
        self.token_field = text("token_field", token_field)
        self.fields = dict(fields or {})
        self._names = {token_field, *self.fields}

    def __repr__(self) -> str:
        return f"SessionFieldsPlacement({self.token_field!r}, fields={sorted(self.fields)})"

    def place(self, request: requests.PreparedRequest, value: str) -> Mark | None:
        url, body = request.url or "", request.body
        fields = {**self.fields, self.token_field: value}
        signed = self._into_body(request, fields)
        if signed is None:
            request.url = _with_query(url, lambda query: self._into_pairs(query, fields))
        else:
            request.body = signed
            request.prepare_content_length(signed)
        return Mark(url, body, request.url or "", request.body)

    def remove(self, request: requests.PreparedRequest, mark: Mark | None) -> None:
        if mark is not None and request.body is mark.signed_body and request.body is not mark.unsigned_body:
            request.body = mark.unsigned_body
            request.prepare_content_length(request.body)
        if mark is not None and request.url == mark.signed_url:
            request.url = mark.unsigned_url
        elif self._query_value(request) is not None:
            request.url = _with_query(request.url or "", lambda query: "&".join(self._others(query)))

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return value in (self._query_value(request), self._body_value(request))

    def _into_body(self, request: requests.PreparedRequest, fields: Mapping[str, str]) -> bytes | None:
        body = _text_of(request.body)
        if not body:
            return None
        kind = _content_type(request)
        if kind == _FORM:
            return self._into_pairs(body, fields).encode()
        members = _object_of(body) if _is_json(kind) else None
        if members is None:
            return None
        if members.keys() & self._names:
            members = {name: member for name, member in _members_of(body) if name not in self._names}
            body = "{" + ", ".join(members.values()) + "}"
        # Inserted, not written anew: numbers keep the digits and members the order that the user gave.
        inside = json.dumps(fields)[1:-1]
        return (body.rstrip()[:-1] + (", " if members else "") + inside + "}").encode()

    def _into_pairs(self, pairs: str, fields: Mapping[str, str]) -> str:
        return "&".join([*self._others(pairs), urlencode(fields)])

    def _others(self, pairs: str) -> Iterable[str]:
        return [
            pair
            for pair in pairs.split("&")
            if pair and unquote_plus(pair.partition("=")[0]) not in self._names
        ]

    def _query_value(self, request: requests.PreparedRequest) -> str | None:
        return self._pair_value(urlsplit(request.url or "").query)

    def _body_value(self, request: requests.PreparedRequest) -> str | None:
        body, kind = _text_of(request.body) or "", _content_type(request)
        if kind == _FORM:
            return self._pair_value(body)
        value = (_object_of(body) or {}).get(self.token_field) if _is_json(kind) else None
        return value if isinstance(value, str) else None

    def _pair_value(self, pairs: str) -> str | None:
        for pair in pairs.split("&"):
            name, _, value = pair.partition("=")
            if unquote_plus(name) == self.token_field:
                return unquote_plus(value)
        return None


def _content_type(request: requests.PreparedRequest) -> str:
    kind = request.headers.get("Content-Type", "")
    if isinstance(kind, bytes):
        kind = kind.decode("latin-1")
    return kind.partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _text_of(body: object) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, (bytes, bytearray)):
        try:
            return body.decode()
        except UnicodeDecodeError:
            return None
    return None


def _object_of(text: str) -> dict[str, Any] | None:
    if text.lstrip()[:1] != "{":
        return None
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _members_of(text: str) -> Iterable[tuple[str, str]]:
    """The members of a JSON object, by name, each as it is written in this text."""
    decoder = json.JSONDecoder()

    def next_value(position: int) -> int:
        while text[position] in " \t\r\n:,":
            position += 1
        return position

    start = next_value(text.index("{") + 1)
    while text[start] != "}":
        name, end = decoder.raw_decode(text, start)
        _, end = decoder.raw_decode(text, next_value(end))
        yield name, text[start:end]
        start = next_value(end)


def _with_query(url: str, change: Callable[[str], str]) -> str:
    split = urlsplit(url)
    return urlunsplit(split._replace(query=change(split.query)))
