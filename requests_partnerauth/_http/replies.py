"""A reply's JSON or None, without draining a stream."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import Any

import requests

from .looking import is_readable, seen


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """The JSON object that a reply holds, or None where it holds something else.

    Of a login's reply any, of another one of 64 KiB or less. A body that has not been read yet
    (``stream=True``) is looked into only where its Content-Type says JSON, its Content-Length 64 KiB or less
    and there is no Content-Encoding; whoever reads it gets all of it. Any other is left unread.
    """
    body = seen(response)
    if body is None or not body.lstrip()[:4].lstrip(b"\xef\xbb\xbf").startswith(b"{"):
        return None
    try:
        reply = json.loads(_text(response, body))
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) else None


def short_text(response: requests.Response) -> str | None:
    """The text of a 401 or of a JSON object that may be looked into; None of anything else."""
    body = seen(response)
    return None if body is None else _text(response, body).strip()


def _text(response: requests.Response, body: bytes) -> str:
    """UTF-8 where it can be that: requests takes a text whose charset is not named for latin-1."""
    try:
        # Not "utf-8-sig": its first use imports it, which a child forked meanwhile would wait for.
        return body.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError:
        # A login's reply may be in any charset, also in one that there is not.
        named = response.encoding if is_readable(response) else None
        return body.decode(named or "latin-1", "replace")
