"""Auths from the environment."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import AUTH_CLASSES

from requests_partnerauth import (
    BexAuth,
    FileTokenCache,
    FiservBoardingAuth,
    FiservCommerceConnectAuth,
    FiservPartnerAuth,
    MemoryTokenCache,
    RedisTokenCache,
    RpGatewayAuth,
)
from requests_partnerauth._settings.from_env import settings_from_env
from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner

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


def bex(setenv: Setter, **texts: str) -> None:
    setenv("bex", **{"username": "user123", "password": "pass1234", **texts})


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_every_partner_logs_in(partner: SimulatedPartner, setenv: Setter) -> None:
    """Every class finds all that its login needs in variables named after partner and argument."""
    setenv(partner.name, **{name: as_text(value) for name, value in partner.credentials.items()})
    auth = AUTH_CLASSES[partner.name].from_env(cache=MemoryTokenCache())
    assert auth.token().value in partner.live_tokens
    assert isinstance(auth, AUTH_CLASSES[partner.name])


def test_gateway_auth_arrives(simulator: PartnerSimulator, setenv: Setter) -> None:
    """user:password is read as the pair, and a colon in the password stays in it."""
    partner = simulator.rp_gateway
    partner.gateway_auth = ("gate", "pass:word")
    texts = {name: as_text(value) for name, value in partner.credentials.items()}
    setenv("rp-gateway", **texts, gateway_auth="gate:pass:word")
    assert RpGatewayAuth.from_env(cache=MemoryTokenCache()).token().value in partner.live_tokens


@pytest.mark.parametrize(
    ("argument", "text", "value"),
    [
        ("allow_http", "yes", True),
        ("allow_http", "On", True),
        ("alternate_token", "1", True),
        ("alternate_token", "TRUE", True),
        ("resend", "0", False),
        ("resend", "off", False),
        ("login_timeout", "5,30", (5.0, 30.0)),
        ("login_timeout", "7.5", 7.5),
        ("rejection_cooldown", "12", 12.0),
        ("refresh_cooldown", "0.5", 0.5),
        ("keep_login_cookies", "yes", True),
        ("refresh_ahead", "no", False),
        ("origins", "https://a.example, https://b.example:8443,", ("https://a.example", "https://b.example:8443")),
        ("login_via", "query", "query"),
        ("base_url", "https://build.bex.co.za", "https://build.bex.co.za"),
        ("password", " p+%&=#é:ü \"\\ ", " p+%&=#é:ü \"\\ "),
    ],
)  # fmt: skip
def test_texts_become_values(setenv: Setter, argument: str, text: str, value: object) -> None:
    """Each argument is read as its type says; a password stays as it is, blanks included."""
    bex(setenv, **{argument: text})
    assert settings_from_env(BexAuth, {})[argument] == value


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("seconds", timedelta(seconds=1)),
        ("Minutes", timedelta(minutes=1)),
        ("hour", timedelta(hours=1)),
        ("days", timedelta(days=1)),
        ("90", timedelta(seconds=90)),
    ],
)
def test_ttl_unit(setenv: Setter, text: str, unit: timedelta) -> None:
    """ttl_unit is a word or a number of seconds."""
    setenv("fiserv-boarding", username="u", password="p", base_url="https://f.example", ttl_unit=text)
    assert FiservBoardingAuth.from_env().ttl_unit == unit


def test_payload_from_a_file(simulator: PartnerSimulator, setenv: Setter, tmp_path: Path) -> None:
    """@path names a JSON file, byte order mark or not."""
    partner = simulator.fiserv_commerce_connect
    credentials = partner.credentials
    payload = tmp_path / "payment.json"
    payload.write_text(json.dumps(credentials.pop("payload")), encoding="utf-8-sig")
    setenv("fiserv-commerce-connect", **credentials, payload=f"@{payload}")
    FiservCommerceConnectAuth.from_env(cache=MemoryTokenCache()).token()
    assert partner.payloads == [partner.accounts[0]["payload"]]


def test_keyword_arguments_win(setenv: Setter) -> None:
    """What is given as an argument is not looked up, however bad the variable."""
    bex(setenv, login_via="nonsense", login_timeout="soon")
    auth = BexAuth.from_env(username="other", login_via="get", login_timeout=3)
    assert (auth.username, auth.login_via) == ("other", "get")


@pytest.mark.parametrize("empty", [False, True])
def test_missing_variables_are_named(setenv: Setter, empty: bool) -> None:
    """All that is missing is named at once; an empty variable is as good as none."""
    setenv("fiserv-partner", username="u", base_url="https://f.example", **({"ain": ""} if empty else {}))
    with pytest.raises(ValueError, match="PARTNERAUTH_FISERV_PARTNER_AIN") as caught:
        FiservPartnerAuth.from_env()
    assert str(caught.value) == (
        "PARTNERAUTH_FISERV_PARTNER_PASSWORD, PARTNERAUTH_FISERV_PARTNER_AIN are not set, "
        "and FiservPartnerAuth can't do without"
    )


@pytest.mark.parametrize(
    ("cls", "argument", "text"),
    [
        (BexAuth, "alternate_token", "perhaps-s3cret"),
        (BexAuth, "login_timeout", "s3cret"),
        (BexAuth, "login_timeout", "1,2,s3cret"),
        (BexAuth, "login_timeout", "nan"),
        (BexAuth, "rejection_cooldown", "-7777"),
        (BexAuth, "base_url", "s3cret.example"),
        (BexAuth, "base_url", "http://s3cret.example"),
        (BexAuth, "login_via", "s3cret"),
        (BexAuth, "origins", "https://ok.example,s3cret"),
        (BexAuth, "cache", "s3cret"),
        (BexAuth, "cache", "redis://user:s3cret@host:port/x"),
        (BexAuth, "password", "s3cret\udcff"),
        (FiservBoardingAuth, "ttl_unit", "s3cret"),
        (FiservBoardingAuth, "ttl_unit", "-5555"),
        (FiservBoardingAuth, "token_header", "s3cret: x"),
        (RpGatewayAuth, "gateway_auth", "s3cret"),
        (RpGatewayAuth, "gateway_auth", "s3cret:"),
        (FiservCommerceConnectAuth, "key", "s3cret"),
        (FiservCommerceConnectAuth, "payload", '{"s3cret'),
        (FiservCommerceConnectAuth, "payload", '["s3cret"]'),
        (FiservCommerceConnectAuth, "payload", "@/no/such/s3cret"),
        (FiservCommerceConnectAuth, "payload", '{"s3cret": NaN}'),
    ],
)
def test_bad_values_name_the_variable_alone(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch, cls: Any, argument: str, text: str
) -> None:
    """A bad value is told by its variable; neither the message nor its chain holds the value."""
    good = {**simulator.partners[cls.partner].credentials, argument: None}
    variable = f"PARTNERAUTH_{cls.partner.upper().replace('-', '_')}_{argument.upper()}"
    monkeypatch.setenv(variable, text)
    with pytest.raises(ValueError, match=rf"\A{variable}: ") as caught:
        cls.from_env(**{name: value for name, value in good.items() if value is not None})
    told = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in ("s3cret", "7777", "5555") if secret in told]


def test_typos_are_told_once(setenv: Setter, caplog: pytest.LogCaptureFixture) -> None:
    """A variable that no argument goes with is told in the log, once, with the likely name and no value."""
    bex(setenv, pasword="s3cret", zzz="s3cret")
    with caplog.at_level(logging.WARNING, "requests_partnerauth"):
        BexAuth.from_env()
        BexAuth.from_env()
    assert caplog.messages == [
        "PARTNERAUTH_BEX_PASWORD is no setting of BexAuth and is passed over; "
        "did you mean PARTNERAUTH_BEX_PASSWORD?",
        "PARTNERAUTH_BEX_ZZZ is no setting of BexAuth and is passed over",
    ]


def test_what_no_text_can_say(setenv: Setter, caplog: pytest.LogCaptureFixture) -> None:
    """An argument without a textual form is no setting; its variable is told like a typo."""
    bex(setenv, login_session="x")
    assert "login_session" not in settings_from_env(BexAuth, {})
    assert caplog.messages[0].startswith("PARTNERAUTH_BEX_LOGIN_SESSION is no setting of BexAuth")


def test_cache_choice(monkeypatch: pytest.MonkeyPatch, setenv: Setter, tmp_path: Path) -> None:
    """PARTNERAUTH_CACHE chooses the cache, a partner's own variable before it, the same object each time."""
    bex(setenv)
    monkeypatch.setenv("PARTNERAUTH_CACHE", f"file:{tmp_path}")
    first, second = (settings_from_env(BexAuth, {})["cache"] for _ in range(2))
    assert isinstance(first, FileTokenCache)
    assert first is second
    setenv("bex", cache="memory")
    assert isinstance(settings_from_env(BexAuth, {})["cache"], MemoryTokenCache)
    setenv("bex", cache="redis://user:s3cret@127.0.0.1:1/0")
    assert isinstance(settings_from_env(BexAuth, {})["cache"], RedisTokenCache)
    mine = MemoryTokenCache()
    assert settings_from_env(BexAuth, {"cache": mine})["cache"] is mine


def test_file_cache_is_used(
    simulator: PartnerSimulator, setenv: Setter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two auths from the environment share one login in the file cache that it names."""
    monkeypatch.setenv("PARTNERAUTH_CACHE", f"file://{tmp_path}")
    setenv("bex", **simulator.bex.credentials)
    assert BexAuth.from_env().token() == BexAuth.from_env().token()
    assert simulator.bex.logins == 1
    assert list(tmp_path.iterdir())


def test_cache_by_name_in_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """cache= takes what PARTNERAUTH_CACHE takes, gives the same object, and complains in the same words."""
    monkeypatch.setenv("PARTNERAUTH_CACHE", f"file:{tmp_path}")
    named = BexAuth("u", "p", cache=f"file:{tmp_path}")
    assert named._cache is BexAuth.from_env(username="u", password="p")._cache
    with pytest.raises(
        ValueError, match=r"\Acache: one of memory, file, file:/path, redis://host, "
    ) as caught:
        BexAuth("u", "p", cache="s3cret")
    assert "s3cret" not in str(caught.value)
