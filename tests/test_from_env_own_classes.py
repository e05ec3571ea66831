"""Classes of the user's own from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

from requests_partnerauth import FileTokenCache, HeaderPlacement, PartnerAuth, Token
from requests_partnerauth.caches import TokenCache

Setter = Callable[..., None]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but a test's own."""
    for name in list(os.environ):
        if name.startswith("PARTNERAUTH_"):
            monkeypatch.delenv(name)


@pytest.fixture
def setenv(monkeypatch: pytest.MonkeyPatch) -> Setter:
    """Set variables of one partner by argument."""

    def setenv(partner: str, **texts: str) -> None:
        for argument, text in texts.items():
            monkeypatch.setenv(f"PARTNERAUTH_{partner.upper().replace('-', '_')}_{argument.upper()}", text)

    return setenv


class AcmeAuth(PartnerAuth):
    """An own class that hands the rest on to its superclass."""

    partner = "acme.pay-2"
    placement = HeaderPlacement("X-Acme-Token")

    def __init__(
        self,
        username: str,
        tries: int,
        *,
        tags: Iterable[str] = (),
        strict: bool | None = None,
        on_login: Callable[[], None] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.given = (username, tries, tags, strict)

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login")

    def parse_login(self, response: requests.Response) -> Token:
        return Token(response.json()["token"])


class PlainAuth(PartnerAuth):
    """An own class without a constructor; its prefix is the beginning of another's."""

    partner = "acme"


class DetailedAuth(PartnerAuth):
    """An own class whose arguments are objects, and texts where one can stand for them."""

    partner = "detailed"

    def __init__(
        self,
        *,
        login_path: str = "/login",
        login_fields: Mapping[str, Any] | None = None,
        hmac: Callable[[str], str] | Literal["server"] | None = None,
        signer: Callable[[str], str] | str | None = None,
        ttl_unit: timedelta | float = timedelta(minutes=1),
        keep: TokenCache | str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.given = (login_path, login_fields, hmac, signer, ttl_unit, keep)


def test_texts_for_what_may_be_an_object_too(setenv: Setter, tmp_path: Path) -> None:
    """Where an argument is an object or a text, the text is read: paths, JSON, words, spans, caches."""
    setenv(
        "detailed", base_url="https://d.example", login_path="/msg", login_fields='{"loc": "AU", "app": 7}',
        hmac="server", signer="other", ttl_unit="90", keep=f"file:{tmp_path}",
    )  # fmt: skip
    auth = DetailedAuth.from_env()
    path, fields, hmac, signer, unit, keep = auth.given
    assert (path, hmac, signer, unit) == ("/msg", "server", "other", timedelta(seconds=90))
    assert fields == {"loc": "AU", "app": 7}
    assert isinstance(keep, FileTokenCache)


def test_own_classes(setenv: Setter) -> None:
    """An own class is read by its own signature, and by that of PartnerAuth for what it hands on."""
    setenv("acme_pay_2", username="u", tries="3", tags="a,b", strict="no")
    setenv("acme_pay_2", base_url="https://a.example", refresh_cooldown="9")
    auth = AcmeAuth.from_env()
    assert auth.given == ("u", 3, ("a", "b"), False)
    assert (auth.base_url, auth._refresh_cooldown) == ("https://a.example", 9.0)


def test_own_class_without_what_it_hands_on(setenv: Setter) -> None:
    """A variable that only the superclass misses is named all the same."""
    setenv("acme_pay_2", username="u", tries="3")
    with pytest.raises(ValueError, match="PARTNERAUTH_ACME_PAY_2_BASE_URL is not set"):
        AcmeAuth.from_env()


def test_prefix_of_another_partner(setenv: Setter, caplog: pytest.LogCaptureFixture) -> None:
    """The variables of a partner whose name goes on where this one's ends are no typos."""
    setenv("acme", base_url="https://a.example")
    setenv("acme_pay_2", username="u")
    assert PlainAuth.from_env().base_url == "https://a.example"
    assert not caplog.messages


def test_unnamed_class_is_told() -> None:
    """PartnerAuth itself has no short name to look variables up by."""
    with pytest.raises(ValueError, match="partner: PartnerAuth needs a short name"):
        PartnerAuth.from_env()
