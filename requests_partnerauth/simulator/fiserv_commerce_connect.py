"""Fiserv Commerce Connect, as its document describes it."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import b64decode
from functools import partial
from typing import Any, ClassVar

from attrs import define, field

from ._fiserv import SimulatedFiserv
from ._messages import Call, Reply
from ._wire_facts import Account, Replies


def _error(code: str, message: str) -> Reply:
    return Reply.of_json({"response": {"errorCode": code, "errorMessage": message}})


@define(eq=False, slots=False)
class SimulatedFiservCommerceConnect(SimulatedFiserv):
    """Commerce Connect: an encrypted payload and an HMAC over it.

    `payloads` holds what the logins decrypted to. `require_hmac` may be turned off; an HMAC that is sent is
    checked all the same. `session_token_shape` answers in the shape that public client code knows.
    `/getHMAC` takes what a login takes without the HMAC, and gives one that is good for one login; it is
    among `calls`, and `answer` reaches it.
    """

    name: ClassVar[str] = "fiserv-commerce-connect"
    credential_fields: ClassVar[tuple[str, ...]] = ("key", "iv", "merchant_id")
    secret_field: ClassVar[str] = "key"
    hmac_path: ClassVar[str] = "/getHMAC"

    login_path: str = "/getToken"
    require_hmac: bool = True
    session_token_shape: bool = False
    payloads: list[dict[str, Any]] = field(factory=list, init=False, repr=False)
    _hmacs: set[str] = field(factory=set, init=False, repr=False)

    def _main_account(self) -> Account:
        # Key and IV are the example values of Fiserv's own public OpenAPI file.
        return {
            "key": "CNy+HimxmI4PmrJWrpLarBfbo6jIY/CHcezg2VQ8u5o=",
            "iv": "9T4hd3Nx0b0sMgYuyWLCTg==",
            "payload": {
                "resultURL": "https://shop.example/result",
                "transactionDetails": {
                    "amount": "150.00",
                    "currencyCode": "INR",
                    "clientTransactionId": "ORDER-0001",
                    "transactionType": "SALE",
                },
                "customerDetails": {
                    "customerName": "Made Up",
                    "customerEmail": "made.up@shop.example",
                    "customerMobile": "0000000000",
                },
            },
            "merchant_id": "MERCHANT0001",
        }

    def _login_errors(self) -> Replies:
        # The document's table knows one code; it stands for every complaint about the envelope.
        return {
            "hmac-empty": partial(_error, "FPDR4002", "HMAC is empty"),
            "hmac-invalid": partial(_error, "FPDR4002", "HMAC is invalid"),
            "payload-invalid": partial(_error, "FPDR4002", "encryptData is invalid"),
            **super()._login_errors(),
        }

    def _business_errors(self) -> Replies:
        return {**super()._business_errors(), "hmac-empty": partial(_error, "FPDR4002", "HMAC is empty")}

    def reset_counts(self) -> None:
        """Forget what was counted, and the payloads; tokens and `issued` stay."""
        super().reset_counts()
        self.payloads.clear()

    def _without_token(self, call: Call) -> Reply | None:
        if call.path != self.hmac_path:
            return None
        opened = self._open(call)
        if isinstance(opened, Reply):
            return opened
        given = secrets.token_hex(64)
        with self._lock:
            self._hmacs.add(given)
        return Reply.of_json({"hmac": given})

    def _account_of(self, call: Call) -> Account | Reply:
        digest = call.headers.get("HMAC", "")
        if call.method == "POST" and self.require_hmac and not digest:
            return self.login_errors["hmac-empty"]()
        opened = self._open(call)
        if isinstance(opened, Reply):
            return opened
        account, payload = opened
        if digest and not self._takes_up(digest) and not _is_signed(call, account, payload):
            return self.login_errors["hmac-invalid"]()
        self.payloads.append(payload)
        return account

    def _open(self, call: Call) -> tuple[Account, dict[str, Any]] | Reply:
        """Whose envelope this is and what is in it, or the complaint about it."""
        if call.method != "POST":
            return Reply(405, {"Allow": "POST"})
        given = (call.headers.get("keyValue"), call.headers.get("ivValue"))
        account = next((known for known in self.accounts if (known["key"], known["iv"]) == given), None)
        if account is None:
            return self._first_login_error()
        payload = _decrypt(account, call.json())
        return self.login_errors["payload-invalid"]() if payload is None else (account, payload)

    def _takes_up(self, digest: str) -> bool:
        """Whether this HMAC was given out here, and not used since."""
        with self._lock:
            known = digest in self._hmacs
            self._hmacs.discard(digest)
        return known

    def _granted(self, value: str, account: Account) -> Reply:
        if self.session_token_shape:
            return Reply.of_json({"response": self._with_ttl({"sessionTokenId": value})})
        return super()._granted(value, account)


def _is_signed(call: Call, account: Account, payload: dict[str, Any]) -> bool:
    if call.headers.get("merchantId") != account["merchant_id"]:
        return False
    details = payload.get("transactionDetails")
    details = details if isinstance(details, dict) else {}
    signed = [str(details.get(name, "")) for name in ("clientTransactionId", "amount", "currencyCode")]
    message = "".join([account["merchant_id"], *signed, account["key"]])
    expected = hmac.new(account["key"].encode(), message.encode(), hashlib.sha512).hexdigest()
    return hmac.compare_digest(expected.encode(), call.headers["HMAC"].encode())


def _decrypt(account: Account, envelope: object) -> dict[str, Any] | None:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    try:
        sealed = b64decode(envelope["encryptData"], validate=True)  # type: ignore[index]
        cipher = Cipher(algorithms.AES(b64decode(account["key"])), modes.CBC(b64decode(account["iv"])))
        opener, unpadder = cipher.decryptor(), PKCS7(128).unpadder()
        padded = opener.update(sealed) + opener.finalize()
        payload = json.loads(unpadder.update(padded) + unpadder.finalize())
    except (ValueError, TypeError, KeyError):
        return None
    return payload if isinstance(payload, dict) else None
