"""OpenStack Keystone: the token comes in a header, its end and the catalog of services in the body."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import requests

from requests_partnerauth import HeaderPlacement, PartnerAuth, Token


class KeystoneAuth(PartnerAuth):
    """A user of OpenStack, at work in one project; its token is good for whatever the catalog names."""

    partner = "keystone"
    placement = HeaderPlacement("X-Auth-Token")

    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        project: str,
        domain: str = "Default",
        **common: Any,
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self.username, self.secret = username, password
        self.project, self.domain = project, domain
        self.account = json.dumps([username, project, domain])

    def login_request(self) -> requests.Request:
        domain = {"name": self.domain}
        user = {"name": self.username, "domain": domain, "password": self.secret}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": self.project, "domain": domain}}
        body = {"auth": {"identity": identity, "scope": scope}}
        return requests.Request("POST", f"{self.base_url}/v3/auth/tokens", json=body)

    def parse_login(self, response: requests.Response) -> Token:
        reply, value = response.json()["token"], response.headers["X-Subject-Token"]
        return Token.until(value, reply["expires_at"], details={"catalog": reply["catalog"]})

    def granted_origins(self, token: Token) -> Iterable[str]:
        catalog = token.details.get("catalog", ())
        return [endpoint["url"] for service in catalog for endpoint in service["endpoints"]]

    def logout_request(self, token: Token) -> requests.Request:
        headers = {"X-Subject-Token": token.value}
        return requests.Request("DELETE", f"{self.base_url}/v3/auth/tokens", headers=headers)
