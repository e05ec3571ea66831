"""What auths of several processes find in a cache that they share, and what is stored there."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth, wrong_secret
from together import is_good

from requests_partnerauth import (
    FileTokenCache,
    KeyringTokenCache,
    LoginRejected,
    MemoryTokenCache,
    RedisTokenCache,
)
from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner

PLACES = ["file", "redis", "keyring"]

# Each partner and each place in every run, all pairs of them in the full one.
everywhere = pytest.mark.parametrize(
    ("partner", "place"),
    [
        pytest.param(name, place, marks=() if place == "file" or name == "rp-gateway" else pytest.mark.slow)
        for name, place in itertools.product(sorted(AUTH_CLASSES), PLACES)
    ],
    indirect=True,
)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each place outside the process in turn."""
    if request.param == "file":
        return Place(lambda: FileTokenCache(tmp_path / "tokens"), lambda: _files(tmp_path / "tokens"))
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        return Place(lambda: RedisTokenCache.from_url(server.url), server.stored)
    request.getfixturevalue("file_keyring")
    return Place(KeyringTokenCache, lambda: _files(tmp_path))


class Place:
    """Somewhere outside the process: makes caches, each as a new process would, and shows what is there."""

    def __init__(self, new_cache: Any, stored: Any) -> None:
        self.new_cache = new_cache
        self.stored = stored


