"""How a grant and a refusal are written down in a token cache."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from .._token import Token
from ..errors import InvalidLoginResponse, LoginRejected, PartnerAuthError
from .clock import Clock
from .outcome import Failure, Grant

_REMEMBERED: dict[str, type[PartnerAuthError]] = {
    kind.__name__: kind for kind in (LoginRejected, InvalidLoginResponse)
}
UNREADABLE = (KeyError, TypeError, ValueError, OverflowError)
"""What comes of an entry that was not written here."""


class KeptRefusal(NamedTuple):
    """A refusal of the credentials, as a cache keeps it: its name, its end by the wall clock, its length."""

    name: str
    until: float
    seconds: float
    failure: Failure


def of_grant(grant: Grant) -> dict[str, Any]:
    """The entry of a token."""
    token = grant.token
    return {
        "login": grant.login_id,
        "generation": grant.generation,
        "value": token.value,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "refresh_token": token.refresh_token,
        "cookies": dict(token.cookies),
        "details": _plain(token.details),
    }


def grant_from(entry: dict[str, Any], clock: Clock) -> Grant:
    """The token of an entry. Raises one of `UNREADABLE`."""
    issued_at, generation = float(entry["issued_at"]), entry["generation"]
    if not math.isfinite(issued_at) or not isinstance(generation, int):
        raise ValueError("issued_at or generation")
    token = Token(
        entry["value"],
        issued_at=issued_at,
        expires_at=entry["expires_at"],
        refresh_token=entry["refresh_token"],
        cookies=entry["cookies"],
        details=entry["details"],
    )
    return Grant(token, str(entry["login"]), clock, generation=generation)


def of_refusal(name: str, failure: Failure, seconds: float, clock: Clock) -> dict[str, Any]:
    """The entry of a refusal that holds for so many seconds."""
    return {
        "name": name,
        "until": clock.wall() + seconds,
        "seconds": seconds,
        "kind": failure.kind.__name__,
        "message": failure.message,
        "code": failure.code,
        "partner_message": failure.partner_message,
    }


def refusal_from(entry: dict[str, Any]) -> KeptRefusal:
    """The refusal of an entry. Raises one of `UNREADABLE`."""
    kind, message, code = _REMEMBERED[entry["kind"]], entry["message"], entry["code"]
    failure = Failure(kind, message, code, entry["partner_message"], is_refusal=True)
    return KeptRefusal(str(entry["name"]), float(entry["until"]), float(entry["seconds"]), failure)


def _plain(details: Any) -> dict[str, Any]:
    try:
        return dict(json.loads(json.dumps(dict(details), default=str)))
    except (TypeError, ValueError, RecursionError):
        return {}
