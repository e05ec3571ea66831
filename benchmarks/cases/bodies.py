"""POST of 100 kB with a token that the server has just ended: what arrives in the end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

from ..home import Account
from ..peers import Peer
from ._rounds import outcome

DATA = bytes(range(256)) * 391
OFFSET = 10_000


def bodies(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """Each kind of body three times; what was seen, "ok" where the server got the same bytes again."""
    return {
        kind: sorted({_one(peer, server, kind) for _ in range(3)})
        for kind in ("bytes", "file", "file at an offset", "generator", "multipart")
    }


def _one(peer: type[Peer], server: str, kind: str) -> str:
    account = Account(server)
    client = peer(account)
    client.get()
    account.revoke()
    if kind == "multipart":
        status = outcome(lambda: client.post_form(DATA))
    else:
        status = outcome(lambda: client.post(_body(kind), {"Content-Type": "application/octet-stream"}))
    seen = account.control()["bodies"]
    good = [one for one in seen if one["good"]]
    if any(one["size"] == -1 for one in seen):
        return f"STUCK: announced, never sent ({status})"
    if good:
        if good[-1]["sha"] == seen[0]["sha"] and good[-1]["size"] >= len(DATA) - OFFSET:
            return "ok"
        return f"WRONG bytes, {status}" if good[-1]["size"] else f"EMPTY, {status}"
    if isinstance(status, str):
        return f"raises {status}"
    return f"{status}, not resent"


def _body(kind: str) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        "bytes": lambda: DATA,
        "file": lambda: io.BytesIO(DATA),
        "file at an offset": _at_offset,
        "generator": _parts,
    }
    return makers[kind]()


def _at_offset() -> io.BytesIO:
    file = io.BytesIO(DATA)
    file.seek(OFFSET)
    return file


def _parts() -> Iterator[bytes]:
    for start in range(0, len(DATA), 10_000):
        yield DATA[start : start + 10_000]
