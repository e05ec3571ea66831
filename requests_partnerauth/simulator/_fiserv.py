"""What the three Fiserv logins share."""

from __future__ import annotations

import secrets
import string
from functools import partial
from typing import Any, ClassVar

from attrs import define

from ._messages import Call, Reply
from ._partner import SimulatedPartner
from ._wire_facts import Account, Replies

_ALPHANUMERIC = string.ascii_letters + string.digits


def status_reply(code: int | str, message: str, status: int = 200, **members: Any) -> Reply:
    """A reply in Fiserv's own shape; `code` is the statusCode of the body."""
    return Reply.of_json({"status": {"statusCode": code, "message": message}, "data": {}, **members}, status)


@define(eq=False, slots=False)
class SimulatedFiserv(SimulatedPartner):
    """A Fiserv API: the bare token in a header, a status object in every reply."""

    body_signal: ClassVar[str] = "body-401"
    unauthorized: ClassVar[str] = "Unauthorized"

    token_header: str = "Authorization"

    def _expiry_signals(self) -> Replies:
        invalid = "Token not valid or Token had not passed at all"
        return {
            "status": partial(status_reply, 401, self.unauthorized, 401),
            "status-empty": partial(Reply, 401),
            "body-401": partial(status_reply, 401, self.unauthorized),
            "body-401-string": partial(status_reply, "401", self.unauthorized),
            "token-not-found": partial(status_reply, 200, "Token not found"),
            "token-not-found-string": partial(status_reply, "200", "Token not found"),
            "token-not-found-messages": partial(Reply.of_json, {"messages": "Token not found"}, 401),
            "token-not-found-at-top": partial(Reply.of_json, {"messages": "Token not found"}),
            "token-not-found-status-messages": partial(
                Reply.of_json, {"status": {"statusCode": 200, "messages": "Token not found"}}
            ),
            "token-not-valid": partial(status_reply, 401, invalid, 401),
            "token-not-valid-body": partial(status_reply, 401, invalid),
        }

    def _business_errors(self) -> Replies:
        return {
            "forbidden": partial(status_reply, 403, "Forbidden", 403),
            "forbidden-body": partial(status_reply, 403, "Forbidden"),
            "forbidden-body-string": partial(status_reply, "403", "Forbidden"),
            "generic": partial(status_reply, 400, "Generic Error"),
            "not-found": partial(status_reply, 404, "Not found"),
            "request-failure": partial(status_reply, 300, "Request failure"),
            "server-error": partial(status_reply, 500, "Internal server error"),
        }

    def _login_errors(self) -> Replies:
        return {
            "bad-credential": partial(status_reply, 402, "Bad Credential"),
            "bad-credential-string": partial(status_reply, "402", "Bad Credential"),
            "unauthorized": partial(status_reply, 401, self.unauthorized),
            "unauthorized-status": partial(status_reply, 401, self.unauthorized, 401),
            "forbidden": partial(status_reply, 403, "Forbidden"),
            "forbidden-status": partial(status_reply, 403, "Forbidden", 403),
            "messages-status": partial(Reply.of_json, {"messages": "Token not found"}, 401),
        }

    def _login_complaints(self) -> Replies:
        return {
            "not-found": partial(status_reply, 404, "Not found"),
            "not-found-status": partial(status_reply, 404, "Not found", 404),
            "generic": partial(status_reply, 400, "Generic Error"),
            "generic-string": partial(status_reply, "400", "Generic Error"),
            "generic-status": partial(status_reply, 400, "Generic Error", 400),
            "generic-messages-status": partial(Reply.of_json, {"messages": "Generic Error"}, 400),
        }

    def _login_outages(self) -> Replies:
        return {
            **super()._login_outages(),
            "request-failure": partial(status_reply, 300, "Request failure"),
            "body-500": partial(status_reply, 500, "Internal server error"),
            "body-503-string": partial(status_reply, "503", "Service unavailable"),
        }

    def _new_value(self) -> str:
        return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(32))

    def _granted(self, value: str, account: Account) -> Reply:
        data = {"token": value, "userName": account.get("username", "bocmuser1")}
        return status_reply(200, "Success", **self._with_ttl({"data": data}))

    def _token_of(self, call: Call) -> str | None:
        return call.headers.get(self.token_header)

    def _success(self, members: dict[str, Any]) -> Reply:
        return status_reply(200, "Success", **members)
