"""Matrix Synapse: tokens that live for minutes, and refresh tokens of which each is used once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from requests_partnerauth import HeaderPlacement, LoginRejected, PartnerAuth, Token, json_object


class SynapseAuth(PartnerAuth):
    """A user of a Matrix server. A login makes a device there, a refresh goes on with the one there is."""

    partner = "synapse"
    placement = HeaderPlacement("Authorization", prefix="Bearer ")
    expiry_markers = (b"M_UNKNOWN_TOKEN",)

    def __init__(self, username: str, password: str, *, base_url: str, **common: Any) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = self.account = username
        self.secret = password

    def login_request(self) -> requests.Request:
        user = {"type": "m.id.user", "user": self.username}
        login = {"type": "m.login.password", "identifier": user, "password": self.secret}
        return self._post("login", {**login, "refresh_token": True})

    def refresh_request(self, token: Token) -> requests.Request | None:
        if token.refresh_token is None:
            return None
        return self._post("refresh", {"refresh_token": token.refresh_token})

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if response.status_code == 403:
            raise LoginRejected(reply["error"], code=reply["errcode"])
        milliseconds = timedelta(milliseconds=1)
        return Token.lasting(
            reply["access_token"],
            reply.get("expires_in_ms"),
            unit=milliseconds,
            refresh_token=reply.get("refresh_token"),
        )

    def signals_expiry(self, response: requests.Response) -> bool:
        # A bare 401 may also ask for the password again before something grave, token or no token.
        return (json_object(response) or {}).get("errcode") == "M_UNKNOWN_TOKEN"

    def logout_request(self, token: Token) -> requests.Request:
        return self._post("logout", {})

    def _post(self, what: str, body: dict[str, Any]) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/_matrix/client/v3/{what}", json=body)
