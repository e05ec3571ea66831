"""Fiserv partner: external boarding."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from .._http.basic import basic
from .._settings import checks
from .._settings.common import Common
from .._token import Token
from . import _fiserv
from ._documents import token_in
from ._password import PasswordAuth

if TYPE_CHECKING:
    from typing_extensions import Unpack


class FiservPartnerAuth(PasswordAuth):
    """Auth for Fiserv's external boarding API: the bare token in the header ``Authorization``.

    The token lives as long as ``ttl`` in the login's reply says. That it counts minutes is an assumption:
    the sample says 30, and its unit is documented nowhere. Where that is wrong the token is refused and
    refreshed all the same (HTTP 401, status code 401 in a body, or the message "Token not found"). The
    refresh token is kept in `Token.refresh_token`; no document says where it could be used. Of a login, the
    codes 401, 402 and 403 refuse the credentials, 300 and 5xx are outages, and 400 and 404 tell nothing
    about the password.

    Wire facts: Fiserv's document "Login" (``/Externalboarding/partner/login``); the token's header and
    further spellings of the errors come from its OpenAPI files, two of which write the path in lower case.

    Args:
        username: User id or Fiserv LAN id, 15 characters at most.
        password: Its password, 15 characters at most.
        base_url: Fiserv's address with its path, such as
            ``https://www.uat.fdmerchantservices.com/boardinggateway`` for tests.
        ain: The ``ain`` of the login's query.
        source: The ``source`` of the login's query, such as API or TAB.
        ttl_unit: What one unit of ``ttl`` is: a timedelta, or seconds.
        token_header: The header that carries the token.
        token_prefix: What stands before the token in it, its blank included.
        login_path: The login's path, which is appended to `base_url`;
            ``"/externalboarding/partner/login"`` where yours has it in lower case.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "fiserv-partner"
    expiry_markers = _fiserv.EXPIRY_MARKERS
    _login_arguments = ("username", "password", "ain", "source")

    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        ain: str | int,
        source: str = "API",
        ttl_unit: timedelta | float = timedelta(minutes=1),
        token_header: str = "Authorization",
        token_prefix: str = "",
        login_path: str = "/Externalboarding/partner/login",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = checks.text("username", username)
        if ":" in username:
            raise ValueError("username: HTTP Basic, which this login uses, allows no colon in it")
        self.password = password
        self.ain = checks.text_or_number("ain", ain)
        self.source = checks.text("source", source)
        self.ttl_unit = checks.span("ttl_unit", ttl_unit)
        self.placement = _fiserv.header_placement(token_header, token_prefix)
        self.login_path = checks.path("login_path", login_path)
        self.account = json.dumps([username, self.ain, source, self.login_path])

    def login_request(self) -> requests.Request:
        return requests.Request(
            "GET",
            f"{self.base_url}{self.login_path}",
            params={"ain": self.ain, "source": self.source},
            headers={"Authorization": self._basic()},
        )

    def parse_login(self, response: requests.Response) -> Token:
        reply = _fiserv.login_reply(response)
        value, refresh_token = token_in(reply, "authToken"), reply.pop("refreshToken", None)
        return Token.lasting(
            value,
            reply.get("ttl"),
            unit=self.ttl_unit,
            # It is kept and never sent: what is no text is no reason to refuse the login.
            refresh_token=refresh_token if isinstance(refresh_token, str) else None,
            details=reply,
        )

    def signals_expiry(self, response: requests.Response) -> bool:
        return _fiserv.signals_expiry(response)

    def secrets(self) -> list[str]:
        return [*super().secrets(), self._basic().removeprefix("Basic ")]

    def _basic(self) -> str:
        return basic(self.username or "", self.password)
