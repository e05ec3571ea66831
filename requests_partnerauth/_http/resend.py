"""Sending a refused request again: once, whole, over the same adapter."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter
from typing import Any

import requests
from requests.cookies import extract_cookies_to_jar, get_cookie_header

_LONGEST = 1024 * 1024
_SECONDS = 2.0


def rewind(request: requests.PreparedRequest) -> bool:
    """Bring the body back to where it stood before it was sent; False where it can't be replayed."""
    body: Any = request.body
    if body is None or isinstance(body, (bytes, str, bytearray, memoryview)):
        return True
    position = request._body_position
    if not isinstance(position, int):
        return False
    try:
        body.seek(position)
    except (AttributeError, OSError, ValueError):
        return False
    return True


def drain(response: requests.Response) -> None:
    """Read the rest of a refused response, so that its connection goes back to the pool.

    A body that was to be streamed may have no end: after 1 MiB or 2 s it is cut off and the connection
    closed. One that ends with its connection is not read: there would be nothing to give back.
    """
    if not response._content_consumed:
        body = bytearray()
        end = perf_counter() + _SECONDS
        try:
            for piece in response.iter_content(1024) if _has_an_end(response) else ():
                body += piece
                if len(body) > _LONGEST or perf_counter() > end:
                    break
        except (requests.RequestException, RuntimeError):
            body.clear()
        response._content, response._content_consumed = bytes(body), True
    elif response._content is False:
        response._content = b""  # streamed by a hook of the user's
    response.close()


def _has_an_end(response: requests.Response) -> bool:
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def resend(
    request: requests.PreparedRequest, refused: requests.Response, sent_with: dict[str, Any]
) -> requests.Response:
    """Send the request over the adapter that brought the refusal, which then stands in its history.

    Hooks do not run on this way, so that a resend can't lead to another.
    """
    _take_cookies(request, refused)
    started = perf_counter()
    response: requests.Response = refused.connection.send(request, **sent_with)
    response.elapsed = timedelta(seconds=perf_counter() - started)
    response.history = [*refused.history, refused]
    return response


def _take_cookies(request: requests.PreparedRequest, refused: requests.Response) -> None:
    """Cookies that came with the refusal go along, unless the user wrote the Cookie header by hand."""
    jar = request._cookies
    if jar is None or not refused.cookies:
        return
    written = request.headers.pop("Cookie", None)
    if written is not None and written != get_cookie_header(jar, request):
        request.headers["Cookie"] = written
        return
    extract_cookies_to_jar(jar, refused.request, refused.raw)
    request.prepare_cookies(jar)
