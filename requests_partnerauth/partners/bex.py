"""BEX: courier, South Africa."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import requests

from .._http.replies import json_object
from .._placement._base import Placement
from .._placement.header import HeaderPlacement
from .._settings import checks
from .._settings.common import Common
from .._token import Token
from ..errors import InvalidLoginResponse, LoginRejected
from ._documents import token_in
from ._password import PasswordAuth

if TYPE_CHECKING:
    from typing_extensions import Unpack

_STATE = (
    r"(invalid|unknown|missing|expired|required|no longer valid"
    r"|not (valid|found|given|provided|supplied|recogni[sz]ed|exist|be found))"
)
_STATES = rf"{_STATE}( (or|and) ((is|has) )?{_STATE})*"
_KIND = r"(session|access|api|security|auth|authentication|authori[sz]ation|login|given|provided|supplied)"
_TOKEN = rf"({_KIND} )?token( (given|provided|supplied))?"
_ADVICE = r"[.!,;:]*( (please )?(log|sign) ?in( again)?[.!]*)?"
# Left as text: compiling it takes longer than the rest of this import, and few programs ever need it.
_TOKEN_IS_BAD = (
    rf"((the|your|this) )?{_TOKEN} ((is|was|has|does|could)( already| been)* )?{_STATES}{_ADVICE}"
    rf"|((an?|the) )?({_STATES}|no) {_TOKEN}{_ADVICE}"
)


class BexAuth(PasswordAuth):
    """Auth for the BEX courier API: a token in the header ``token``.

    The token has no known end: an edition of the login document says that it never expires, a newer one no
    longer does. It is refreshed when BEX refuses it: HTTP 401, or an ``ex`` in a body that says the token
    itself is invalid, unknown, missing or expired. No document gives the wording of that ``ex``: the few
    that are recognised are an assumption, and `expired_when` adds others. An ``ex`` that merely names the
    token ("Account number is not registered for transactions with this token.") is a business error.

    Wire facts: BEX's document "Login" (``api/service/login``); the second token and the downloads come from
    other public pages of BEX's.

    Args:
        username: The integration account's user name.
        password: Its password.
        base_url: BEX's address. Other hosts of BEX's that take the same token go into `origins`.
        login_via: ``"json"`` (POST with a JSON body), ``"query"`` (POST with URL parameters) or ``"get"``
            (GET with URL parameters). Parameters in a URL put the password into access logs, and into the
            debug log of urllib3.
        alternate_token: Ask for the account's second token, and place it where ``downloadewaybill`` and
            ``downloadparcellabels`` want it: as member ``token`` of the JSON body, else as a parameter of
            the query. No other call takes it.
        login_path: The login's path, which is appended to `base_url`.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "bex"
    # Not the member's name: "ex" stands in every reply, the word "token" in few.
    expiry_markers = (b"oken", b"OKEN")
    _login_arguments = ("username", "password")
    placement: Placement = HeaderPlacement("token")

    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str = "https://api.bex.co.za",
        login_via: str = "json",
        alternate_token: bool = False,
        login_path: str = "/api/service/login",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = checks.text("username", username)
        self.password = password
        self.login_via = checks.one_of("login_via", login_via, ("json", "query", "get"))
        self.alternate_token = checks.flag("alternate_token", alternate_token)
        self.login_path = checks.path("login_path", login_path)
        self.account = json.dumps([username, self.alternate_token, self.login_path])
        if self.alternate_token:
            from .._placement.fields import SessionFieldsPlacement

            self.placement = SessionFieldsPlacement("token")

    def login_request(self) -> requests.Request:
        url = f"{self.base_url}{self.login_path}"
        fields: dict[str, Any] = {"username": self.username, "password": self.password}
        as_json = self.login_via == "json"
        if self.alternate_token:
            fields["preferAlternateToken"] = True if as_json else "true"
        if as_json:
            return requests.Request("POST", url, json=fields)
        return requests.Request("GET" if self.login_via == "get" else "POST", url, params=fields)

    def parse_login(self, response: requests.Response) -> Token:
        reply = json_object(response)
        if reply is None:
            raise InvalidLoginResponse("no JSON object")
        if reply.get("ex"):
            raise LoginRejected(str(reply["ex"]))
        return Token(token_in(reply, "value"), details=reply)

    def signals_expiry(self, response: requests.Response) -> bool:
        if response.status_code == 401:
            return True
        reply = json_object(response)
        error = reply.get("ex") if reply is not None else None
        if not isinstance(error, str):
            return False
        return re.fullmatch(_TOKEN_IS_BAD, " ".join(error.split()), re.IGNORECASE) is not None
