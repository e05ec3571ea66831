"""Looking."""

from __future__ import annotations

import requests


def look(response: requests.Response, markers: tuple[bytes, ...], *, streamed: bool) -> None:
    """Look."""


def read_refused(response: requests.Response) -> None:
    """Read."""
    response.content  # noqa: B018
