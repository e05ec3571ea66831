"""Fleets on a Redis that is well, however it is run: one login for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import make_auth, wrong_secret
from fleet import Fleet
from redis_topologies import TOPOLOGIES

from requests_partnerauth import RedisTokenCache
from requests_partnerauth.simulator import PartnerSimulator


@pytest.fixture(params=TOPOLOGIES)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisTokenCache]:
    """A cache on each of them in turn."""
    with TOPOLOGIES[request.param](tmp_path) as cache:
        yield cache


def test_one_login_for_the_fleet(simulator: PartnerSimulator, cache: RedisTokenCache) -> None:
    """Eight processes of eight threads, cold and after revocations, one live session: one login each."""
    partner = simulator.rp_gateway
    partner.one_session = True
    partner.login_delay = 0.3
    auth = make_auth(partner, cache=cache)
    with Fleet(auth, f"{partner.base_url}/orders", processes=8, threads=8) as fleet:
        for logins in (1, 2, 3):
            fleet.order("calls", 3)
            assert fleet.answers() == {"good": 192}
            assert partner.logins == logins
            partner.revoke()


def test_one_attempt_for_the_fleet(simulator: PartnerSimulator, cache: RedisTokenCache) -> None:
    """A wrong password is tried once, and everyone learns of it."""
    partner = simulator.rp_gateway
    partner.login_delay = 0.3
    auth = make_auth(partner, cache=cache, **wrong_secret(partner))
    with Fleet(auth, f"{partner.base_url}/orders", processes=8, threads=8) as fleet:
        fleet.order("calls", 3)
        assert fleet.answers() == {"LoginRejected": 192}
    assert partner.login_attempts == 1
