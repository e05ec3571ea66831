"""What is wrong with an auth is said where it is built: by the argument's name, and never with its value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from requests_partnerauth import (
    BexAuth,
    FiservBoardingAuth,
    FiservCommerceConnectAuth,
    FiservPartnerAuth,
    HeaderPlacement,
    MemoryTokenCache,
    PartnerAuth,
    RpGatewayAuth,
    SessionFieldsPlacement,
)

URL = "https://partner.example"
KEY = "CNy+HimxmI4PmrJWrpLarBfbo6jIY/CHcezg2VQ8u5o="
IV = "9T4hd3Nx0b0sMgYuyWLCTg=="
PAYLOAD = {"transactionDetails": {"clientTransactionId": "O1", "amount": "1.00", "currencyCode": "INR"}}
GOOD: dict[type[PartnerAuth], dict[str, Any]] = {
    BexAuth: {"username": "user", "password": "word", "base_url": URL},
    FiservBoardingAuth: {"username": "user", "password": "word", "base_url": URL},
    FiservPartnerAuth: {"username": "user", "password": "word", "base_url": URL, "ain": "1"},
    FiservCommerceConnectAuth: {"key": KEY, "iv": IV, "payload": PAYLOAD, "base_url": URL},
    RpGatewayAuth: {"username": "user", "password": "word", "base_url": URL, "uid": "U1"},
}
EVERY = pytest.mark.parametrize("auth_class", GOOD, ids=lambda cls: cls.partner)
SHOWN = "5ecret-Value"


def refused(build: Callable[..., object], argument: str, value: object, **others: Any) -> str:
    """The message with which a bad argument is refused."""
    with pytest.raises(ValueError, match=f"^{argument}: ") as caught:
        build(**{**others, argument: value})
    assert caught.value.__cause__ is caught.value.__context__ is None
    return str(caught.value)


@EVERY
def test_good_arguments_are_accepted(auth_class: type[PartnerAuth]) -> None:
    """What the tests below change one at a time is itself accepted, and the repr tells no secret."""
    auth = auth_class(**GOOD[auth_class])

    assert repr(auth).startswith(f"{auth_class.__name__}(base_url='{URL}'")
    assert "word" not in repr(auth)
    assert KEY not in repr(auth)


@EVERY
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("base_url", ""),
        ("base_url", None),
        ("base_url", 7),
        ("base_url", f"{SHOWN}.example"),
        ("base_url", f"//{SHOWN}.example"),
        ("base_url", f"ftp://{SHOWN}.example"),
        ("base_url", f"https://user:{SHOWN}@partner.example"),
        ("base_url", f"https://{SHOWN}@partner.example"),
        ("base_url", f"https://partner.example/?token={SHOWN}"),
        ("base_url", f"https://partner.example/#{SHOWN}"),
        ("base_url", f"https://partner.example/{SHOWN} and more"),
        ("base_url", f"https://partner.example\\{SHOWN}"),
        ("base_url", f"https://partner.example\n{SHOWN}"),
        ("base_url", "https://"),
        ("base_url", f"https://partner.example:{SHOWN}"),
        ("base_url", f"https://{SHOWN}.example:99999"),
        ("base_url", f"http://{SHOWN}.example"),
        ("base_url", "http://192.0.2.1"),
        ("base_url", "http://localhost.example"),
        ("base_url", "http://partner.localhost"),
        ("origins", "https://other.example"),
        ("origins", b"https://other.example"),
        ("origins", None),
        ("origins", 7),
        ("origins", [None]),
        ("origins", [f"{SHOWN}.example"]),
        ("origins", [f"http://{SHOWN}.example"]),
        ("origins", ["http://partner.localhost"]),
        ("origins", [f"https://user:{SHOWN}@other.example"]),
        ("origins", [f"https://other.example/{SHOWN}"]),
        ("cache", {}),
        ("cache", MemoryTokenCache),
        ("cache", f"redis:{SHOWN}@localhost"),
        ("login_session", requests),
        ("login_session", requests.Session),
        ("login_session", f"https://{SHOWN}"),
        ("login_timeout", None),
        ("login_timeout", 0),
        ("login_timeout", -1),
        ("login_timeout", (5, None)),
        ("login_timeout", (5, 30, 60)),
        ("login_timeout", (0, 30)),
        ("login_timeout", float("inf")),
        ("login_timeout", float("nan")),
        ("login_timeout", True),
        ("login_timeout", SHOWN),
        ("login_timeout", 10**400),
        ("login_timeout", (5, 10**400)),
        ("rejection_cooldown", -1),
        ("rejection_cooldown", None),
        ("rejection_cooldown", float("nan")),
        ("rejection_cooldown", SHOWN),
        ("rejection_cooldown", True),
        ("rejection_cooldown", 10**400),
        ("refresh_cooldown", -0.5),
        ("refresh_cooldown", float("inf")),
        ("refresh_cooldown", timedelta(seconds=30)),
        ("expired_when", True),
        ("expired_when", SHOWN),
        ("resend", "no"),
        ("resend", None),
        ("resend", 0),
        ("allow_http", "false"),
        ("allow_http", 1),
    ],
)
def test_bad_arguments_of_every_auth(auth_class: type[PartnerAuth], argument: str, value: object) -> None:
    """What all auth classes take is checked alike in each of them."""
    # Promise: plain-http
    message = refused(auth_class, argument, value, **{**GOOD[auth_class], argument: value})

    assert SHOWN.lower() not in message.lower()


@pytest.mark.parametrize(
    ("auth_class", "argument", "value"),
    [
        *[
            (auth_class, argument, value)
            for auth_class in (BexAuth, FiservBoardingAuth, FiservPartnerAuth, RpGatewayAuth)
            for argument in ("username", "password")
            for value in ("", None, 7, b"bytes", [SHOWN], SHOWN + "\udcff")
        ],
        (BexAuth, "login_via", "GET"),
        (BexAuth, "login_via", SHOWN),
        (BexAuth, "login_via", ["json"]),
        (BexAuth, "alternate_token", "false"),
        (BexAuth, "alternate_token", None),
        *[
            (auth_class, argument, value)
            for auth_class in (FiservBoardingAuth, FiservPartnerAuth, FiservCommerceConnectAuth)
            for argument, value in (
                ("token_header", ""),
                ("token_header", None),
                ("token_header", f"{SHOWN} Header"),
                ("token_header", f"X:\r\n{SHOWN}"),
                ("token_prefix", None),
                ("token_prefix", f" {SHOWN}"),
                ("token_prefix", f"Bearer\r\n{SHOWN}"),
                ("token_prefix", "Bärer "),
            )
        ],
        *[
            (auth_class, "ttl_unit", value)
            for auth_class in (FiservBoardingAuth, FiservPartnerAuth)
            for value in (
                True,
                None,
                "minutes",
                0,
                -1,
                1e30,
                float("nan"),
                timedelta(0),
                timedelta(minutes=-1),
            )
        ],
        *[
            (auth_class, "login_path", value)
            for auth_class in GOOD
            for value in (
                None,
                "",
                "login",
                f"https://{SHOWN}/login",
                f"//{SHOWN}",
                f"/login?{SHOWN}",
                "/a b",
            )
        ],
        (FiservCommerceConnectAuth, "hmac", "client"),
        *[
            (RpGatewayAuth, "login_fields", value)
            for value in (SHOWN, [("loc", SHOWN)], {"passwd": SHOWN}, {"op": SHOWN}, {"loc": {SHOWN}})
        ],
        (FiservPartnerAuth, "username", f"user:{SHOWN}"),
        (FiservPartnerAuth, "ain", ""),
        (FiservPartnerAuth, "ain", None),
        (FiservPartnerAuth, "ain", True),
        (FiservPartnerAuth, "ain", 1.5),
        (FiservPartnerAuth, "source", ""),
        (FiservPartnerAuth, "source", None),
        (FiservCommerceConnectAuth, "key", ""),
        (FiservCommerceConnectAuth, "key", None),
        (FiservCommerceConnectAuth, "key", SHOWN),
        (FiservCommerceConnectAuth, "key", KEY + "\n"),
        (FiservCommerceConnectAuth, "key", KEY[:-1]),
        (FiservCommerceConnectAuth, "key", KEY.encode()),
        (FiservCommerceConnectAuth, "key", IV),
        (FiservCommerceConnectAuth, "key", "ü" + KEY[1:]),
        (FiservCommerceConnectAuth, "iv", KEY),
        (FiservCommerceConnectAuth, "iv", ""),
        (FiservCommerceConnectAuth, "payload", None),
        (FiservCommerceConnectAuth, "payload", f'{{"json": "{SHOWN}"}}'),
        (FiservCommerceConnectAuth, "payload", [SHOWN]),
        (FiservCommerceConnectAuth, "payload", {"when": timedelta(1), SHOWN: SHOWN}),
        (FiservCommerceConnectAuth, "payload", {"amount": float("nan"), SHOWN: SHOWN}),
        (FiservCommerceConnectAuth, "payload", {"name": SHOWN + "\udcff"}),
        (FiservCommerceConnectAuth, "payload", {("a", SHOWN): 1}),
        (FiservCommerceConnectAuth, "merchant_id", ""),
        (FiservCommerceConnectAuth, "merchant_id", 7),
        (FiservCommerceConnectAuth, "merchant_id", f"{SHOWN}\r\nX-Other: 1"),
        (FiservCommerceConnectAuth, "hmac", SHOWN),
        (FiservCommerceConnectAuth, "hmac", True),
        (RpGatewayAuth, "uid", ""),
        (RpGatewayAuth, "uid", None),
        (RpGatewayAuth, "customer_id", ""),
        (RpGatewayAuth, "customer_id", True),
        (RpGatewayAuth, "customer_id", [SHOWN]),
        (RpGatewayAuth, "gateway_auth", SHOWN),
        (RpGatewayAuth, "gateway_auth", ("user",)),
        (RpGatewayAuth, "gateway_auth", ("user", SHOWN, "more")),
        (RpGatewayAuth, "gateway_auth", ("user", "")),
        (RpGatewayAuth, "gateway_auth", ("", SHOWN)),
        (RpGatewayAuth, "gateway_auth", (f"us:er{SHOWN}", "word")),
        (RpGatewayAuth, "gateway_auth", {"user": SHOWN}),
    ],
)
def test_bad_arguments_of_one_partner(auth_class: type[PartnerAuth], argument: str, value: object) -> None:
    """What a partner's own class takes is checked as strictly."""
    assert SHOWN not in refused(auth_class, argument, value, **GOOD[auth_class])


