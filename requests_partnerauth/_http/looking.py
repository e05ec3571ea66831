"""Looking into a response for an expiry signal, without taking anything from its reader."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple, cast

import requests
from urllib3.response import HTTPResponse

from .._engine.thrown import thrown_in
from .ahead import read_ahead
from .frames import let_go

_SMALL = 64 * 1024
_SECONDS = 2.0
_SEEN = "_partnerauth_seen"
_OBJECT = (b"{", codecs.BOM_UTF8 + b"{")
_READABLE = r"utf-?8(-sig)?|(us-)?ascii|latin-?1|iso-?8859-1|(cp|windows-?)125\d"


class _Look(NamedTuple):
    """A look that nobody has asked for yet."""

    markers: Iterable[bytes]
    streamed: bool


_JUST_SO = _Look((), streamed=True)


def look(response: requests.Response, markers: Iterable[bytes] = (), *, streamed: bool) -> None:
    """Note what may be seen of a response's body by whoever is asked next whether it signals an expiry.

    That is a JSON object of 64 KiB or less, or the body of a 401, in an encoding that leaves ASCII as it is.
    A stream is read only once it is asked for, where its Content-Type says JSON or its status is 401, its
    Content-Length 64 KiB or less, and nothing is encoded, and for 2 s at most; its reader gets every byte all
    the same.

    Args:
        response: From home, with its content read unless it is streamed.
        markers: Bytes without one of which a JSON object is not seen, a 401's body apart; none: any is.
        streamed: Whether the caller reads the body (``stream=True``).
    """
    vars(response)[_SEEN] = _Look(markers, streamed)


def look_away(response: requests.Response) -> None:
    """Forget what was noted: from here on the response is the caller's."""
    vars(response).pop(_SEEN, None)


def let_through(response: requests.Response) -> None:
    """Note all of a login's reply, whatever its size: its transport has bounded it."""
    vars(response)[_SEEN] = response._content or b""


def seen(response: requests.Response) -> bytes | None:
    """What may be seen of a response's body; None where it may not be looked into."""
    state = vars(response)
    noted = state.get(_SEEN, _JUST_SO)
    if not isinstance(noted, _Look):
        return cast("bytes | None", noted)
    body = _visible(response, *noted)
    if noted is not _JUST_SO:
        state[_SEEN] = body
    return body


def read_refused(response: requests.Response) -> None:
    """Read the content, as requests would; where that fails, a 401 has none and is judged by its status."""
    try:
        response.content  # noqa: B018
    except Exception as error:
        # Not requests' errors alone: of a chunk of negative length urllib3 lets a ValueError through.
        if (thrown := thrown_in(error)) is not None:
            raise thrown from None
        if response.status_code != 401:
            raise
        let_go(error)
    else:
        return
    response.raw.close()
    response._content = b""
    response.close()


def _visible(response: requests.Response, markers: Iterable[bytes], streamed: bool) -> bytes | None:
    body, is_401 = cast("bytes | bool | None", response._content), response.status_code == 401
    if body is False:
        if not streamed or not (is_401 or _claims_json(response)) or not _may_be_taken(response):
            return None
        body = read_ahead(response.raw, perf_counter() + _SECONDS)
        if body is None or len(body) != response.raw.length_remaining:
            return None
    if not isinstance(body, bytes):
        return b"" if body is None and is_401 else None
    if len(body) > _SMALL:
        return None
    if not is_401:
        if body[:1] != b"{" and not body.lstrip().startswith(_OBJECT):
            return None
        # rfind is two to four times as fast as `in`, for what is mostly not there.
        if markers and all(body.rfind(marker) < 0 for marker in markers):
            return None
    return body if is_readable(response) and _is_short(response, default="0") else None


def _claims_json(response: requests.Response) -> bool:
    return "json" in response.headers.get("Content-Type", "").lower()


def is_readable(response: requests.Response) -> bool:
    """Whether its charset leaves ASCII as it is, and is read in linear time."""
    name = response.encoding
    # What requests says of JSON, before any pattern is compiled.
    return name is None or name == "utf-8" or re.fullmatch(_READABLE, name, re.IGNORECASE) is not None


def _is_short(response: requests.Response, default: str = "") -> bool:
    length = response.headers.get("Content-Length", default)
    # Python itself refuses to read a number of thousands of digits.
    return length.isascii() and length.isdecimal() and len(length) < 20 and int(length) <= _SMALL


def _may_be_taken(response: requests.Response) -> bool:
    raw = response.raw
    return (
        isinstance(raw, HTTPResponse)
        and _is_short(response)
        and not raw.chunked
        and "Content-Encoding" not in response.headers
        and is_readable(response)
        and response.request.method != "HEAD"
        and raw.tell() == 0
    )
