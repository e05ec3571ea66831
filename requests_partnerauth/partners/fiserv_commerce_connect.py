"""Fiserv Commerce Connect: one token per payment."""

from __future__ import annotations

import base64
import hashlib
import hmac as hmac_module
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import requests

from .._auth import PartnerAuth
from .._http.replies import json_object
from .._settings import checks
from .._settings.common import Common
from .._token import Token
from ..errors import InvalidLoginResponse, LoginRejected
from . import _fiserv

if TYPE_CHECKING:
    from typing_extensions import Unpack

Payload = Mapping[str, Any]


class FiservCommerceConnectAuth(PartnerAuth):
    """Auth for Fiserv Commerce Connect: a token made for one payment, in the header ``Authorization``.

    The login sends the payload encrypted (AES-256-CBC, PKCS#7). The token belongs to that payload: it is
    shared with no auth of another one, and a callable payload, asked anew at every login, shares with
    nobody. The token has no known end; it is refreshed when it is refused, by the signals of the other
    Fiserv logins, which is an assumption.

    Wire facts: Fiserv's document "Login" (``/getToken``), its OpenAPI file for the method and headers. The
    name of the token's header, and the recipe of the HMAC (SHA-512 in hex, keyed with the key's base64
    text, over merchant id, clientTransactionId, amount, currencyCode and that text), are assumptions.

    Args:
        key: The AES key: base64 of 32 bytes.
        iv: The initialisation vector: base64 of 16 bytes.
        payload: The payment's JSON document as a mapping, or a callable that returns one at each login.
        base_url: Fiserv's address, such as ``https://test.fdconnect.com/FirstPayL2Services`` for tests.
        merchant_id: Sent as header ``merchantId``, together with the HMAC of the assumed recipe.
        hmac: Makes the header ``HMAC`` from the payload at each login, instead of that recipe. With neither
            of the two no HMAC is sent, which the partner may answer by FPDR4002.
        token_header: The header that carries the token.
        token_prefix: What stands before the token in it, its blank included.
        common: See `PartnerAuth`.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    partner = "fiserv-commerce-connect"

    def __init__(
        self,
        key: str,
        iv: str,
        payload: Payload | Callable[[], Payload],
        *,
        base_url: str,
        merchant_id: str | None = None,
        hmac: Callable[[Payload], str] | None = None,
        token_header: str = "Authorization",
        token_prefix: str = "",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(base_url=base_url, **common)
        self._key = checks.base64_bytes("key", key, 32)
        self._iv = checks.base64_bytes("iv", iv, 16)
        self.secret = json.dumps([key, iv])
        self.merchant_id = None if merchant_id is None else checks.header_value("merchant_id", merchant_id)
        if hmac is not None and not callable(hmac):
            raise ValueError(
                "hmac: a callable that takes the payload and returns the header's text is wanted"
            )
        self._hmac = hmac
        self.placement = _fiserv.header_placement(token_header, token_prefix)
        self._payload: Callable[[], Payload] | None = None
        self._document = ""
        if callable(payload):
            self._payload = payload
        else:
            self._document = _document(payload)
            digest = hashlib.sha256(self._document.encode()).hexdigest()
            self.account = json.dumps([merchant_id, digest])
            if hmac is None:
                # What the recipe needs is missed now, not at the first login.
                self._headers(self._document)

    def login_request(self) -> requests.Request:
        document = self._document if self._payload is None else _document(self._payload())
        return requests.Request(
            "POST",
            f"{self.base_url}/getToken",
            json={"encryptData": encrypted(document.encode(), self._key, self._iv)},
            headers=self._headers(document),
        )

    def parse_login(self, response: requests.Response) -> Token:
        reply = json_object(response)
        if reply is None:
            raise InvalidLoginResponse("no JSON object")
        answer = reply.get("response")
        if isinstance(answer, dict):
            if answer.get("errorCode") or answer.get("errorMessage"):
                raise LoginRejected(str(answer.get("errorMessage") or ""), code=answer.get("errorCode"))
            if "sessionTokenId" in answer:
                return Token(answer.pop("sessionTokenId"), details=answer)
        data = _fiserv.login_reply(response)["data"]
        return Token(data.pop("token"), details=data)

    def signals_expiry(self, response: requests.Response) -> bool:
        return _fiserv.signals_expiry(response)

    def who(self) -> str:
        return f"merchant {self.merchant_id!r}" if self.merchant_id else "this merchant"

    def secrets(self) -> list[str]:
        return [self._key, self._iv]

    def _headers(self, document: str) -> dict[str, str]:
        headers = {"keyValue": self._key, "ivValue": self._iv}
        if self.merchant_id is not None:
            headers["merchantId"] = self.merchant_id
        if self._hmac is not None:
            headers["HMAC"] = checks.header_value("hmac", self._hmac(json.loads(document)))
        elif self.merchant_id is not None:
            headers["HMAC"] = _assumed_hmac(json.loads(document), self.merchant_id, self._key)
        return headers


def encrypted(document: bytes, key: str, iv: str) -> str:
    """The ``encryptData`` of a login: AES-256-CBC with PKCS#7 padding, base64 around key, IV and result."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(base64.b64decode(iv))).encryptor()
    padded = padder.update(document) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _document(payload: object) -> str:
    if not isinstance(payload, Mapping):
        raise ValueError(
            f"payload: a mapping, or a callable that returns one, is wanted, not {type(payload).__name__}"
        )
    try:
        document = json.dumps(dict(payload), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        document.encode()
        return document
    except (TypeError, ValueError, RecursionError):
        pass
    raise ValueError("payload: it holds something that JSON can't")


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
