"""Fiserv merchant boarding, as its document describes it."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from ._fiserv import SimulatedFiserv, status_reply
from ._messages import Call, Reply
from ._partner import ABSENT
from ._wire_facts import Account


@define(eq=False, slots=False)
class SimulatedFiservBoarding(SimulatedFiserv):
    """Fiserv merchant boarding: a JSON login, the token under `data`; `ttl_in_data` moves `ttl` there too."""

    name: ClassVar[str] = "fiserv-boarding"
    credential_fields: ClassVar[tuple[str, ...]] = ("username", "password")
    # Spelled as in the partner's document.
    unauthorized: ClassVar[str] = "Authenticatin failed"

    login_path: str = "/boardinggateway/boarding/auth/signin"
    ttl_in_data: bool = False

    def _main_account(self) -> Account:
        return {"username": "bocmuser1", "password": "December01"}

    def _account_of(self, call: Call) -> Account | Reply:
        if call.method != "POST":
            return Reply(405, {"Allow": "POST"})
        given = call.json()
        if isinstance(given, dict):
            for account in self.accounts:
                if all(given.get(name) == account[name] for name in self.credential_fields):
                    return account
        return self._first_login_error()

    def _granted(self, value: str, account: Account) -> Reply:
        if not self.ttl_in_data or self.ttl is ABSENT:
            return super()._granted(value, account)
        data = {"token": value, "userName": account["username"], "ttl": self.ttl}
        return status_reply(200, "Success", data=data)
