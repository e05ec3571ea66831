"""Sending a refused request again: once, whole, over the same adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from time import perf_counter
from typing import Any

import requests
from requests.cookies import extract_cookies_to_jar, get_cookie_header
from requests.hooks import default_hooks


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


def note_position(request: requests.PreparedRequest) -> None:
    """Where a body that is read stands: requests notes it only of those that can be iterated over."""
    body: Any = request.body
    if request._body_position is None and not isinstance(body, (bytes, str)) and hasattr(body, "read"):
        with suppress(AttributeError, OSError, ValueError):
            request._body_position = body.tell()


def resend(
    request: requests.PreparedRequest,
    refused: requests.Response,
    sent_with: dict[str, Any],
    others: Iterable[Callable[[requests.PreparedRequest], requests.PreparedRequest]] = (),
) -> requests.Response:
    """Send the request over the adapter that brought the refusal, which then stands in its history.

    Hooks do not run on this way, so that a resend can't lead to another; but for those of the other auths
    that sign it anew, as Digest's.
    """
    _take_cookies(request, refused)
    hooks, request.hooks = request.hooks, default_hooks()
    for auth in others:
        request = auth(request)
    theirs, request.hooks = request.hooks["response"], hooks
    started = perf_counter()
    response: requests.Response = refused.connection.send(request, **sent_with)
    for hook in theirs:
        response = hook(response, **sent_with) or response
    response.elapsed = timedelta(seconds=perf_counter() - started)
    response.history = [*refused.history, refused, *response.history]
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