@pytest.mark.parametrize("missing", ["clientTransactionId", "amount", "currencyCode", None])
def test_a_payload_without_what_the_hmac_needs(missing: str | None) -> None:
    """With merchant_id and no hmac= of the user's own, the payload's three fields are missed at once."""
    details = {name: SHOWN for name in PAYLOAD["transactionDetails"] if name != missing}
    payload: dict[str, Any] = {"transactionDetails": details} if missing else {"transactionDetails": SHOWN}
    arguments = {**GOOD[FiservCommerceConnectAuth], "payload": payload}

    assert SHOWN not in refused(FiservCommerceConnectAuth, "payload", payload, merchant_id="M1", **arguments)
    FiservCommerceConnectAuth(**arguments)
    FiservCommerceConnectAuth(**arguments, merchant_id="M1", hmac=lambda payload: "text")


@EVERY
def test_an_unknown_argument(auth_class: type[PartnerAuth]) -> None:
    """A misspelt argument is told by its name, as Python does with a TypeError."""
    with pytest.raises(TypeError, match=r"^resnd: ") as caught:
        auth_class(**GOOD[auth_class], resnd=SHOWN)
    assert SHOWN not in str(caught.value)


@EVERY
@pytest.mark.parametrize(
    "base_url",
    [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.8.8.8/path",
        "http://[::1]:8080/path",
        "HTTPS://PARTNER.example:443/path/",
    ],
)
def test_loopback_needs_no_https(auth_class: type[PartnerAuth], base_url: str) -> None:
    """Plain http stays in the machine there; https is always good."""
    auth_class(**{**GOOD[auth_class], "base_url": base_url})


