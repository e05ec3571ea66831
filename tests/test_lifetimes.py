"""Lifetimes as partners state them, odd ones too: requests go through, and no login is made per request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from conftest import make_auth
from manual_clock import ManualClock, join_refreshes
from placed import PlacedAuth, home
from together import is_good

from requests_partnerauth import HeaderPlacement, PartnerAuth, Token
from requests_partnerauth.simulator import ABSENT, PartnerSimulator


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    return clock


@pytest.mark.parametrize("name", ["fiserv-boarding", "fiserv-partner"])
@pytest.mark.parametrize(
    "ttl", [ABSENT, 0, -5, "30", "0", "soon", "", None, True, False, [30], {"ttl": 3}, 10**12, 1e308, 30]
)
def test_requests_go_through_without_a_login_each(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock, name: str, ttl: Any
) -> None:
    """Whatever stands in `ttl`, ten requests over a minute make one login."""
    partner = simulator.partners[name]
    partner.ttl = ttl
    session.auth = make_auth(partner)
    for _ in range(10):
        assert is_good(session.get(f"{partner.base_url}/echo"))
        clock.advance(6)
    join_refreshes()
    assert (partner.login_attempts, partner.refusals) == (1, 0)


@pytest.mark.parametrize(
    ("ttl", "unit", "lifetime"),
    [
        (30, timedelta(minutes=1), 1800.0),
        ("30", timedelta(minutes=1), 1800.0),
        ("1.5", timedelta(minutes=1), 90.0),
        (30, timedelta(seconds=1), 30.0),
        (0.001, timedelta(seconds=1), 1.0),
        (10**12, timedelta(minutes=1), 6e13),
        (0, timedelta(minutes=1), None),
        (-5, timedelta(minutes=1), None),
        ("soon", timedelta(minutes=1), None),
        (True, timedelta(minutes=1), None),
        ("nan", timedelta(minutes=1), None),
        ("inf", timedelta(minutes=1), None),
    ],
)
def test_the_token_tells_its_end(
    simulator: PartnerSimulator, clock: ManualClock, ttl: Any, unit: timedelta, lifetime: float | None
) -> None:
    """A positive number counts in units, under a second as a second; anything else is no known end."""
    partner = simulator.fiserv_boarding
    partner.ttl = ttl
    token = make_auth(partner, ttl_unit=unit).token()
    if lifetime is None:
        assert token.expires_at is None
    else:
        assert token.expires_at == pytest.approx(clock.wall() + lifetime)


@pytest.mark.parametrize("lifetime", [0.2, 1, 2, 5])
def test_short_lives_are_lived_out(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock, lifetime: float
) -> None:
    """Short-lived tokens are neither sent past their end nor dropped before their last fifth."""
    partner = simulator.fiserv_boarding
    partner.ttl, partner.clock = lifetime, clock.monotonic
    partner.lifetime = max(1.0, lifetime)
    session.auth = make_auth(partner, ttl_unit=timedelta(seconds=1))
    for _ in range(50):
        assert is_good(session.get(f"{partner.base_url}/echo"))
        join_refreshes()
        clock.advance(0.21)
    assert partner.refusals == 0
    assert partner.login_attempts <= 50 * 0.21 / (0.8 * partner.lifetime) + 2


def test_a_wrong_assumption_about_the_unit_heals(
    simulator: PartnerSimulator, session: requests.Session, clock: ManualClock
) -> None:
    """Where `ttl` counts seconds after all, the refusal renews the token: every request is good."""
    partner = simulator.fiserv_partner
    partner.clock, partner.lifetime, partner.ttl = clock.monotonic, 30.0, 30
    session.auth = make_auth(partner)
    for _ in range(10):
        assert is_good(session.get(f"{partner.base_url}/echo"))
        clock.advance(20)
    assert partner.logins <= 6


def test_an_end_that_the_partner_names_is_believed(session: requests.Session, clock: ManualClock) -> None:
    """A token an hour old that has 600 s left is used for 600 s, then another is asked for."""

    class HourOld(PlacedAuth):
        def parse_login(self, response: requests.Response) -> Token:
            value = super().parse_login(response).value
            return Token(value, issued_at=clock.wall() - 3600, expires_at=clock.wall() + 600)

    with home() as partner:
        session.auth = HourOld(partner.url, HeaderPlacement("X-Token"))
        for past in (0, 539):
            clock.advance(past)
            session.get(f"{partner.url}/x")
            join_refreshes()
            assert partner.logins == 1
        clock.advance(62)
        session.get(f"{partner.url}/x")
        assert partner.logins == 2
