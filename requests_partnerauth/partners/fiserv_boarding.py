"""Fiserv merchant boarding."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from .._settings import checks
from .._settings.common import Common
from .._token import Token
from . import _fiserv
from ._documents import token_in
from ._password import PasswordAuth

if TYPE_CHECKING:
    from typing_extensions import Unpack


class FiservBoardingAuth(PasswordAuth):
    """Auth for Fiserv's merchant boarding API: the bare token in the header ``Authorization``.

    The token lives as long as ``ttl`` in the login's reply says. The document promises the field and its
    sample lacks it: without one there is no known end, and the token is refreshed when it is refused (HTTP
    401, status code 401 in a body, or the message "Token not found"). That ``ttl`` counts minutes is an
    assumption. Of a login, the codes 401, 402 and 403 refuse the credentials, 300 and 5xx are outages, and
    400 and 404 tell nothing about the password.

    Wire facts: Fiserv's document "Login" (``/boardinggateway/boarding/auth/signin``); the token's header and
    the codes as texts come from its OpenAPI file.

    Args:
        username: The user name, 15 characters at most.
        password: The password, 15 characters at most.
        base_url: Fiserv's address, such as ``https://www.uat.fdmerchantservices.com`` for tests. Production
            runs on several hosts: name the others in `origins`.
        ttl_unit: What one unit of ``ttl`` is: a timedelta, or seconds.
        token_header: The header that carries the token.
        token_prefix: What stands before the token in it, its blank included.
        login_path: The login's path, which is appended to `base_url`.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "fiserv-boarding"
    expiry_markers = _fiserv.EXPIRY_MARKERS
    _login_arguments = ("username", "password")

    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        ttl_unit: timedelta | float = timedelta(minutes=1),
        token_header: str = "Authorization",
        token_prefix: str = "",
        login_path: str = "/boardinggateway/boarding/auth/signin",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = checks.text("username", username)
        self.password = password
        self.ttl_unit = checks.span("ttl_unit", ttl_unit)
        self.placement = _fiserv.header_placement(token_header, token_prefix)
        self.login_path = checks.path("login_path", login_path)
        self.account = json.dumps([username, self.login_path])

    def login_request(self) -> requests.Request:
        credentials = {"username": self.username, "password": self.password}
        return requests.Request("POST", f"{self.base_url}{self.login_path}", json=credentials)

    def parse_login(self, response: requests.Response) -> Token:
        reply = _fiserv.login_reply(response)
        data = _fiserv.data_of(reply)
        ttl = reply.get("ttl", data.get("ttl"))
        return Token.lasting(token_in(data, "token"), ttl, unit=self.ttl_unit, details=data)

    def signals_expiry(self, response: requests.Response) -> bool:
        return _fiserv.signals_expiry(response)