@EVERY
def test_plain_http_needs_to_be_allowed_in_so_many_words(
    auth_class: type[PartnerAuth], caplog: pytest.LogCaptureFixture
) -> None:
    """allow_http=True permits it for base URL and origins, and a warning is logged."""
    host = f"http://{auth_class.partner}.example"

    auth_class(**{**GOOD[auth_class], "base_url": host}, origins=[host + ":81"], allow_http=True)

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_placements_check_their_arguments() -> None:
    """What users hand to a placement of their own is checked like any other argument."""
    refused(HeaderPlacement, "name", "X Token")
    refused(HeaderPlacement, "prefix", "Bearer\n", name="X-Token")
    refused(SessionFieldsPlacement, "token_field", "")


def test_a_placement_that_is_set_late_is_checked_too() -> None:
    """A text that a class puts there after `super().__init__()` is told before anything is sent."""

    class Late(PartnerAuth):
        partner = "late"

        def __init__(self) -> None:
            super().__init__(base_url=URL)
            self.placement = "X-Token"  # type: ignore[assignment]

    with pytest.raises(ValueError, match=r"^placement: "):
        Late().token()


def test_an_auth_without_a_partner_name() -> None:
    """A class of the user's own that lacks its short name is told so by that name."""

    class Nameless(PartnerAuth):
        pass

    with pytest.raises(ValueError, match=r"^partner: Nameless "):
        Nameless(base_url=URL)
