"""Reading a refused response to its end."""

from __future__ import annotations

from time import perf_counter

import requests

_LONGEST = 1024 * 1024
_SECONDS = 2.0


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
