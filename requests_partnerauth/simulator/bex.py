"""BEX, as its document describes it."""

from __future__ import annotations

import secrets
import string
from functools import partial
from typing import Any, ClassVar

from attrs import define

from . import _special
from ._messages import Call, Reply
from ._partner import SimulatedPartner
from ._wire_facts import Account, Replies

_ALPHANUMERIC = string.ascii_letters + string.digits
_ALTERNATE = "alternate"


@define(eq=False, slots=False)
class SimulatedBex(SimulatedPartner):
    """BEX: the token in the header `token`, errors as `ex` in a 200.

    Waybill and label downloads need the alternate token, in the JSON body or the query; they answer a PDF.
    The wording of the expiry signals in the body is undocumented and assumed.
    """

    name: ClassVar[str] = "bex"
    credential_fields: ClassVar[tuple[str, ...]] = ("username", "password")
    body_signal: ClassVar[str] = "body"
    token_fields: ClassVar[frozenset[str]] = frozenset({"token"})

    login_path: str = "/api/service/login"
    alternate_paths: tuple[str, ...] = ("/api/service/downloadewaybill", "/api/service/downloadparcellabels")

    def _main_account(self) -> Account:
        return {"username": "user123", "password": "pass1234"}

    def _expiry_signals(self) -> Replies:
        return {
            "status": partial(Reply, 401),
            "body": partial(_ex, "Invalid token."),
            "body-missing": partial(_ex, "Missing token."),
            "body-unknown": partial(_ex, "Unknown token."),
            "body-expired": partial(_ex, "Token expired."),
        }

    def _business_errors(self) -> Replies:
        return {
            "not-registered": partial(
                _ex, "Account number is not registered for transactions with this token."
            ),
            "other": partial(_ex, "Waybill number not found."),
            "forbidden": partial(_ex, "Forbidden.", 403),
        }

    def _login_errors(self) -> Replies:
        return {
            "ex": partial(_ex, "Invalid username or password."),
            "status": partial(Reply, 401),
            "forbidden": partial(Reply, 403),
        }

    def _account_of(self, call: Call) -> Account | Reply:
        if call.method not in ("GET", "POST"):
            return Reply(405, {"Allow": "GET, POST"})
        given = _login_members(call)
        for account in self.accounts:
            if all(given.get(name) == account[name] for name in self.credential_fields):
                return account
        return self._first_login_error()

    def _kind_of_login(self, call: Call) -> str:
        return _ALTERNATE if _login_members(call).get("preferAlternateToken") in (True, "true") else ""

    def _new_value(self) -> str:
        return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(60))

    def _granted(self, value: str, account: Account) -> Reply:
        return Reply.of_json(
            self._with_ttl(
                {
                    "id": 19696,
                    "value": value,
                    "isStrongPassword": "True",
                    "isEmailVerified": "True",
                    "email": "your.email@company.com",
                    "signalREnabled": "False",
                    "allowApiLogin": "False",
                }
            )
        )

    def _kind_of_call(self, call: Call) -> str:
        return _ALTERNATE if call.path in self.alternate_paths else ""

    def _token_of(self, call: Call) -> str | None:
        if call.path not in self.alternate_paths:
            return call.headers.get("token")
        found = call.json()
        value = found.get("token") if isinstance(found, dict) else None
        value = value or call.query.get("token")
        return value if isinstance(value, str) else None

    def _answer_api(self, call: Call) -> Reply:
        return _special.pdf() if call.path in self.alternate_paths else super()._answer_api(call)

    def _success(self, members: dict[str, Any]) -> Reply:
        return Reply.of_json({"ex": "", **members})


def _login_members(call: Call) -> dict[str, Any]:
    found = call.json() if call.method == "POST" else None
    return {**call.query, **found} if isinstance(found, dict) else dict(call.query)


def _ex(text: str, status: int = 200) -> Reply:
    return Reply.of_json({"ex": text}, status)
