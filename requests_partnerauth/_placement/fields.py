"""The token and further fields in the request itself: in its JSON, its form, or its query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import requests

from .._settings import checks
from ._base import Placement, text_of
from .members import Members
from .query import other_pairs, pair_value, with_pair, without_pairs

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class SessionFieldsPlacement(Placement):
    """The token and further fields in the request itself: ``SessionFieldsPlacement("sid", {"uid": "X1"})``.

    They become members of a JSON object body, of each object in a JSON list of objects, or fields of a form
    body, else parameters of the query. Any other body (multipart, bytes, other JSON) keeps its content. A
    field of the same name that is already there gives way.

    Args:
        token_field: The name under which the token goes.
        fields: Further fields that go along, as names and values.

    Raises:
        ValueError: `token_field` is no text, or empty; `fields` is no mapping of texts to texts or numbers.
    """

    def __init__(self, token_field: str, fields: Mapping[str, str] | None = None) -> None:
        self.token_field = checks.text("token_field", token_field)
        self.fields = _checked({} if fields is None else fields)
        # The token comes last, and keeps its field from any of the same name.
        self.fields.pop(token_field, None)
        self._names = frozenset({token_field, *self.fields})
        self._members = Members(self._names, self.fields, token_field)
        self._pairs_before = urlencode({**self.fields, token_field: ""})

    def __repr__(self) -> str:
        return f"SessionFieldsPlacement({self.token_field!r}, fields={sorted(self.fields)})"

    def place(self, request: requests.PreparedRequest, value: str) -> Any:
        url, body = request.url or "", request.body
        signed = self._into_body(request, body, value) if body else None
        if signed is None:
            request.url = with_pair(url, self._names, self._pairs(value))
        else:
            request.body = signed
            request.headers["Content-Length"] = str(len(signed))
        return _Mark(url, body, request.url, request.body)

    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        if mark is not None and request.body is mark.signed_body and request.body is not mark.unsigned_body:
            request.body = mark.unsigned_body
            request.prepare_content_length(request.body)
        if mark is not None and request.url == mark.signed_url:
            request.url = mark.unsigned_url
        else:
            request.url = without_pairs(request.url or "", self._names)

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return value in self._values(request)

    def _values(self, request: requests.PreparedRequest) -> Iterable[str]:
        values = [pair_value(urlsplit(request.url or "").query, self.token_field)]
        kind = _kind_of(request)
        text = _decoded(request.body) if kind in (_FORM, _JSON) else None
        if text is not None:
            values += [pair_value(text, self.token_field)] if kind == _FORM else self._members.values_in(text)
        return [value for value in values if value is not None]

    def _into_body(self, request: requests.PreparedRequest, body: object, value: str) -> bytes | None:
        kind = _kind_of(request)
        if kind == _FORM:
            text = _decoded(body)
            if not text:
                return None
            return "&".join([*other_pairs(text, self._names), self._pairs(value)]).encode()
        if kind != _JSON:
            return None
        text = _decoded(body)
        signed = None if text is None else self._members.put_into(text, encode_basestring_ascii(value))
        return None if signed is None else signed.encode()

    def _pairs(self, value: str) -> str:
        return self._pairs_before + quote_plus(value)


def _checked(fields: object) -> dict[str, Any]:
    if not isinstance(fields, Mapping):
        raise ValueError(f"fields: a mapping is wanted, not {type(fields).__name__}")
    for name, value in fields.items():
        checks.text("fields", name)
        if not isinstance(value, (str, int, float)):
            raise ValueError(f"fields: a text or a number is wanted, not {type(value).__name__}")
    return dict(fields)


class _Mark(NamedTuple):
    """URL and body as they were, and as they went out."""

    unsigned_url: str
    unsigned_body: Any
    signed_url: str | None
    signed_body: Any

    def __repr__(self) -> str:
        return "Mark(...)"


def _kind_of(request: requests.PreparedRequest) -> str:
    """The body's media type; any that is JSON is the one."""
    kind = text_of(request.headers.get("Content-Type"))
    if kind != _JSON:
        kind = kind.partition(";")[0].strip().lower()
        if kind.endswith("+json"):
            kind = _JSON
    return kind


def _decoded(body: object) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, (bytes, bytearray)):
        try:
            return body.decode()
        except UnicodeDecodeError:
            return None
    return None
