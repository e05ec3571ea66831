"""The `responses` door: the same brains where no socket is wanted. Imported by `register` alone."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.exceptions import ConnectionError as RequestsConnectionError
from responses import CallbackResponse, RequestsMock

from ._messages import Call
from ._partner import SimulatedPartner

_Answer = tuple[int, dict[str, str], bytes]


class _Door(CallbackResponse):
    """Matches any method under a partner's base URL, as that is at the time."""

    def __init__(self, partner: SimulatedPartner) -> None:
        super().__init__("ANY", _under(partner), lambda request: _ask(partner, request), content_type=None)
        self._partner = partner

    def matches(self, request: PreparedRequest) -> tuple[bool, str]:
        if _under(self._partner).match(str(request.url)):
            return True, ""
        return False, "URL does not match"

    @property
    def call_count(self) -> int:
        # Neither 0, which a RequestsMock reports at its end as never called, nor above 0, for which it drops
        # the door as soon as a test registers a reply of its own beside it.
        return super().call_count or -1


def _under(partner: SimulatedPartner) -> re.Pattern[str]:
    return re.compile(re.escape(partner.base_url) + r"(?=[/?#]|\Z)")


def register(mock: RequestsMock, partner: SimulatedPartner) -> None:
    """Let a partner answer for its base URL."""
    mock.add(_Door(partner))


def _ask(partner: SimulatedPartner, request: PreparedRequest) -> _Answer:
    url = str(request.url)
    under = urlsplit(partner.base_url).path
    call = Call.of_url(request.method or "GET", url, _headers(request), _body(request.body), under)
    reply = partner(call)
    if reply.reset:
        raise RequestsConnectionError("the simulated partner reset the connection", request=request)
    headers = dict(reply.headers)
    if not reply.chunked:
        headers["Content-Length"] = str(len(reply.body))
    body = b"" if request.method == "HEAD" else reply.body
    return reply.status, headers, body[: len(body) // 2] if reply.truncate else body


def _headers(request: PreparedRequest) -> list[tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in request.headers.items()]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if hasattr(body, "read"):
        return _body(body.read())
    return b"".join(_body(part) for part in body)
