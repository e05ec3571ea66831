"""``partnerauth check``: log in, and say in one screen what came of it."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime, timezone
from typing import Any

from .._auth import PartnerAuth
from .._http.origins import origin_of
from .._token import Token
from ..caches._base import TokenCache, shown
from .ending import GOOD
from .logging_in import log_in
from .options import auth_of, settings_of
from .screen import Screen
from .sharing import Complaints, shared_cache_of, shares

_STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Log in, or find the token in the cache, and tell about it."""
    settings = settings_of(options)
    auth = auth_of(options, settings)
    with Complaints() as complaints:
        token, took = log_in(auth, options)
    cache = shared_cache_of(settings) if shares(auth) else None
    if options.json:
        kept_in = None if cache is None or complaints.came else shown(cache)
        screen.line(json.dumps(_entry(auth, token, took, kept_in)))
        return GOOD
    if took is None:
        heading = "a token from the cache; nothing was sent, --fresh logs in again"
    else:
        heading = "logged in"
    kept = _kept(auth, cache, failed=complaints.came)
    screen.line(f"{auth.partner}: {screen.painted(heading, 'green')}")
    for name, text in _facts(auth, token, took, kept):
        screen.line(f"  {name:<9} {text}")
    return GOOD


def _facts(auth: PartnerAuth, token: Token, took: float | None, kept: str) -> list[tuple[str, str]]:
    now = time.time()
    issued = f"issued {span(now - token.issued_at)} ago" if took is None else f"{took:.2f} s for the login"
    return [
        ("origin", str(origin_of(auth.base_url))),
        ("user", auth.who()),
        ("token", f"{token.fingerprint} is its fingerprint; `partnerauth token` prints it"),
        ("lifetime", _lifetime(token, now)),
        ("time", issued),
        ("kept", kept),
    ]


def _entry(auth: PartnerAuth, token: Token, took: float | None, kept_in: str | None) -> dict[str, Any]:
    return {
        "partner": auth.partner,
        "origin": str(origin_of(auth.base_url)),
        "user": auth.username,
        "from_cache": took is None,
        "seconds": took if took is None else round(took, 3),
        "fingerprint": token.fingerprint,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "kept_in": kept_in,
    }


def _kept(auth: PartnerAuth, cache: TokenCache | None, *, failed: bool) -> str:
    if not shares(auth):
        return f"in memory, until this command ends: {type(auth).__name__} sets no account and secret"
    if cache is None:
        return "in memory, until this command ends; --cache file keeps it for the next"
    if failed:
        return f"in memory, until this command ends: {shown(cache)} can't be used"
    return f"in {shown(cache)}"


def _lifetime(token: Token, now: float) -> str:
    if token.expires_at is None:
        return "no known end; it is refreshed when the partner refuses it"
    left = span(token.expires_at - now)
    try:
        end = datetime.fromtimestamp(token.expires_at, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return f"{left}, until after the year 9999"
    return f"{left}, until {end:%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """A span of time in its two largest units: ``1 h 5 min``."""
    left = max(0, round(seconds))
    parts = []
    for size, unit in _STEPS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
