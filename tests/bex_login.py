"""A login at a recording server: bex's, whose reply is the shortest."""

from __future__ import annotations

import json
from typing import Any

from recording_server import Answer

from requests_partnerauth import BexAuth, MemoryTokenCache

GRANTED = Answer(body=json.dumps({"value": "TOKEN-FROM-LOGIN"}).encode())


def bex(base_url: str, **arguments: Any) -> BexAuth:
    """An auth whose password is the one to look for."""
    return BexAuth("user123", "a password", base_url=base_url, cache=MemoryTokenCache(), **arguments)
