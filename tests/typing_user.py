"""A user's script that touches every public name. Checked by mypy --strict and pyright; never run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from typing_extensions import assert_type

import requests_partnerauth
from requests_partnerauth import (
    BexAuth,
    CookiePlacement,
    FileTokenCache,
    FiservBoardingAuth,
    FiservCommerceConnectAuth,
    FiservPartnerAuth,
    ForeignOrigin,
    HeaderPlacement,
    InvalidLoginResponse,
    KeyringTokenCache,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    PartnerAuthError,
    Placement,
    QueryPlacement,
    RedisTokenCache,
    RpGatewayAuth,
    SessionFieldsPlacement,
    Token,
    json_object,
)
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import ABSENT, Call, PartnerSimulator, Reply, SimulatedPartner
from requests_partnerauth.testing import PartnerContract, mocked_partners, partner_simulator, vcr_filters

__all__ = ["mocked_partners", "partner_simulator"]


def build_all(session: requests.Session) -> list[PartnerAuth]:
    """Every partner, with every argument."""
    return [
        BexAuth("user", "password", login_via="query", alternate_token=True, login_path="/login"),
        FiservBoardingAuth(
            "user",
            "password",
            base_url="https://boarding.example.com",
            ttl_unit=timedelta(seconds=1),
            token_header="Authorization",
            token_prefix="Bearer ",
        ),
        FiservPartnerAuth(
            "user",
            "password",
            base_url="https://partner.example.com",
            ain="4700000",
            source="TAB",
            ttl_unit=60,
        ),
        FiservCommerceConnectAuth(
            "key",
            "iv",
            {"transactionDetails": {"amount": "1.00"}},
            base_url="https://connect.example.com",
            merchant_id="M1",
            hmac=lambda payload: str(payload["transactionDetails"]),
        ),
        FiservCommerceConnectAuth(
            "key", "iv", next_payment, base_url="https://connect.example.com", hmac="server"
        ),
        RpGatewayAuth(
            "user",
            "password",
            base_url="http://gateway.example.com/ttsvr",
            uid="U1",
            customer_id=26233,
            gateway_auth=("outer", "password"),
            login_fields={"loc": "AU", "appCode": 7},
            origins=["https://other.example.com"],
            cache=MemoryTokenCache(),
            login_session=session,
            login_timeout=(5, 30),
            rejection_cooldown=300.0,
            refresh_cooldown=30,
            expired_when=lambda response: response.status_code == 419,
            resend=False,
            allow_http=True,
        ),
    ]


def next_payment() -> Mapping[str, Any]:
    """A payload that is asked for at each login."""
    return {"transactionDetails": {"amount": "2.00"}}


def from_environment() -> None:
    """The classes keep their types."""
    assert_type(BexAuth.from_env(), BexAuth)
    assert_type(FiservPartnerAuth.from_env(ain="4700000"), FiservPartnerAuth)
    assert_type(AcmeAuth.from_env(cache=FileTokenCache()), AcmeAuth)


def caches() -> list[TokenCache]:
    """Every cache, and one of the user's own."""
    return [
        MemoryTokenCache(),
        FileTokenCache(),
        FileTokenCache("tokens"),
        RedisTokenCache.from_url("redis://localhost"),
        KeyringTokenCache(),
        KeyringTokenCache(service="mine"),
        OwnCache(),
    ]


class OwnCache(TokenCache):
    """A cache of the user's own: four words."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.entries.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self.entries[key] = value

    def delete(self, key: str) -> None:
        self.entries.pop(key, None)

    def lock(self, key: str, limit: float = 30.0) -> AbstractContextManager[bool]:
        return self._lock()

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        yield False


class AcmeAuth(PartnerAuth):
    """A partner of the user's own."""

    partner = "acme"
    placement = HeaderPlacement("X-Acme-Token", prefix="Token ")

    def __init__(self, username: str, password: str, *, base_url: str, cache: TokenCache) -> None:
        super().__init__(base_url=base_url, cache=cache)
        self.username = self.account = username
        self.secret = password

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", json={"user": self.username})

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if "error" in reply:
            raise LoginRejected(reply["error"], code=reply.get("code"))
        return Token.lasting(reply["token"], reply.get("expires_in"), unit=timedelta(seconds=1))

    def signals_expiry(self, response: requests.Response) -> bool:
        return response.status_code in (401, 419)


