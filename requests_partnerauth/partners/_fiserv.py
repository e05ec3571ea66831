"""What the Fiserv partners share: their status object, and how it refuses a login or a token."""

from __future__ import annotations

from typing import Any

import requests

from .._http.replies import json_object
from .._placement import HeaderPlacement
from .._settings import checks
from ..errors import InvalidLoginResponse, LoginRejected, LoginUnavailable


def status_of(reply: dict[str, Any]) -> tuple[str | None, str]:
    """Status code, as text, and message of a reply: ``{"status": {"statusCode": 402, "message": "..."}}``.

    The code appears as a number in the documents and as a text in the OpenAPI files, where the members'
    names are also written with capitals.
    """
    status = _member(reply, "status")
    if not isinstance(status, dict):
        return None, ""
    code, message = _member(status, "statusCode"), _member(status, "message")
    is_code = isinstance(code, (int, str)) and not isinstance(code, bool)
    return str(code).strip() if is_code else None, message if isinstance(message, str) else ""


def _member(members: dict[str, Any], name: str) -> Any:
    if name in members:
        return members[name]
    return next((value for key, value in members.items() if key.lower() == name.lower()), None)


def login_reply(response: requests.Response) -> dict[str, Any]:
    """The reply to a login, once it is clear that it reports no error."""
    reply = json_object(response)
    if reply is None:
        raise InvalidLoginResponse("no JSON object")
    code, message = status_of(reply)
    if code is not None and len(code) == 3 and code.startswith("5"):
        raise LoginUnavailable(f"status code {code}: {message}")
    if code not in (None, "200") or _is_token_not_found(message):
        raise LoginRejected(message, code=code)
    return reply


def signals_expiry(response: requests.Response) -> bool:
    """HTTP 401, or a body whose status code is 401 or whose message is "Token not found" whatever the code.

    From the error tables of both login documents ("`200` Token not found"). 403 is a lack of permission.
    """
    if response.status_code == 401:
        return True
    reply = json_object(response)
    if reply is None:
        return False
    code, message = status_of(reply)
    return code == "401" or _is_token_not_found(message)


def _is_token_not_found(message: str) -> bool:
    return message.strip().rstrip(".").lower() == "token not found"


def header_placement(token_header: str, token_prefix: str) -> HeaderPlacement:
    """The token in a header, from a Fiserv auth's arguments."""
    return HeaderPlacement(
        checks.header_name("token_header", token_header),
        checks.header_prefix("token_prefix", token_prefix),
    )
