"""What a token and an endpoint are worth, right after the cache that processes share was away."""

from __future__ import annotations

import threading

import pytest
import requests
from conftest import make_auth
from manual_clock import SteppingClock
from together import Background, is_good

from requests_partnerauth import MemoryTokenCache, PartnerAuth
from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner


class Restarted(MemoryTokenCache):
    """A cache that can be away, come back empty, and hold up one look into it.

    Args:
        place: What another process's cache keeps, to share it.
    """

    def __init__(self, place: Restarted | None = None) -> None:
        super().__init__()
        if place is not None:
            self._entries = place._entries
        self.is_away = False
        self.holds_up = False
        self.looked = threading.Event()
        self.go_on = threading.Event()

    def get(self, key: str) -> bytes | None:
        if self.is_away:
            raise OSError("connection refused")
        kept = super().get(key)
        if self.holds_up:
            self.holds_up = False
            self.looked.set()
            self.go_on.wait(30)
        return kept

    def clear(self) -> None:
        """All entries are lost."""
        self._entries.clear()


class Shaken:
    """An auth whose cache is back after it was away, and an endpoint of which it knows refusals alone."""

    def __init__(self, partner: SimulatedPartner, clock: SteppingClock) -> None:
        self.partner = partner
        self.cache = Restarted()
        self.auth = make_auth(partner, cache=self.cache)
        self.refuses = True
        partner.answer("/fickle", lambda call: partner.expiry_signals["status"]() if self.refuses else None)
        assert self.call("/fickle").status_code == 401
        self.cache.is_away = True
        assert self.call("/fickle").status_code == 401
        self.cache.is_away = False
        clock.ahead += 11
        assert partner.logins == 2

    def call(self, path: str) -> requests.Response:
        """One call, over a connection of its own."""
        return requests.get(f"{self.partner.base_url}{path}", auth=self.auth, timeout=30)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteppingClock:
    """The clock of all auths made in this test."""
    clock = SteppingClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    return clock


@pytest.fixture
def shaken(simulator: PartnerSimulator, clock: SteppingClock) -> Shaken:
    """An account whose cache is just back, with a token, and an endpoint that cools."""
    return Shaken(simulator.bex, clock)


def test_a_token_that_took_the_refused_ones_place_meanwhile_is_kept(shaken: Shaken) -> None:
    """A refusal whose look into the cache outlasts another thread's login leaves the new token alone."""
    shaken.cache.clear()
    shaken.cache.holds_up = True
    late = Background(lambda: shaken.call("/fickle"))
    assert shaken.cache.looked.wait(60)
    shaken.refuses = False
    shaken.partner.revoke()
    assert is_good(shaken.call("/echo"))
    shaken.cache.go_on.set()
    assert is_good(late.result())
    assert shaken.partner.logins == 3


def test_an_endpoint_that_cools_is_judged_anew(shaken: Shaken) -> None:
    """What it refused while no process knew of the others' logins is healed by one, not handed out."""
    shaken.refuses = False
    shaken.partner.revoke()
    assert is_good(shaken.call("/fickle"))
    assert shaken.partner.logins == 3


def test_an_endpoint_that_goes_on_refusing_is_judged_anew_once_in_ten_seconds(
    shaken: Shaken, clock: SteppingClock
) -> None:
    """20 calls to it, and good ones between: a login for each time that it is judged, and none is lost."""
    for logins in (3, 4, 5):
        for _ in range(20):
            assert shaken.call("/fickle").status_code == 401
            assert is_good(shaken.call("/echo"))
        assert shaken.partner.logins == logins
        clock.ahead += 10.1


def test_after_a_while_a_cache_that_was_away_means_nothing(shaken: Shaken, clock: SteppingClock) -> None:
    """40 seconds after it failed last an endpoint cools for as long as anywhere: one login in 29 seconds."""
    clock.ahead += 41
    for _ in range(3):
        assert shaken.call("/fickle").status_code == 401
        assert shaken.partner.logins == 3
        clock.ahead += 9


def test_a_token_found_in_it_that_has_ended_meanwhile_is_no_refusal(shaken: Shaken) -> None:
    """Another process's newer token is tried first; where it is refused too, a login follows at once."""
    worker = make_auth(shaken.partner, cache=Restarted(shaken.cache))
    for _ in range(2):
        assert is_good(requests.get(f"{shaken.partner.base_url}/echo", auth=worker, timeout=30))
        shaken.partner.revoke()
    assert shaken.partner.logins == 3
    assert is_good(shaken.call("/echo"))
    assert shaken.partner.logins == 4
