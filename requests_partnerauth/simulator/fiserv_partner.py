"""Fiserv partner (external boarding), as its document describes it."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from typing import ClassVar

from attrs import define

from ._fiserv import SimulatedFiserv
from ._messages import Call, Reply
from ._wire_facts import Account

_JWE_HEADER = {"alg": "A128KW", "enc": "A128CBC-HS256"}
_JWE_PART_BYTES = (40, 16, 1040, 16)
_REFRESH_SECONDS = 48 * 3600


@define(eq=False, slots=False)
class SimulatedFiservPartner(SimulatedFiserv):
    """Fiserv partner: a GET with HTTP Basic in UTF-8, `ain` and `source` in the query; a long token."""

    name: ClassVar[str] = "fiserv-partner"
    credential_fields: ClassVar[tuple[str, ...]] = ("username", "password", "ain", "source")

    login_path: str = "/Externalboarding/partner/login"
    ttl: object = 30

    def _main_account(self) -> Account:
        return {"username": "partneruser1", "password": "December01", "ain": "4700000", "source": "API"}

    def _account_of(self, call: Call) -> Account | Reply:
        if call.method != "GET":
            return Reply(405, {"Allow": "GET"})
        basic = read_basic(call.headers.get("Authorization", ""))
        for account in self.accounts:
            if basic == (account["username"], account["password"]) and all(
                call.query.get(name) == account[name] for name in ("ain", "source")
            ):
                return account
        return self._first_login_error()

    def _new_value(self) -> str:
        parts = [_encoded(secrets.token_bytes(length)) for length in _JWE_PART_BYTES]
        return ".".join([_encoded_json(_JWE_HEADER), *parts])

    def _granted(self, value: str, account: Account) -> Reply:
        return Reply.of_json(
            self._with_ttl({"authToken": value, "refreshToken": _refresh_token(account["username"])})
        )


def read_basic(header: str) -> tuple[str, str] | None:
    """User and password of an HTTP Basic header in UTF-8, None where it is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None


def _refresh_token(username: str) -> str:
    now = int(time.time())
    claims = {
        "iss": "com.fiserv.com",
        "aud": "Fiserv GBS",
        "TYPE": "REFRESH",
        "exp": now + _REFRESH_SECONDS,
        "jti": _encoded(secrets.token_bytes(16)),
        "iat": now,
        "nbf": now - 300,
        "version": "1.0",
        "sub": username,
    }
    signature = _encoded(secrets.token_bytes(32))
    return ".".join([_encoded_json({"alg": "HS256"}), _encoded_json(claims), signature])


def _encoded_json(obj: object) -> str:
    return _encoded(json.dumps(obj, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
