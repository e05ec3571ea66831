"""Fixtures for all tests."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from requests_partnerauth import (
    BexAuth,
    FiservBoardingAuth,
    FiservCommerceConnectAuth,
    FiservPartnerAuth,
    MemoryTokenCache,
    PartnerAuth,
    RpGatewayAuth,
)
from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner

if TYPE_CHECKING:
    from command import Served
    from redis_server import RedisServer

# Started with "&" or by nohup, this process ignores Ctrl-C, as would the children that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What the tests talk to is on loopback, and a proxy of the machine's knows another; only a download wants it.
if "PARTNERAUTH_SUITES" not in os.environ:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]

# Asserts outside of test modules are checked under `python -O`, too.
pytest.register_assert_rewrite(
    "requests_partnerauth.testing",
    *(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("test_")),
)

# What needs libraries and services that the other tests do without has tox environments of its own.
elsewhere = {
    "PARTNERAUTH_LIBRARIES": "libraries",
    "PARTNERAUTH_ORDERS": "orders",
    "PARTNERAUTH_REDIS_FAULTS": "redis_faults",
    "PARTNERAUTH_SERVICES": "services",
    "PARTNERAUTH_SUITES": "suites",
}
collect_ignore = [folder for variable, folder in elsewhere.items() if variable not in os.environ]
if len(collect_ignore) == len(elsewhere):
    import profiles

    profiles.register_quick_profile()

AUTH_CLASSES: dict[str, type[PartnerAuth]] = {
    cls.partner: cls
    for cls in (BexAuth, FiservBoardingAuth, FiservCommerceConnectAuth, FiservPartnerAuth, RpGatewayAuth)
}


@pytest.fixture
def simulator() -> Iterator[PartnerSimulator]:
    """The five partners on a loopback socket, with a clean memory."""
    with PartnerSimulator() as simulator:
        yield simulator


@pytest.fixture(params=sorted(AUTH_CLASSES))
def partner(request: pytest.FixtureRequest, simulator: PartnerSimulator) -> SimulatedPartner:
    """Each simulated partner in turn."""
    return simulator.partners[request.param]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """An ordinary session, closed at the end."""
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """What `partnerauth serve --json` says, while it serves."""
    from command import running

    with running("serve", "--json") as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What the library logs during the test, from DEBUG on."""
    from leak_check import all_records

    with all_records() as made:
        yield made


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither proxies nor certificates nor a .netrc from the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A redis-server of the test's own, on a loopback port."""
    from redis_server import running_redis

    with running_redis(tmp_path) as server:
        yield server


@pytest.fixture
def file_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real keyring that needs no desktop, in a file of the test's own."""
    import keyring
    from keyrings.alt.file import PlaintextKeyring

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = keyring.get_keyring()
    backend = PlaintextKeyring()
    backend.file_path = str(tmp_path / "keyring.cfg")
    keyring.set_keyring(backend)
    yield
    keyring.set_keyring(before)


def make_auth(partner: SimulatedPartner, **arguments: Any) -> PartnerAuth:
    """An auth for the simulated partner's good account, with a memory of its own unless told otherwise."""
    arguments = {"cache": MemoryTokenCache(), **partner.credentials, **arguments}
    return AUTH_CLASSES[partner.name](**arguments)


def wrong_secret(partner: SimulatedPartner) -> dict[str, Any]:
    """The argument that makes an auth's credentials wrong."""
    if partner.secret_field == "key":
        return {"key": "d3Jvbmcga2V5IHdyb25nIGtleSB3cm9uZyBrZXkgISE="}
    return {partner.secret_field: "wrong-password"}
