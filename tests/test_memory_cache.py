"""MemoryTokenCache: what it keeps, and which copies of it are one."""

from __future__ import annotations

import multiprocessing
import pickle
import time

import pytest
import requests
from conftest import make_auth
from together import together

from requests_partnerauth import MemoryTokenCache
from requests_partnerauth.caches import memory
from requests_partnerauth.simulator import PartnerSimulator


class Mine(MemoryTokenCache):
    """A user's subclass."""


@pytest.mark.parametrize("kind", [MemoryTokenCache, Mine])
def test_ended_entries_go(kind: type[MemoryTokenCache], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that goes through many accounts keeps no entry for longer than it is good."""
    cache = kind()
    for number in range(50):
        cache.set(f"short {number}", b"value", ttl=10)
    cache.set("long", b"value", ttl=100)
    cache.set("endless", b"value")
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + 50)
    cache.set("new", b"value", ttl=10)
    assert cache._entries.keys() == {"long", "endless", "new"}


def test_a_pickle_that_comes_home_is_the_cache_itself() -> None:
    """In the process where it was made."""
    cache = MemoryTokenCache()
    assert pickle.loads(pickle.dumps(cache)) is cache
    assert pickle.loads(pickle.dumps(Mine())) is not cache


def test_pickles_of_one_that_arrive_are_one() -> None:
    """Also where threads unpack them at once; those of another cache are another."""
    pickles = [pickle.dumps(MemoryTokenCache()) for _ in range(2)]
    arrived = together(16, lambda number: pickle.loads(pickles[number % 2]))
    assert len(set(map(id, arrived[::2]))) == len(set(map(id, arrived[1::2]))) == 1
    assert arrived[0] is not arrived[1]


def test_what_has_arrived_has_a_bound() -> None:
    """A worker that is sent ever new caches keeps the last ones alive, not all."""
    pickles = [pickle.dumps(MemoryTokenCache()) for _ in range(100)]
    for pickled in pickles:
        pickle.loads(pickled).set("key", b"value")
    assert len(memory._arrivals) <= 64
    kept = [pickle.loads(pickled).get("key") for pickled in reversed(pickles)]
    assert kept[:60] == [b"value"] * 60
    assert kept[-1] is None


def _call(task: tuple[requests.Session, str]) -> int:
    session, url = task
    return session.get(url, timeout=60).status_code


def test_the_tasks_of_a_pool_share_it(simulator: PartnerSimulator) -> None:
    """Twenty pickled sessions in two processes: two logins, as with the cache that there is by default."""
    partner = simulator.bex
    session = requests.Session()
    session.auth = make_auth(partner, cache=MemoryTokenCache())
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.map(_call, [(session, f"{partner.base_url}/orders")] * 20, chunksize=1)
    assert answers == [200] * 20
    assert partner.logins <= 2