class AcmeFieldsAuth(PartnerAuth):
    """Another with the token in the body, and all else as it comes."""

    partner = "acme-fields"
    placement = SessionFieldsPlacement("sid", {"uid": "X1"})


class PathPlacement(Placement):
    """A placement of the user's own: three words."""

    def place(self, request: requests.PreparedRequest, value: str) -> str | None:
        before = request.url
        request.url = f"{before};{value}"
        return before

    def remove(self, request: requests.PreparedRequest, mark: str | None) -> None:
        request.url = mark or request.url

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return (request.url or "").endswith(value)


def placements() -> list[Placement]:
    """Every placement."""
    return [
        HeaderPlacement("X-Token"),
        CookiePlacement("JSESSIONID"),
        QueryPlacement("key"),
        SessionFieldsPlacement("sid"),
        PathPlacement(),
    ]


def tokens(response: requests.Response) -> list[Token]:
    """A token in all the ways that one is made."""
    reply = json_object(response)
    assert_type(reply, dict[str, Any] | None)
    more: dict[str, str] = {"node": "n1"}
    return [
        Token("value", expires_at=time.time() + 60, cookies=more),
        Token.lasting("value", 30, unit=60, refresh_token="refresh", details=reply, cookies=more),
        Token.until("value", time.time() + 60, cookies=more),
        Token.until("value", datetime.now(timezone.utc), details=reply),
        Token.until("value", "2030-01-31T12:00:00Z", refresh_token="refresh"),
        Token.from_jwt("e30.e30.", refresh_token="refresh", details=reply, cookies=more),
    ]


def use(auth: PartnerAuth, session: requests.Session) -> requests.Response:
    """The hands on the token, and an ordinary call."""
    session.auth = auth
    auth.preset("value")
    auth.preset("value", expires_at=time.time() + 60)
    token = auth.token()
    assert_type(token, Token)
    assert_type(token.value, str)
    assert_type(token.issued_at, float)
    assert_type(token.expires_at, float | None)
    assert_type(token.refresh_token, str | None)
    assert_type(token.details, Mapping[str, Any])
    assert_type(token.cookies, Mapping[str, str])
    auth.forget()
    requests.get("https://api.example.com", auth=auth, timeout=10)
    return session.get("https://api.example.com")


def caught(auth: PartnerAuth) -> str:
    """Every error, from the narrowest to what a legacy script catches."""
    try:
        auth.token()
    except LoginRejected as error:
        assert_type(error.code, str | None)
        assert_type(error.partner_message, str)
        return error.partner_message
    except (LoginUnavailable, InvalidLoginResponse, ForeignOrigin) as error:
        assert_type(error.response, requests.Response | None)
        return str(error)
    except PartnerAuthError as error:
        return str(error)
    except requests.RequestException as error:
        return str(error)
    return Token("value", issued_at=0.0, expires_at=None, refresh_token=None, details={}).value


def refuse(call: Call) -> Reply | None:
    """An answer of a simulated partner."""
    return Reply.of_json({"path": call.path}, 401) if call.method == "POST" else None


def test_with_the_kit(partner_simulator: PartnerSimulator) -> None:
    """A test of the user's."""
    bex: SimulatedPartner = partner_simulator.bex
    bex.ttl = ABSENT
    bex.answer("/refused", refuse)
    filters: dict[str, Any] = vcr_filters(BexAuth(**bex.credentials))
    with pytest.raises(LoginRejected):
        BexAuth("user", "wrong", base_url=bex.base_url).token()
    assert bex.logins == 0
    assert filters


def names() -> list[str]:
    """The package says which names are public."""
    assert_type(requests_partnerauth.__version__, str)
    return requests_partnerauth.__all__


class TestAcme(PartnerContract):
    """The contract of a user's own class."""

    auth_class = BexAuth
    arguments = {"username": "user", "password": "word"}  # noqa: RUF012  # as users write it
    login_reply = {"value": "0123456789"}  # noqa: RUF012  # as users write it
    rejection = (401, None)
    expiry = {"ex": "Invalid token."}  # noqa: RUF012  # as users write it

    def earlier_step(self, call: Call) -> object:
        return None


def change_password(auth: BexAuth, new: str) -> str:
    """A password that changes while the auth is in use."""
    auth.password = new
    return auth.password