def _files(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@everywhere
def test_a_token_outlives_the_process(partner: SimulatedPartner, place: Place) -> None:
    """Whoever comes later with the same credentials finds the token, its end and its details; no login."""
    first = make_auth(partner, cache=place.new_cache()).token()
    later = make_auth(partner, cache=place.new_cache()).token()
    assert later == first
    assert later.details == first.details
    assert partner.logins == 1


@everywhere
def test_nothing_readable_is_stored(partner: SimulatedPartner, place: Place) -> None:
    """No stored byte or name holds the token, the secret or the user's name; refusals are sealed likewise."""
    # Promise: sealed
    auth = make_auth(partner, cache=place.new_cache())
    token = auth.token()
    with pytest.raises(LoginRejected) as rejected:
        make_auth(partner, cache=place.new_cache(), **wrong_secret(partner)).token()
    secrets = [token.value, token.refresh_token, rejected.value.partner_message, *auth.secrets()]
    secrets += [value for value in partner.credentials.values() if isinstance(value, str)]
    secrets += wrong_secret(partner).values()
    stored = place.stored()
    assert len(stored) >= 2 or "keyring" in str(stored)
    for name, content in stored.items():
        for secret in filter(None, secrets):
            if len(secret) > 3:
                assert secret.encode() not in content
                assert secret not in name


ORDER = {"clientTransactionId": "T-2", "amount": "2.00", "currencyCode": "INR"}
OTHERS: dict[str, list[dict[str, Any]]] = {
    "bex": [{"username": "other"}, {"password": "other"}, {"alternate_token": True}],
    "fiserv-boarding": [{"username": "other"}, {"password": "other"}],
    "fiserv-partner": [{"username": "other"}, {"password": "other"}, {"ain": "4700001"}],
    "fiserv-commerce-connect": [{"payload": {"transactionDetails": ORDER}}, {"merchant_id": "other"}],
    "rp-gateway": [{"username": "other"}, {"password": "other"}, {"uid": "OTHER"}, {"customer_id": "1"}],
}


@pytest.mark.parametrize(
    ("name", "other"), [(name, other) for name, others in OTHERS.items() for other in others], ids=str
)
def test_another_account_has_another_entry(
    simulator: PartnerSimulator, tmp_path: Path, name: str, other: dict[str, Any]
) -> None:
    """Whatever tells two accounts or secrets apart keeps their stored tokens apart; so does another host."""
    partner = simulator.partners[name]
    directory = tmp_path / "tokens"
    make_auth(partner, cache=FileTokenCache(directory)).token()
    partner.accounts[0].update(
        {field: value for field, value in other.items() if field in partner.accounts[0]}
    )
    make_auth(partner, cache=FileTokenCache(directory), **other).token()
    localhost = partner.base_url.replace("127.0.0.1", "localhost")
    make_auth(partner, cache=FileTokenCache(directory), base_url=localhost).token()
    assert partner.logins == 3
    assert len(list(directory.glob("*.token"))) == 3


@everywhere
def test_a_refusal_is_remembered_by_all(partner: SimulatedPartner, place: Place) -> None:
    """Credentials that one process saw refused are not tried by the next one, until somebody forgets it."""
    messages = []
    for _ in range(3):
        auth = make_auth(partner, cache=place.new_cache(), **wrong_secret(partner))
        with pytest.raises(LoginRejected) as rejected:
            auth.token()
        messages.append((str(rejected.value), rejected.value.code, rejected.value.partner_message))
    assert partner.login_attempts == 1
    assert len(set(messages)) == 1
    auth.forget()
    with pytest.raises(LoginRejected):
        make_auth(partner, cache=place.new_cache(), **wrong_secret(partner)).token()
    assert partner.login_attempts == 2


@everywhere
def test_forget_clears_the_place(partner: SimulatedPartner, place: Place) -> None:
    """After forget() the next process logs in."""
    auth = make_auth(partner, cache=place.new_cache())
    auth.token()
    auth.forget()
    make_auth(partner, cache=place.new_cache()).token()
    assert partner.logins == 2


@everywhere
def test_a_replaced_token_is_taken_over(partner: SimulatedPartner, place: Place, session: Any) -> None:
    """A process whose token is refused takes the one that another has logged in for meanwhile."""
    ours = make_auth(partner, cache=place.new_cache())
    theirs = make_auth(partner, cache=place.new_cache())
    assert ours.token().value == theirs.token().value
    partner.revoke()
    for auth in (theirs, ours):
        response = session.get(f"{partner.base_url}/orders", auth=auth)
        assert response.status_code == 200
        assert not auth.signals_expiry(response)
    assert partner.logins == 2
    assert ours.token().value == theirs.token().value


def test_a_found_token_that_is_refused_is_no_vain_refresh(
    simulator: PartnerSimulator, tmp_path: Path, session: Any
) -> None:
    """A process that slept through two expiries does not cool down on the stale token found: it logs in."""
    partner = simulator.bex
    sleeper = make_auth(partner, cache=FileTokenCache(tmp_path))
    worker = make_auth(partner, cache=FileTokenCache(tmp_path))
    url = f"{partner.base_url}/orders"
    for auth in (sleeper, worker):
        session.get(url, auth=auth)
    partner.revoke()
    assert session.get(url, auth=worker).status_code == 200
    partner.revoke()
    answers = [session.get(url, auth=sleeper).status_code for _ in range(2)]
    assert answers[1] == 200
    assert partner.logins == 3


def test_a_token_in_hand_touches_no_cache(simulator: PartnerSimulator, tmp_path: Path, session: Any) -> None:
    """Requests with a good token neither read nor write: the place may be gone altogether."""
    directory = tmp_path / "tokens"
    auth = make_auth(simulator.bex, cache=FileTokenCache(directory))
    auth.token()
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    for _ in range(5):
        assert session.get(f"{simulator.bex.base_url}/orders", auth=auth).status_code == 200
    assert not directory.exists()
    assert simulator.bex.logins == 1


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "foreign", "swapped"])
def test_a_damaged_entry_is_a_miss(
    simulator: PartnerSimulator, place: Place, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """Corrupt, truncated or foreign bytes cost one login and one warning; then there is a token again."""
    partner = simulator.bex
    cache = place.new_cache()
    seen: list[str] = []
    spied, cache.set = cache.set, lambda key, *rest: (seen.append(key), spied(key, *rest))[1]
    make_auth(partner, cache=cache).token()
    key = seen[0]
    kept = cache.get(key)
    assert kept is not None
    spied(
        key,
        {
            "empty": b"",
            "truncated": kept[:-1],
            "flipped": kept[:-1] + bytes([kept[-1] ^ 1]),
            "foreign": b"\x80\x04K\x01." * 20,
            "swapped": kept.replace(b"PA1", b"PA0"),
        }[damage],
    )
    again = make_auth(partner, cache=place.new_cache()).token()
    assert partner.logins == 2
    assert make_auth(partner, cache=place.new_cache()).token() == again
    assert [record.levelname for record in caplog.records if "unreadable" in record.msg] == ["WARNING"]


@pytest.mark.parametrize("place", ["redis", "keyring"], indirect=True)
def test_an_entry_of_more_than_8_mib_is_passed_over(place: Place) -> None:
    """As in a file: what is there is read as nothing, neither decoded nor unsealed, until it is replaced."""
    cache = place.new_cache()
    for value, read in ((b"x" * 6_300_000, b""), (b"value", b"value")):
        cache.set("key", value)
        assert cache.get("key") == read


def test_a_repaired_entry_that_breaks_again_is_told_again(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for each time that an entry became unreadable, not one for ever."""
    partner, cache, seen = simulator.bex, FileTokenCache(tmp_path / "tokens"), list[str]()
    spied, cache.set = cache.set, lambda key, *rest: (seen.append(key), spied(key, *rest))[1]
    auth = make_auth(partner, cache=cache)
    auth.token()
    for times in (1, 2):
        spied(seen[0], b"broken")
        for _ in ("broken", "repaired by the login"):
            partner.revoke()
            assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
        assert [record.levelname for record in caplog.records if "unreadable" in record.msg] == (
            ["WARNING"] * times
        )


def test_a_refusal_that_another_process_kept_ends_with_forget(
    simulator: PartnerSimulator, place: Place
) -> None:
    """Who read it in the cache tries at once when whoever kept it has forgotten it there."""
    partner = simulator.bex
    one, other = (make_auth(partner, cache=place.new_cache(), **wrong_secret(partner)) for _ in range(2))
    for auth in (one, other, other):
        with pytest.raises(LoginRejected):
            auth.token()
    assert partner.login_attempts == 1
    one.forget()
    with pytest.raises(LoginRejected):
        other.token()
    assert partner.login_attempts == 2


def test_all_auth_classes_are_tried() -> None:
    """The table of accounts that must be kept apart has every partner."""
    assert OTHERS.keys() == AUTH_CLASSES.keys()


def test_a_memory_of_ones_own_making_is_used(simulator: PartnerSimulator) -> None:
    """A subclass of the memory cache is told and asked like any other cache."""

    class Remembering(MemoryTokenCache):
        kept: ClassVar[dict[str, bytes]] = {}

        def get(self, key: str) -> bytes | None:
            return self.kept.get(key)

        def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
            self.kept[key] = value

    token = make_auth(simulator.bex, cache=Remembering()).token()
    assert [key.rpartition(".")[2] for key in Remembering.kept] == ["token"]
    assert make_auth(simulator.bex, cache=Remembering()).token() == token
    assert simulator.bex.logins == 1


@everywhere
def test_while_an_endpoint_cools_a_newer_token_is_taken(
    partner: SimulatedPartner, place: Place, session: requests.Session
) -> None:
    """Where one refuses a new token too, a token that another process got since is taken; no login."""
    partner.one_session = True
    mine, others = (make_auth(partner, cache=place.new_cache()) for _ in range(2))
    assert session.get(f"{partner.base_url}/always-refuse", auth=mine).status_code in (200, 401)
    partner.revoke()
    assert is_good(session.get(f"{partner.base_url}/echo", auth=others))
    logins = partner.logins
    for _ in range(3):
        assert is_good(session.get(f"{partner.base_url}/echo", auth=mine))
    assert partner.logins == logins


@everywhere
def test_two_processes_at_an_endpoint_that_always_refuses(
    partner: SimulatedPartner, place: Place, session: requests.Session
) -> None:
    """By turns with good calls, where a login ends the old session: every good call is good, few logins."""
    partner.one_session = True
    both = [make_auth(partner, cache=place.new_cache()) for _ in range(2)]
    for _ in range(10):
        for auth in both:
            assert is_good(session.get(f"{partner.base_url}/echo", auth=auth))
            assert not is_good(session.get(f"{partner.base_url}/always-refuse", auth=auth))
    assert partner.logins <= 3, "one, and one refresh for each process"


@everywhere
def test_what_one_forgets_the_other_forgets(partner: SimulatedPartner, place: Place) -> None:
    """A refusal that another process has seen ends with `forget()` in the first; one login is for both."""
    wrong = wrong_secret(partner)
    first, other = (make_auth(partner, cache=place.new_cache(), **wrong) for _ in range(2))
    for auth in (first, other, first, other):
        with pytest.raises(LoginRejected):
            auth.token()
    assert partner.login_attempts == 1
    partner.add_account(**wrong)
    first.forget()
    assert other.token() == first.token()
    assert partner.login_attempts == 2
