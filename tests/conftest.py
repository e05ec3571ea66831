"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


def make_auth(partner: SimulatedPartner, **arguments: Any) -> PartnerAuth:
    """An auth for the simulated partner's good account, with a memory of its own unless told otherwise."""
    arguments = {"cache": MemoryTokenCache(), **partner.credentials, **arguments}
    return AUTH_CLASSES[partner.name](**arguments)


def wrong_secret(partner: SimulatedPartner) -> dict[str, Any]:
    """The argument that makes an auth's credentials wrong."""
    if partner.secret_field == "key":
        return {"key": "d3Jvbmcga2V5IHdyb25nIGtleSB3cm9uZyBrZXkgISE="}
    return {partner.secret_field: "wrong-password"}
