"""The token caches under their contract, and how they are built."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from cache_contract import TokenCacheContract
from conftest import make_auth
from redis_server import RedisServer

from requests_partnerauth import (
    BexAuth,
    FileTokenCache,
    KeyringTokenCache,
    MemoryTokenCache,
    RedisTokenCache,
)
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import SimulatedPartner


class TestMemoryTokenCache(TokenCacheContract):
    """Memory under the contract."""

    outlives_the_object = False

    @pytest.fixture
    def cache(self) -> TokenCache:
        return MemoryTokenCache()


class TestFileTokenCache(TokenCacheContract):
    """Files under the contract."""

    @pytest.fixture
    def cache(self, tmp_path: Path) -> TokenCache:
        return FileTokenCache(tmp_path / "tokens")


class TestRedisTokenCache(TokenCacheContract):
    """Redis under the contract, by URL."""

    @pytest.fixture
    def cache(self, redis_server: RedisServer) -> TokenCache:
        return RedisTokenCache.from_url(redis_server.url)


class TestRedisTokenCacheWithClient(TokenCacheContract):
    """Redis under the contract, with a client of the caller's that decodes responses."""

    @pytest.fixture
    def cache(self, redis_server: RedisServer) -> Iterator[TokenCache]:
        self.server = redis_server
        with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
            yield RedisTokenCache(client, prefix="app:")

    def same_place(self, cache: TokenCache) -> TokenCache:
        return RedisTokenCache.from_url(self.server.url, prefix="app:")

    def test_a_pickle_takes_no_token_along(self, cache: TokenCache, simulator: object) -> None:
        """A cache around a client can't be pickled, and says which can."""
        with pytest.raises(TypeError, match="from_url"):
            pickle.dumps(cache)


class TestKeyringTokenCache(TokenCacheContract):
    """A keyring under the contract, with a real backend that needs no desktop."""

    threads_may_write = False

    @pytest.fixture
    def cache(self, file_keyring: None) -> TokenCache:
        return KeyringTokenCache("a service")


class FourWords:
    """The least that a user's own cache may be: four methods and no base class."""

    def __init__(self) -> None:
        self.memory = MemoryTokenCache()
        self.get, self.set, self.delete = self.memory.get, self.memory.set, self.memory.delete
        self.lock = self.memory.lock


def test_four_words_make_a_cache(partner: SimulatedPartner) -> None:
    """A class of one's own needs no base class, and is given nothing but sealed bytes."""
    cache = FourWords()
    token = make_auth(partner, cache=cache).token()
    kept = [value for value, _ in cache.memory._entries.values()]
    assert len(kept) == 1
    assert token.value.encode() not in kept[0]


@pytest.mark.parametrize("kind", [FileTokenCache, RedisTokenCache, KeyringTokenCache])
def test_reprs_hold_no_password(kind: type, tmp_path: Path, file_keyring: None) -> None:
    """A cache's repr names its place, never the password in its URL."""
    url = "redis://:swordfish@127.0.0.1:1/0"
    cache = {
        FileTokenCache: lambda: FileTokenCache(tmp_path),
        RedisTokenCache: lambda: RedisTokenCache.from_url(url),
        KeyringTokenCache: KeyringTokenCache,
    }[kind]()
    assert repr(cache).startswith(kind.__name__)
    assert "swordfish" not in repr(cache)


@pytest.mark.parametrize(
    ("build", "argument"),
    [
        (lambda: FileTokenCache(""), "directory"),
        (lambda: FileTokenCache(3), "directory"),
        (lambda: RedisTokenCache("redis://localhost"), "client"),
        (lambda: RedisTokenCache(redis.asyncio.Redis()), "client"),
        (lambda: RedisTokenCache(redis.Redis(), prefix=None), "prefix"),
        (lambda: RedisTokenCache.from_url("http://:swordfish@localhost"), "url"),
        (lambda: RedisTokenCache.from_url("redis://:sword/fish@localhost"), "url"),
        (lambda: RedisTokenCache.from_url(None), "url"),
        (lambda: KeyringTokenCache(""), "service"),
    ],
)
def test_bad_arguments_fail_by_name(build: Any, argument: str) -> None:
    """A bad argument is refused at once, by its name and without its value."""
    with pytest.raises(ValueError, match=f"^{argument}: ") as error:
        build()
    assert "sword" not in str(error.value)
    assert error.value.__context__ is None


