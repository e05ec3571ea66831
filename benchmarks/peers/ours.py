"""This project: an own partner for the same token endpoint as everybody's."""

from __future__ import annotations

import json
from typing import Any

import requests

from requests_partnerauth import FileTokenCache, HeaderPlacement, LoginRejected, PartnerAuth, Token

from ._base import AuthPeer


class BenchAuth(PartnerAuth):
    partner = "bench"
    placement = HeaderPlacement("Authorization", "Bearer ")

    def __init__(self, client_id: str, client_secret: str, **common: Any) -> None:
        super().__init__(**common)
        self.username = self.account = client_id
        self.secret = client_secret

    def login_request(self) -> requests.Request:
        form = {"grant_type": "client_credentials", "client_id": self.username, "client_secret": self.secret}
        return requests.Request("POST", f"{self.base_url}/token", data=form)

    def parse_login(self, response: requests.Response) -> Token:
        reply = json.loads(response.content)
        if response.status_code != 200:
            raise LoginRejected(reply["error"])
        return Token.lasting(reply["access_token"], reply["expires_in"])


class Ours(AuthPeer):
    name = "requests_partnerauth"
    distribution = "requests-partnerauth"
    imports = "from requests_partnerauth import BexAuth"
    own_header = True
    shares = "FileTokenCache"
    lifetime_ahead, ahead_after = 4, 3.2

    def make_auth(self) -> BenchAuth:
        common = {} if self.directory is None else {"cache": FileTokenCache(self.directory)}
        auth = BenchAuth(self.user, self.secret, base_url=self.account.url, allow_http=True, **common)
        if self.header != "Authorization":
            auth.placement = HeaderPlacement(self.header)
        return auth
