"""rp.Gateway: property data, Australia."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests

from .._http.basic import basic
from .._http.replies import json_object, short_text
from .._placement.fields import SessionFieldsPlacement
from .._settings import checks
from .._settings.common import Common
from .._token import Token
from ..errors import InvalidLoginResponse, LoginRejected
from ._documents import json_document, token_in
from ._password import PasswordAuth

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OWN_MEMBERS = {"op", "uid", "user", "passwd", "customerId"}
_ONE_PATH = "/msg"


class RpGatewayAuth(PasswordAuth):
    """Auth for rp.Gateway: ``sid`` and ``uid`` in the JSON body, the form body or the query of each request.

    The session has no known end; it is refreshed on the description ``error.invalid.sessiontoken``, or on
    HTTP 401 with "Access denied: invalid authentication token." (that a 401 without a word means the same
    is an assumption). An account has one live session: a login anywhere else ends it, so share the token
    between processes (`FileTokenCache`, `RedisTokenCache`).

    Wire facts: rp.Gateway's document "login" (``/msg/login``); where the session goes, how its end is told,
    the outer Basic and further login members come from other public material of the partner, which also
    has every operation, the login included, at the one path ``/msg``.

    Args:
        username: The user (``user`` in the document).
        password: Its password (``passwd``).
        base_url: The gateway's address, such as ``http://msg.rpdata.com/ttsvr``, which is plain http and
            needs ``allow_http=True``.
        uid: The user id of the integration.
        customer_id: Which customer to act for; a user of two or more active customers must name one.
        gateway_auth: User name and password of the HTTP Basic that a hosted gateway wants on every call,
            login included.
        login_fields: Further members of the login, such as ``{"loc": "...", "appCode": "..."}``, which a
            proxy of the partner's own requires.
        login_path: The login's path, which is appended to `base_url`; ``"/msg"`` where every operation goes
            to that one path.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "rp-gateway"
    expiry_markers = (b"error.invalid.sessiontoken", b"nvalid authentication token")
    _login_arguments = ("username", "password", "uid", "customer_id", "gateway_auth", "login_fields")

    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        uid: str,
        customer_id: str | int | None = None,
        gateway_auth: tuple[str, str] | None = None,
        login_fields: Mapping[str, Any] | None = None,
        login_path: str = "/msg/login",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = checks.text("username", username)
        self.uid = checks.text("uid", uid)
        self.customer_id = None if customer_id is None else checks.text_or_number("customer_id", customer_id)
        self._gateway_auth = (
            None if gateway_auth is None else checks.user_and_password("gateway_auth", gateway_auth)
        )
        self._login_fields = _further_members({} if login_fields is None else login_fields)
        self.login_path = checks.path("login_path", login_path)
        in_order = json.dumps(json.loads(self._login_fields), sort_keys=True)
        further = hashlib.sha256(in_order.encode()).hexdigest()
        self.account = json.dumps([username, uid, self.customer_id, further, self.login_path])
        self.password = password
        self.placement = _GatewayPlacement(self.uid, self._basic())

    @property
    def password(self) -> str:
        return self._password

    @password.setter
    def password(self, password: str) -> None:
        self._password = checks.text("password", password)
        self.secret = json.dumps([password, self._gateway_auth])

    def login_request(self) -> requests.Request:
        body = json.loads(self._login_fields)
        body.update(op="login", uid=self.uid, user=self.username, passwd=self.password)
        if self.customer_id is not None:
            body["customerId"] = self.customer_id
        basic_header = self._basic()
        headers = {} if basic_header is None else {"Authorization": basic_header}
        return requests.Request("POST", f"{self.base_url}{self.login_path}", json=body, headers=headers)

    def parse_login(self, response: requests.Response) -> Token:
        answer = _answer(response)
        if answer is None:
            if response.status_code == 401:
                words = short_text(response) or ""
                if words and not words.startswith(("<", "{", "[")):
                    raise LoginRejected(words, code=401)
            raise InvalidLoginResponse(f"no response object{self._hint(response)}")
        if answer.get("status") == "error":
            raise LoginRejected(str(answer.get("description") or ""))
        if answer.get("status") != "success":
            raise InvalidLoginResponse("neither success nor error")
        return Token(token_in(answer, "authenticationCode"), details=answer)

    def signals_expiry(self, response: requests.Response) -> bool:
        answer = _answer(response)
        if answer is not None:
            return answer.get("description") == "error.invalid.sessiontoken"
        if response.status_code != 401:
            return False
        words = short_text(response)
        return not words or "invalid authentication token" in words.lower()

    def secrets(self) -> list[str]:
        gateway = self._gateway_auth
        outer = [] if gateway is None else [gateway[1], basic(*gateway).removeprefix("Basic ")]
        return [self.password, *outer]

    def _basic(self) -> str | None:
        return None if self._gateway_auth is None else basic(*self._gateway_auth)

    def _hint(self, response: requests.Response) -> str:
        if response.status_code != 404 or self.login_path == _ONE_PATH:
            return ""
        return f'; if your gateway takes every operation at one path, pass login_path="{_ONE_PATH}"'


class _GatewayPlacement(SessionFieldsPlacement):
    """sid and uid in the request, and the outer Basic beside them where the gateway wants one."""

    def __init__(self, uid: str, basic_header: str | None) -> None:
        super().__init__("sid", {"uid": uid})
        self._basic_header = basic_header

    def place(self, request: requests.PreparedRequest, value: str) -> Any:
        if self._basic_header is not None:
            request.headers["Authorization"] = self._basic_header
        return super().place(request, value)

    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        if self._basic_header is not None:
            request.headers.pop("Authorization", None)
        super().remove(request, mark)

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        outer = self._basic_header is None or request.headers.get("Authorization") == self._basic_header
        return outer and super().carries(request, value)


def _further_members(login_fields: object) -> str:
    document = json_document("login_fields", login_fields)
    taken = sorted(_OWN_MEMBERS & json.loads(document).keys())
    if taken:
        raise ValueError(f"login_fields: the login has {', '.join(taken)} already, from other arguments")
    return document


def _answer(response: requests.Response) -> dict[str, Any] | None:
    reply = json_object(response)
    answer = reply.get("response") if reply is not None else None
    return answer if isinstance(answer, dict) else None