UNKNOWN = "redis-py knows no such option as one behind its ?; ssl_... goes with rediss://"
VALUE = "redis-py does not take the value of an option behind its ?"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:swordfish@h/0?socket_timeot=5", UNKNOWN),
        ("redis://h/0?swordfish=bar", UNKNOWN),
        ("unix://:swordfish@/a.sock?foo=bar", UNKNOWN),
        ("redis://h/0?ssl_ca_certs=/swordfish.pem", UNKNOWN),
        ("rediss://h/0?ssl_cert_reqs=swordfish", VALUE),
        ("redis://h/0?socket_timeout=swordfish", VALUE),
        ("redis://h/0?protocol=9", VALUE),
        ("redis://h:swordfish/0?protocol=3", "a Redis URL is wanted: redis://, rediss:// or unix://"),
    ],
)
def test_options_of_a_redis_url(url: str, words: str) -> None:
    """What redis-py would find out at the first use of a cache is told when it is made, and not quoted."""
    with pytest.raises(ValueError, match=f"^{re.escape(f'url: {words}')}$") as error:
        RedisTokenCache.from_url(url)
    assert error.value.__context__ is None
    with pytest.raises(ValueError, match=f"^cache: {re.escape(words)}$") as error:
        BexAuth("u", "p", cache=url)
    assert error.value.__context__ is None


def test_options_that_redis_takes() -> None:
    """Options that are good are looked at without a word to the host or a look at a file."""
    RedisTokenCache.from_url("redis://nowhere.invalid/0?socket_timeout=5&health_check_interval=9&protocol=3")
    RedisTokenCache.from_url("rediss://nowhere.invalid/0?ssl_cert_reqs=required&ssl_ca_certs=/nowhere.pem")


_WITHOUT = """
import sys
sys.modules[{module!r}] = None
import requests_partnerauth
try:
    {build}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "build", "extra"),
    [
        ("filelock", "requests_partnerauth.FileTokenCache('x')", "file"),
        ("platformdirs", "requests_partnerauth.FileTokenCache()", "file"),
        ("redis", "requests_partnerauth.RedisTokenCache(None)", "redis"),
        ("redis", "requests_partnerauth.RedisTokenCache.from_url('redis://localhost')", "redis"),
        ("keyring", "requests_partnerauth.KeyringTokenCache()", "keyring"),
    ],
)
def test_a_missing_extra_says_what_to_type(module: str, build: str, extra: str) -> None:
    """Without its package, building a cache names the package and the pip line."""
    said = _python(_WITHOUT.format(module=module, build=build))
    assert module in said
    assert f'pip install "requests-partnerauth[{extra}]"' in said


def test_the_keyring_does_without_filelock() -> None:
    """Without filelock, the keyring's lock is one of this process."""
    code = "import sys; sys.modules['filelock'] = None; import requests_partnerauth as package\n"
    assert _python(code + "with package.KeyringTokenCache().lock('key', 1) as held: print(held)") == "True"


def test_importing_the_package_imports_no_extra() -> None:
    """`import requests_partnerauth` imports neither cryptography nor an optional dependency."""
    code = "import sys, requests_partnerauth; print(sorted(sys.modules))"
    loaded = _python(code)
    for module in ("cryptography", "filelock", "platformdirs", "redis", "keyring"):
        assert f"'{module}'" not in loaded


def _python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()
