"""A reply's JSON or None, without draining a stream."""

from __future__ import annotations

import codecs
import json
from typing import Any

import requests

_SMALL = 64 * 1024
_MARKED = codecs.BOM_UTF8 + b"{"


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """The JSON object that a reply holds, or None where it holds something else.

    A body that has not been read yet (``stream=True``) is read only where its Content-Type says JSON and
    its Content-Length 64 KiB or less; any other is left unread, for the caller.
    """
    if not _is_read(response) and not (_is_small(response) and _claims_json(response)):
        return None
    content = response.content.lstrip()
    if not content.startswith((b"{", _MARKED)):
        return None
    try:
        # requests reads a byte order mark as a character where a charset is named.
        reply = json.loads(content) if content.startswith(_MARKED) else response.json()
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) else None


def short_text(response: requests.Response) -> str | None:
    """The text of a reply of 64 KiB or less, None where it is longer or may not be read."""
    if not _is_read(response) and not _is_small(response):
        return None
    if len(response.content) > _SMALL:
        return None
    try:
        return response.text.strip()
    except ValueError:
        # An encoding that Python knows and that decodes nothing, "undefined" say.
        return None


def _is_read(response: requests.Response) -> bool:
    return getattr(response, "_content", False) is not False


def _is_small(response: requests.Response) -> bool:
    length = response.headers.get("Content-Length", "")
    return length.isdecimal() and int(length) <= _SMALL


def _claims_json(response: requests.Response) -> bool:
    return "json" in response.headers.get("Content-Type", "").lower()
