"""rp.Gateway, as its document describes it."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any, ClassVar

from attrs import define, field

from ._messages import Call, Reply
from ._partner import SimulatedPartner
from ._wire_facts import Account, Replies
from .fiserv_partner import read_basic


@define(eq=False, slots=False)
class SimulatedRpGateway(SimulatedPartner):
    """rp.Gateway: `sid` and `uid` in the JSON body, the form or the query; one session for each account.

    `gateway_auth`, where set, is the HTTP Basic login that the hosted gateway demands on every call. An
    account's `customer_id` may be a tuple of several customers, of which a login then has to name one.
    `login_fields` are the further members that a login has to bring. Where `login_path` is ``/msg``, a call
    there is a login if its `op` says so.
    """

    name: ClassVar[str] = "rp-gateway"
    credential_fields: ClassVar[tuple[str, ...]] = ("username", "password", "uid", "customer_id")
    body_signal: ClassVar[str] = "body"
    token_fields: ClassVar[frozenset[str]] = frozenset({"sid"})

    login_path: str = "/msg/login"
    one_session: bool = True
    gateway_auth: tuple[str, str] | None = field(default=None, repr=False)
    login_fields: dict[str, Any] = field(factory=dict, repr=False)

    def _main_account(self) -> Account:
        return {
            "username": "bsguser.rpmob3.apple",
            "password": "bsgdevpass",
            "uid": "TWISTUSER001",
            "customer_id": "26233",
        }

    def _default_expiry_signal(self) -> str:
        return "body"

    def _expiry_signals(self) -> Replies:
        return {
            "body": partial(_error, "error.invalid.sessiontoken"),
            "status": partial(Reply.of_text, "Access denied: invalid authentication token.", 401),
        }

    def _business_errors(self) -> Replies:
        return {
            "not-found": partial(_error, "error.property.notfound"),
            "names-the-token": partial(_error, "error.sessiontoken.not.permitted.for.operation"),
            "forbidden": partial(_error, "error.forbidden", 403),
        }

    def _login_errors(self) -> Replies:
        return {
            "error": partial(_error, "error description"),
            "customer": partial(_error, "error.customer.required"),
            "fields": partial(_error, "error.login.fields.required"),
            "status": partial(Reply.of_text, "Access denied", 401),
        }

    def _is_login(self, call: Call) -> bool:
        operation = {**call.query, **call.members()}.get("op")
        return super()._is_login(call) and (operation == "login" or self.login_path.endswith("/login"))

    def _turned_away(self, call: Call) -> Reply | None:
        given = read_basic(call.headers.get("Authorization", ""))
        if self.gateway_auth is None or given == self.gateway_auth:
            return None
        return Reply.of_text("Access denied: gateway", 401)

    def _account_of(self, call: Call) -> Account | Reply:
        if call.method != "POST":
            return Reply(405, {"Allow": "POST"})
        given = call.json()
        if not isinstance(given, dict) or given.get("op") != "login":
            return self._first_login_error()
        if not self.login_fields.items() <= given.items():
            return self.login_errors["fields"]()
        for account in self.accounts:
            if (given.get("user"), given.get("passwd"), given.get("uid")) == (
                account["username"],
                account["password"],
                account["uid"],
            ):
                return account if _customer_fits(given, account) else self.login_errors["customer"]()
        return self._first_login_error()

    def _new_value(self) -> str:
        return f"21548-{secrets.token_hex(16)}"

    def _granted(self, value: str, account: Account) -> Reply:
        customers = _customers(account)
        response = {
            "status": "success",
            "customerId": customers[0] if customers else "",
            "userName": "RPData-BSG Staging (National-NoVIC)",
            "authenticationCode": value,
        }
        return Reply.of_json({"response": self._with_ttl(response)})

    def _token_of(self, call: Call) -> str | None:
        value = _session_fields(call).get("sid")
        return value if isinstance(value, str) else None

    def _belongs(self, call: Call, account: Account) -> bool:
        return bool(_session_fields(call).get("uid") == account["uid"])

    def _echo(self, call: Call) -> dict[str, Any]:
        members = {name: value for name, value in call.members().items() if name != "sid"}
        return {**super()._echo(call), "members": members}

    def _success(self, members: dict[str, Any]) -> Reply:
        return Reply.of_json({"response": {"status": "success"}, **members})


def _session_fields(call: Call) -> dict[str, Any]:
    members = call.members()
    return members if "sid" in members else dict(call.query)


def _customers(account: Account) -> tuple[str, ...]:
    named = account["customer_id"]
    if named is None:
        return ()
    return (named,) if isinstance(named, str) else tuple(named)


def _customer_fits(given: dict[str, Any], account: Account) -> bool:
    customers = _customers(account)
    wanted = given.get("customerId")
    return len(customers) < 2 if wanted is None else wanted in customers


def _error(description: str, status: int = 200) -> Reply:
    return Reply.of_json({"response": {"status": "error", "description": description}}, status)
