"""HTTP Basic in UTF-8; requests' own is latin-1 and mangles other passwords."""

from __future__ import annotations

import base64


def basic(username: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
