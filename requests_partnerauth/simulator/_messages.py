"""What goes into a simulated partner and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen


class Headers(Mapping[str, str]):
    """Headers of a call, looked up without regard to case; a repeated one is joined by commas."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            first, before = self._values.get(name.lower(), (name, ""))
            self._values[name.lower()] = (first, f"{before}, {value}" if before else value)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({sorted(self)})"


def _as_headers(headers: Mapping[str, str]) -> Headers:
    return headers if isinstance(headers, Headers) else Headers(headers.items())


@frozen(kw_only=True)
class Call:
    """One HTTP request as a partner sees it; `path` is decoded and relative to the partner's base URL."""

    method: str
    path: str
    query: dict[str, str] = field(factory=dict, repr=False)
    headers: Headers = field(factory=Headers, converter=_as_headers, repr=False)
    body: bytes = field(default=b"", repr=False)
    url: str = field(default="", repr=False)

    @classmethod
    def of_url(
        cls, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes, under: str = ""
    ) -> Call:
        """Read a call from its URL; `under` is the path of the partner's base URL."""
        parts = urlsplit(url)
        return cls(
            method=method.upper(),
            path=unquote(parts.path.removeprefix(under)) or "/",
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=Headers(headers),
            body=body,
            url=url,
        )

    def json(self) -> Any:
        """The body as JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def form(self) -> dict[str, str]:
        """The fields of a URL-encoded form body; empty for any other body."""
        if not self.headers.get("Content-Type", "").lower().startswith("application/x-www-form-urlencoded"):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def members(self) -> dict[str, Any]:
        """The members of a JSON object, else the fields of a form; empty for any other body."""
        found = self.json()
        return found if isinstance(found, dict) else self.form()


@frozen
class Reply:
    """What a partner answers, and how its network misbehaves while it does.

    `truncate` announces the whole body, sends half of it and hangs up; `reset` hangs up without any answer;
    `delay` is waited before the answer; `chunked` leaves Content-Length away.
    """

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = field(default=b"", repr=False)
    truncate: bool = field(default=False, kw_only=True)
    reset: bool = field(default=False, kw_only=True)
    delay: float = field(default=0.0, kw_only=True)
    chunked: bool = field(default=False, kw_only=True)

    @classmethod
    def of_json(cls, obj: object, status: int = 200) -> Reply:
        """A JSON reply."""
        return cls(status, {"Content-Type": "application/json"}, json.dumps(obj).encode())

    @classmethod
    def of_text(cls, text: str, status: int = 200) -> Reply:
        """A reply in plain text."""
        return cls(status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())
