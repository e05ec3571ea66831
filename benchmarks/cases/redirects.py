"""A redirect to a foreign host that answers 200 or 401: what that host gets to see."""

from __future__ import annotations

from typing import Any

from ..home import Account
from ..peers import Peer
from ._rounds import outcome


def redirects(peer: type[Peer], server: str, number: int, seconds: float) -> dict[str, Any]:
    """302 and 307, three times each; with the Authorization header, and with one of the user's own."""
    headers = {"authorization": "Authorization"}
    if peer.own_header:
        headers["own header"] = "X-Token"
    return {
        f"{label}, {status}": sorted(
            {_one(peer, server, header, code, status) for code in (302, 307) for _ in range(3)}
        )
        for label, header in headers.items()
        for status in (200, 401)
    }


def _one(peer: type[Peer], server: str, header: str, code: int, status: int) -> str:
    account = Account(server)
    client = peer(account, header=header)
    client.get()
    account.control(reset=True)
    outcome(lambda: client.get(f"/api/redirect/{code}/{status}"))
    counted = account.control()
    leaked = any(any(values) for values in counted["foreign"])
    if not counted["foreign"]:
        return "not followed"
    words = ("LEAKS the digest response" if peer.scheme == "Digest" else "LEAKS") if leaked else "kept"
    extra = counted["logins"]
    return f"{words}, {extra} extra login{'s' if extra > 1 else ''}" if extra else words
