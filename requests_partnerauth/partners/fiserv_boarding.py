"""Fiserv merchant boarding."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from .._auth import PartnerAuth
from .._settings import checks
from .._settings.common import Common
from .._token import Token
from . import _fiserv

if TYPE_CHECKING:
    from typing_extensions import Unpack


class FiservBoardingAuth(PartnerAuth):
    """Auth for Fiserv's merchant boarding API: the bare token in the header ``Authorization``.

    The token lives as long as ``ttl`` in the login's reply says. The document promises the field and its
    sample lacks it: without one there is no known end, and the token is refreshed when it is refused (HTTP
    401, status code 401 in a body, or the message "Token not found"). That ``ttl`` counts minutes is an
    assumption.

    Wire facts: Fiserv's document "Login" (``/boardinggateway/boarding/auth/signin``).

    Args:
        username: The user name, 15 characters at most.
        password: The password, 15 characters at most.
        base_url: Fiserv's address, such as ``https://www.uat.fdmerchantservices.com`` for tests. Production
            runs on several hosts: name the others in `origins`.
        ttl_unit: What one unit of ``ttl`` is.
        token_header: The header that carries the token.
        token_prefix: What stands before the token in it, its blank included.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "fiserv-boarding"

    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        ttl_unit: timedelta = timedelta(minutes=1),
        token_header: str = "Authorization",
        token_prefix: str = "",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = self.account = checks.text("username", username)
        self.secret = checks.text("password", password)
        self.ttl_unit = checks.span("ttl_unit", ttl_unit)
        self.placement = _fiserv.header_placement(token_header, token_prefix)

    def login_request(self) -> requests.Request:
        url = f"{self.base_url}/boardinggateway/boarding/auth/signin"
        return requests.Request("POST", url, json={"username": self.username, "password": self.secret})

    def parse_login(self, response: requests.Response) -> Token:
        reply = _fiserv.login_reply(response)
        data = reply["data"]
        ttl = reply.get("ttl", data.get("ttl"))
        return Token.lasting(data.pop("token"), ttl, unit=self.ttl_unit, details=data)

    def signals_expiry(self, response: requests.Response) -> bool:
        return _fiserv.signals_expiry(response)
