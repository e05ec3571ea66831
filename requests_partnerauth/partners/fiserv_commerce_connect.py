"""Fiserv Commerce Connect: one token per payment."""

from __future__ import annotations

import base64
import hashlib
import hmac as hmac_module
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import requests

from .._auth import PartnerAuth
from .._http.flow import LoginFlow
from .._http.replies import json_object
from .._settings import checks
from .._settings.common import Common
from .._token import Token
from ..errors import InvalidLoginResponse, LoginRejected
from . import _fiserv
from ._documents import json_document, token_in

if TYPE_CHECKING:
    from typing_extensions import Unpack

Payload = Mapping[str, Any]
_FROM_SERVER = "server"


class FiservCommerceConnectAuth(PartnerAuth):
    """Auth for Fiserv Commerce Connect: a token made for one payment, in the header ``Authorization``.

    The login sends the payload encrypted (AES-256-CBC, PKCS#7). The token belongs to that payload: it is
    shared with no auth of another one, and a callable payload, asked anew at every login, shares with
    nobody. The token has no known end; it is refreshed when it is refused, by the signals of the other
    Fiserv logins, which is an assumption.

    Wire facts: Fiserv's document "Login" (``/getToken``), its OpenAPI file for the method and headers. The
    name of the token's header, and the recipe of the HMAC (SHA-512 in hex, keyed with the key's base64
    text, over merchant id, clientTransactionId, amount, currencyCode and that text), are assumptions.
    ``/getHMAC`` stands in the OpenAPI file; that it wants what ``/getToken`` wants is an assumption.

    Args:
        key: The AES key: base64 of 32 bytes.
        iv: The initialisation vector: base64 of 16 bytes.
        payload: The payment's JSON document as a mapping, or a callable that returns one at each login.
        base_url: Fiserv's address, such as ``https://test.fdconnect.com/FirstPayL2Services`` for tests.
        merchant_id: Sent as header ``merchantId``, together with the HMAC of the assumed recipe.
        hmac: Instead of that recipe: a callable that makes the header ``HMAC`` from the payload at each
            login, or ``"server"``: each login asks the partner for it first, at ``/getHMAC``. With none of
            the three no HMAC is sent, which the partner may answer by FPDR4002.
        token_header: The header that carries the token.
        token_prefix: What stands before the token in it, its blank included.
        login_path: The login's path, which is appended to `base_url`.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "fiserv-commerce-connect"
    expiry_markers = _fiserv.EXPIRY_MARKERS
    _login_arguments = ("key", "iv", "payload", "merchant_id", "hmac")

    def __init__(
        self,
        key: str,
        iv: str,
        payload: Payload | Callable[[], Payload],
        *,
        base_url: str,
        merchant_id: str | None = None,
        hmac: Callable[[Payload], str] | Literal["server"] | None = None,
        token_header: str = "Authorization",
        token_prefix: str = "",
        login_path: str = "/getToken",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self._key = checks.base64_bytes("key", key, 32)
        self._iv = checks.base64_bytes("iv", iv, 16)
        self.secret = json.dumps([key, iv])
        # Imports the cipher now and not at the login, for the reason told in `_http.login`.
        encrypted(b"", key, iv)
        self.merchant_id = None if merchant_id is None else checks.header_value("merchant_id", merchant_id)
        if hmac is not None and hmac != _FROM_SERVER and not callable(hmac):
            raise ValueError(
                "hmac: a callable that takes the payload and returns the header's text is wanted, "
                f'or "{_FROM_SERVER}"'
            )
        self._hmac = hmac
        self.login_path = checks.path("login_path", login_path)
        self.placement = _fiserv.header_placement(token_header, token_prefix)
        self._payload: Callable[[], Payload] | None = None
        self._document = ""
        if callable(payload):
            self._payload = payload
        else:
            self._document = _payload_document(payload)
            digest = hashlib.sha256(self._document.encode()).hexdigest()
            # Without an HMAC the partner may refuse what it takes with one.
            way = [_FROM_SERVER] if hmac == _FROM_SERVER else []
            self.account = json.dumps([merchant_id, digest, self.login_path, *way])
            if hmac is None:
                # What the recipe needs is missed now, not at the first login.
                self._hmac_of(self._document)

    def login_request(self) -> requests.Request:
        """What to send to log in; with ``hmac="server"`` without the HMAC, which a login asks for first."""
        document = self._current_document()
        return self._request(self.login_path, document, self._hmac_of(document))

    def login_flow(self, previous: Token | None) -> LoginFlow:
        return self._flow_with_hmac() if self._hmac == _FROM_SERVER else super().login_flow(previous)

    def _flow_with_hmac(self) -> LoginFlow:
        document = self._current_document()
        response = yield self._request("/getHMAC", document, None)
        given = _login_reply(response).get("hmac")
        if not isinstance(given, str) or not given or not given.isascii() or not given.isprintable():
            raise InvalidLoginResponse("no hmac from /getHMAC that a header can carry")
        response = yield self._request(self.login_path, document, given)
        return self.parse_login(response)

    def parse_login(self, response: requests.Response) -> Token:
        reply = _login_reply(response)
        answer = reply.get("response")
        if isinstance(answer, dict) and "sessionTokenId" in answer:
            return Token(token_in(answer, "sessionTokenId"), details=answer)
        data = _fiserv.data_of(reply)
        return Token(token_in(data, "token"), details=data)

    def signals_expiry(self, response: requests.Response) -> bool:
        return _fiserv.signals_expiry(response)

    def who(self) -> str:
        return f"merchant {self.merchant_id!r}" if self.merchant_id else "this merchant"

    def secrets(self) -> list[str]:
        return [self._key, self._iv]

    def _current_document(self) -> str:
        return self._document if self._payload is None else _payload_document(self._payload())

    def _request(self, path: str, document: str, hmac: str | None) -> requests.Request:
        headers = {"keyValue": self._key, "ivValue": self._iv}
        if self.merchant_id is not None:
            headers["merchantId"] = self.merchant_id
        if hmac is not None:
            headers["HMAC"] = hmac
        envelope = {"encryptData": encrypted(document.encode(), self._key, self._iv)}
        return requests.Request("POST", f"{self.base_url}{path}", json=envelope, headers=headers)

    def _hmac_of(self, document: str) -> str | None:
        if callable(self._hmac):
            return checks.header_value("hmac", self._hmac(json.loads(document)))
        if self._hmac is None and self.merchant_id is not None:
            return _assumed_hmac(json.loads(document), self.merchant_id, self._key)
        return None


def _login_reply(response: requests.Response) -> dict[str, Any]:
    """The reply to a step of a login, once it is clear that it reports no error."""
    answer = (json_object(response) or {}).get("response")
    if isinstance(answer, dict) and (answer.get("errorCode") or answer.get("errorMessage")):
        raise LoginRejected(str(answer.get("errorMessage") or ""), code=answer.get("errorCode"))
    return _fiserv.login_reply(response)


def _payload_document(payload: object) -> str:
    return json_document("payload", payload, "a mapping, or a callable that returns one,")


def encrypted(document: bytes, key: str, iv: str) -> str:
    """The ``encryptData`` of a login: AES-256-CBC with PKCS#7 padding, base64 around key, IV and result."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(base64.b64decode(iv))).encryptor()
    padded = padder.update(document) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _assumed_hmac(payload: Payload, merchant_id: str, key: str) -> str:
    details = payload.get("transactionDetails")
    parts = (
        [details.get(name) for name in ("clientTransactionId", "amount", "currencyCode")]
        if isinstance(details, dict)
        else [None]
    )
    if None in parts:
        raise ValueError(
            "payload: the HMAC needs transactionDetails with clientTransactionId, amount and currencyCode; "
            "where yours is made otherwise, give hmac= in Python"
        )
    message = "".join([merchant_id, *map(str, parts), key])
    return hmac_module.new(key.encode(), message.encode(), hashlib.sha512).hexdigest()
