"""A user's module with auth classes of his own, good and bad; the good ones speak with the simulated BEX."""

from __future__ import annotations

import abc
from typing import Any

import requests

from requests_partnerauth import HeaderPlacement, LoginRejected, PartnerAuth, Token


class AcmeAuth(PartnerAuth):
    """Shares its token by account and secret."""

    partner = "acme"
    placement = HeaderPlacement("X-Acme-Token", "Acme ")

    def __init__(
        self,
        tenant: str,
        api_key: str,
        *,
        base_url: str,
        region: str = "eu",
        partner_no: int = 1,
        **common: Any,
    ) -> None:
        super().__init__(base_url=base_url, **common)
        if region not in ("eu", "us"):
            raise ValueError("region: one of eu, us is wanted")
        self.username = self.account = tenant
        self.secret = api_key
        self.partner_no = partner_no

    def login_request(self) -> requests.Request:
        body = {"username": self.username, "password": self.secret}
        return requests.Request("POST", f"{self.base_url}/api/service/login", json=body)

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if reply.get("ex"):
            raise LoginRejected(reply["ex"])
        return Token(reply["value"])


class LeavingAuth(AcmeAuth):
    """Has a logout."""

    def logout_request(self, token: Token) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/logout")


class StuckAuth(AcmeAuth):
    """Can't say how to log out."""

    def logout_request(self, token: Token) -> requests.Request:
        return token.details["logout"]


class AbroadAuth(AcmeAuth):
    """Logs in at a host that is not base_url's."""

    def login_request(self) -> requests.Request:
        return requests.Request("POST", "https://login.acme.example/login")


class LonelyAuth(AcmeAuth):
    """Shares with nobody."""

    def __init__(self, tenant: str, api_key: str, **common: Any) -> None:
        super().__init__(tenant, api_key, **common)
        self.account = None


class BuggyAuth(AcmeAuth):
    """Raises what it knows."""

    def login_request(self) -> requests.Request:
        raise KeyError(self.secret)


class UnbuildableAuth(AcmeAuth):
    """Raises before it is there."""

    def __init__(self, tenant: str, api_key: str, **common: Any) -> None:
        raise RuntimeError(api_key)


class PickyAuth(AcmeAuth):
    """Wants what no text can stand for."""

    def __init__(self, tenant: str, api_key: str, signer: abc.ABC, **common: Any) -> None:
        super().__init__(tenant, api_key, **common)


class UnfinishedAuth(PartnerAuth):
    """Does not say how to log in."""

    partner = "unfinished"


class NamelessAuth(AcmeAuth):
    """Has no short name."""

    partner = ""


class AbstractAuth(AcmeAuth, abc.ABC):
    """For others to finish."""

    @abc.abstractmethod
    def tenant_of(self) -> str: ...


nothing = "no class"
