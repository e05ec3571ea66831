"""Several processes that share an account: one login for all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from conftest import make_auth, wrong_secret
from fleet import Fleet
from held import Held
from processes import LOG_IN, pickled, python
from together import wait_until

from requests_partnerauth import FileTokenCache, KeyringTokenCache, RedisTokenCache
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import PartnerSimulator


@pytest.fixture(params=["file", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> TokenCache:
    """A cache that processes share."""
    if request.param == "file":
        return FileTokenCache(tmp_path / "tokens")
    return RedisTokenCache.from_url(request.getfixturevalue("redis_server").url)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rp-gateway", "bex", "fiserv-partner"])
def test_one_login_for_all_processes(simulator: PartnerSimulator, cache: TokenCache, name: str) -> None:
    """Four processes of eight threads with five calls each: one login, one more after a revocation."""
    partner = simulator.partners[name]
    partner.one_session = True
    partner.login_delay = 0.3
    auth = make_auth(partner, cache=cache)
    with Fleet(auth, f"{partner.base_url}/orders", processes=4, threads=8) as fleet:
        for logins in (1, 2):
            fleet.order("calls", 5)
            assert fleet.answers() == {"good": 160}
            assert partner.logins == logins
            partner.revoke()
    assert partner.refused_logins == 0


@pytest.mark.slow
def test_one_attempt_for_all_processes(simulator: PartnerSimulator, cache: TokenCache) -> None:
    """Four processes of four threads with a wrong password: one attempt, and everyone learns of it."""
    partner = simulator.fiserv_partner
    partner.login_delay = 0.3
    auth = make_auth(partner, cache=cache, **wrong_secret(partner))
    with Fleet(auth, f"{partner.base_url}/orders", processes=4, threads=4) as fleet:
        fleet.order("calls", 5)
        assert fleet.answers() == {"LoginRejected": 80}
    assert partner.login_attempts == 1


@pytest.mark.slow
def test_a_fleet_goes_through_many_expiries(simulator: PartnerSimulator, redis_server: object) -> None:
    """While processes call without a pause, every expiry costs one login and no bad response."""
    partner = simulator.bex
    partner.one_session = True
    cache = RedisTokenCache.from_url(redis_server.url)  # type: ignore[attr-defined]
    with Fleet(
        make_auth(partner, cache=cache), f"{partner.base_url}/orders", processes=4, threads=8
    ) as fleet:
        fleet.order("seconds", 8)
        wait_until(lambda: partner.logins == 1)
        for expiries in (1, 2, 3):
            time.sleep(2)
            partner.revoke()
            wait_until(lambda expiries=expiries: partner.logins == 1 + expiries, 10)
        answers = fleet.answers()
    assert answers.keys() == {"good"}
    assert partner.logins == 4


def test_a_waiting_process_gets_the_holders_token(simulator: PartnerSimulator, cache: TokenCache) -> None:
    """Whoever comes while another process logs in waits for it and uses its token."""
    partner = simulator.rp_gateway
    auth = make_auth(partner, cache=cache)
    held = Held(partner)
    with python(LOG_IN, pickled(auth)) as first:
        held.wait()
        with python(LOG_IN, pickled(auth)) as second:
            assert first.stdout is not None
            assert second.stdout is not None
            assert first.stdout.readline() == second.stdout.readline() == "asking\n"
            # Nothing tells from outside that it waits. Were it not to, it would log in during this second.
            threading.Timer(1.0, held.let_go).start()
            assert first.stdout.read() == second.stdout.read() != ""
    assert partner.login_attempts == 1


def test_processes_share_a_keyring(
    simulator: PartnerSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two scripts with one keyring: the second one waits for the first one's login and uses its token."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    test_a_waiting_process_gets_the_holders_token(simulator, KeyringTokenCache())


def test_a_stored_token_waits_for_no_lock(simulator: PartnerSimulator, cache: TokenCache) -> None:
    """A process that finds a good token uses it, though another one is just refreshing it."""
    partner = simulator.fiserv_boarding
    partner.ttl = 30
    auth = make_auth(partner, cache=cache)
    token = auth.token()
    started = time.monotonic()
    with auth._shared_account()._store.lock(60), python(LOG_IN, pickled(auth)) as other:
        assert other.stdout is not None
        found = other.stdout.read().split()
    assert time.monotonic() - started < 25
    assert found == ["asking", str(token.issued_at)]
    assert partner.logins == 1
