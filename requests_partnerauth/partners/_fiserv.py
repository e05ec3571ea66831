"""What the Fiserv partners share: their status object, and how it refuses a login or a token."""

from __future__ import annotations

from typing import Any

import requests

from .._http.replies import json_object
from .._placement.header import HeaderPlacement
from .._settings import checks
from ..errors import InvalidLoginResponse, LoginRejected, LoginUnavailable

_TRY_AGAIN = "300"
_ABOUT_THE_REQUEST = ("400", "404")
_NOT_FOUND = ("Token not found", "token not found", "Token Not Found", "TOKEN NOT FOUND")

EXPIRY_MARKERS = (b"401", b"oken not found", b"oken Not Found", b"OKEN NOT FOUND")


def status_of(reply: dict[str, Any]) -> tuple[str | None, list[str]]:
    """Status code, as text, and words of a reply: ``{"status": {"statusCode": 402, "message": "..."}}``.

    The code appears as a number in the documents and as a text in the OpenAPI files, where the members'
    names are also written with capitals, and the words stand under ``messages`` or at the top as well.
    """
    status = _member(reply, "status")
    members = status if isinstance(status, dict) else {}
    code = _member(members, "statusCode")
    is_code = isinstance(code, (int, str)) and not isinstance(code, bool)
    words = [_member(where, name) for where in (members, reply) for name in ("message", "messages")]
    return str(code).strip() if is_code else None, [each for each in words if isinstance(each, str)]


def _member(members: dict[str, Any], name: str) -> Any:
    if name in members:
        return members[name]
    return next((value for key, value in members.items() if key.lower() == name.lower()), None)


def login_reply(response: requests.Response) -> dict[str, Any]:
    """The reply to a login, once it is clear that it reports no error.

    From the error tables of the documents: 401, 402 and 403 refuse the credentials; 300 ("validate and retry
    with new request") and 5xx are outages; 404 and 400 are about neither. A code that no document has may
    be about the credentials.

    Raises:
        LoginRejected: The credentials are refused.
        LoginUnavailable: The partner is out of order.
        InvalidLoginResponse: It is no such reply, or one that is about something else.
    """
    reply = json_object(response)
    if reply is None:
        raise InvalidLoginResponse("no JSON object")
    code, words = status_of(reply)
    message = words[0] if words else ""
    if code is None and message and response.status_code != 200:
        code = str(response.status_code)
    is_success = code in (None, "200")
    said = message if code is None else f"status code {code}: {message}"
    if code == _TRY_AGAIN or (code is not None and len(code) == 3 and code.startswith("5")):
        raise LoginUnavailable(said)
    if code in _ABOUT_THE_REQUEST or (is_success and _say_token_not_found(words)):
        raise InvalidLoginResponse(said, documented=True)
    if not is_success:
        raise LoginRejected(message, code=code)
    return reply


def data_of(reply: dict[str, Any]) -> dict[str, Any]:
    """What stands under ``data``.

    Raises:
        InvalidLoginResponse: Nothing of the kind.
    """
    data = reply.get("data")
    if not isinstance(data, dict):
        raise InvalidLoginResponse("no data object")
    return data


def signals_expiry(response: requests.Response) -> bool:
    """HTTP 401, or a body whose status code is 401 or whose message is "Token not found" whatever the code.

    From the error tables of both login documents ("`200` Token not found"). 403 is a lack of permission.
    """
    if response.status_code == 401:
        return True
    reply = json_object(response)
    if reply is None:
        return False
    code, words = status_of(reply)
    return code == "401" or _say_token_not_found(words)


def _say_token_not_found(words: list[str]) -> bool:
    return any(each.strip().rstrip(".") in _NOT_FOUND for each in words)


def header_placement(token_header: str, token_prefix: str) -> HeaderPlacement:
    """The token in a header, from a Fiserv auth's arguments."""
    return HeaderPlacement(
        checks.header_name("token_header", token_header),
        checks.header_prefix("token_prefix", token_prefix),
    )
