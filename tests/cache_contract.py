"""What every token cache promises; each backend subclasses it."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import make_auth

from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import SimulatedPartner


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the engine said about its cache: level and message."""
    return [
        f"{entry.levelname} {entry.getMessage()}" for entry in caplog.records if "._engine." in entry.name
    ]


STRANGE_KEYS = ["a", "A", "a/b", "../a", "a b", "ä", "con", "a" * 300, "a.token", "%41", "a\\b", "a:b"]


class TokenCacheContract:
    """The promises of get, set, delete and lock. A subclass has the fixture `cache`."""

    threads_may_write = True
    outlives_the_object = True

    def same_place(self, cache: TokenCache) -> TokenCache:
        """Another object for the same place."""
        return pickle.loads(pickle.dumps(cache))

    def test_an_unknown_key_is_a_miss(self, cache: TokenCache) -> None:
        """What was never kept is None, not an error."""
        assert cache.get("nobody") is None

    @pytest.mark.parametrize("value", [b"", b"\x00", bytes(range(256)), b"x" * 50_000])
    def test_bytes_come_back_as_they_were(self, cache: TokenCache, value: bytes) -> None:
        """Any bytes are kept, the last under a key win."""
        cache.set("key", b"older")
        cache.set("key", value)
        assert cache.get("key") == value

    def test_keys_are_all_different(self, cache: TokenCache) -> None:
        """Keys that a file name or a URL could not tell apart are kept apart."""
        for number, key in enumerate(STRANGE_KEYS):
            cache.set(key, b"%d" % number)
        assert [cache.get(key) for key in STRANGE_KEYS] == [b"%d" % n for n in range(len(STRANGE_KEYS))]

    def test_delete(self, cache: TokenCache) -> None:
        """A deleted key is a miss, the others stay, and deleting it again is no error."""
        cache.set("key", b"value")
        cache.set("other", b"other")
        cache.delete("key")
        cache.delete("key")
        assert (cache.get("key"), cache.get("other")) == (None, b"other")

    def test_an_entry_ends_with_its_ttl(self, cache: TokenCache) -> None:
        """An entry past its end is a miss; one with a long or no ttl is not."""
        cache.set("short", b"value", ttl=0.2)
        cache.set("long", b"value", ttl=3600)
        cache.set("endless", b"value")
        deadline = time.monotonic() + 10
        while cache.get("short") is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [cache.get(key) for key in ("short", "long", "endless")] == [None, b"value", b"value"]

    def test_a_new_value_has_its_own_ttl(self, cache: TokenCache) -> None:
        """The end of an entry does not hold for the one that replaces it."""
        cache.set("key", b"older", ttl=0.05)
        cache.set("key", b"newer")
        time.sleep(0.1)
        assert cache.get("key") == b"newer"

    def test_another_object_sees_the_same_entries(self, cache: TokenCache) -> None:
        """Two objects for one place share what is kept there, as two processes do."""
        if not self.outlives_the_object:
            pytest.skip("memory is this object's own")
        other = self.same_place(cache)
        assert other is not cache
        cache.set("key", b"value")
        assert other.get("key") == b"value"
        other.delete("key")
        assert cache.get("key") is None

    def test_a_lock_has_one_holder(self, cache: TokenCache) -> None:
        """While it is held, another gets False after the limit; once it is free, True."""
        other = self.same_place(cache) if self.outlives_the_object else cache
        with cache.lock("key", 5) as held:
            first = bool(held)
            started = time.monotonic()
            with ThreadPoolExecutor(1) as pool:
                second = pool.submit(_take, other, "key", 0.3).result()
            took = time.monotonic() - started
            elsewhere = _take(other, "other key", 0.3)
        third = _take(other, "key", 5)
        assert (first, second, elsewhere, third) == (True, False, True, True)
        assert 0.2 < took < 5

    def test_a_lock_that_was_not_had_leaves_the_holder_alone(self, cache: TokenCache) -> None:
        """Going on without the lock does not take it from its holder."""
        with cache.lock("key", 5), ThreadPoolExecutor(1) as pool:
            taken = [pool.submit(_take, cache, "key", 0.1).result() for _ in range(2)]
        assert taken == [False, False]

    def test_a_lock_is_free_after_an_exception(self, cache: TokenCache) -> None:
        """The holder's own error passes through and frees the lock."""
        with pytest.raises(ZeroDivisionError), cache.lock("key", 5):
            1 / 0  # noqa: B018  # the error is what is wanted
        assert _take(cache, "key", 0.5)

    def test_a_lock_is_no_entry(self, cache: TokenCache) -> None:
        """Lock and entry of one key do not touch each other."""
        with cache.lock("key", 5):
            assert cache.get("key") is None
            cache.set("key", b"value")
            cache.delete("key")
            with ThreadPoolExecutor(1) as pool:
                assert not pool.submit(_take, cache, "key", 0.1).result()

    def test_threads_exclude_each_other(self, cache: TokenCache) -> None:
        """Eight threads that read, wait and write under the lock lose no count."""
        cache.set("count", b"0")
        together = threading.Barrier(8)

        def count() -> None:
            together.wait()
            for _ in range(4):
                with cache.lock("count", 60) as held:
                    assert held
                    seen = int(cache.get("count") or b"0")
                    time.sleep(0.001)
                    cache.set("count", b"%d" % (seen + 1))

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(count) for _ in range(8)]:
                done.result()
        assert cache.get("count") == b"32"

    def test_readers_see_whole_values(self, cache: TokenCache) -> None:
        """While one thread writes over and over, another never reads half of a value."""
        if not self.threads_may_write:
            pytest.skip("this backend's own files are not written whole")
        values = {b"a" * 20_000, b"b" * 40_000}
        cache.set("key", b"a" * 20_000)

        def write() -> None:
            for _ in range(50):
                for value in values:
                    cache.set("key", value)

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            while not writing.done():
                assert cache.get("key") in values
            writing.result()

    def test_a_copy_is_the_cache_itself(self, cache: TokenCache) -> None:
        """A copied or deep-copied session goes on with the same cache."""
        assert copy.copy(cache) is cache
        assert copy.deepcopy([cache])[0] is cache

    def test_a_pickle_takes_no_token_along(self, cache: TokenCache, simulator: object) -> None:
        """A cache that has been used pickles, and the pickle holds neither token nor secret."""
        partner: SimulatedPartner = simulator.fiserv_boarding  # type: ignore[attr-defined]
        auth = make_auth(partner, cache=cache)
        value = auth.token().value
        pickled = pickle.dumps(cache)
        assert value.encode() not in pickled
        assert partner.credentials["password"].encode() not in pickled
        if self.outlives_the_object:
            assert make_auth(partner, cache=pickle.loads(pickled)).token().value == value


def _take(cache: TokenCache, key: str, limit: float) -> bool:
    with cache.lock(key, limit) as held:
        return bool(held)
