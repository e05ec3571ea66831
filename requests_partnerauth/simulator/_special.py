"""The paths that every simulated partner serves beside its echo."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from attrs import evolve

from ._messages import Call, Reply

PDF_BYTES = 300_000

Success = Callable[[dict[str, Any]], Reply]


@lru_cache(maxsize=1)
def pdf() -> Reply:
    """300 kB that look like a PDF, the same in every process."""
    head, tail = b"%PDF-1.4\n", b"\n%%EOF\n"
    middle = random.Random(0).randbytes(PDF_BYTES - len(head) - len(tail))
    return Reply(200, {"Content-Type": "application/pdf"}, head + middle + tail)


def echo(call: Call, hidden: frozenset[str]) -> dict[str, Any]:
    """What arrived, without the token."""
    return {
        "method": call.method,
        "path": call.path,
        "query": {name: value for name, value in call.query.items() if name not in hidden},
        "sha256": hashlib.sha256(call.body).hexdigest(),
        "length": len(call.body),
        "request_id": call.headers.get("X-Request-Id"),
    }


def special(call: Call, success: Success, business_errors: Mapping[str, Callable[[], Reply]]) -> Reply | None:
    """The reply of a special path, None for an ordinary one."""
    if call.path == "/pdf":
        return pdf()
    if call.path == "/json":
        return _json_of_size(int(call.query.get("size", "0")), success)
    if call.path == "/redirect":
        return Reply(int(call.query.get("status", "302")), {"Location": call.query.get("to", "/")})
    if call.path == "/forbidden":
        return business_errors["forbidden"]()
    if call.path == "/business-error":
        make = business_errors.get(call.query.get("name", next(iter(business_errors))))
        return Reply.of_text("no such business error", 404) if make is None else make()
    if call.path == "/slow":
        return evolve(success({}), delay=float(call.query.get("seconds", "0.2")))
    if call.path == "/set-cookie":
        reply = success({})
        return evolve(reply, headers={**reply.headers, "Set-Cookie": "simulator=seen; Path=/"})
    return None


def _json_of_size(size: int, success: Success) -> Reply:
    bare = json.loads(success({"filler": ""}).body)
    missing = size - len(json.dumps(bare))
    return success({"filler": "x" * max(0, missing)})
