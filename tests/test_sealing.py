"""The seal on what leaves the process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import make_auth, wrong_secret
from manual_clock import ManualClock

from requests_partnerauth import FileTokenCache, LoginRejected, PartnerAuth
from requests_partnerauth.caches import _sealing
from requests_partnerauth.caches._ending import until_end, with_end
from requests_partnerauth.caches._sealing import Seal
from requests_partnerauth.simulator import PartnerSimulator

SECRET = 'p+%&=#é:ü "\\'


@pytest.fixture(scope="module")
def seal() -> Seal:
    """The seal of one account."""
    return Seal.of("account", SECRET)


@pytest.mark.parametrize("value", [b"", b"\x00", bytes(range(256)), b"x" * 100_000])
def test_what_is_closed_opens(seal: Seal, value: bytes) -> None:
    """Any bytes come back from their envelope, which does not show them."""
    sealed = seal.close(value, "key")
    assert seal.open(sealed, "key") == value
    assert len(value) < 2 or value not in sealed


def test_no_two_envelopes_are_alike(seal: Seal) -> None:
    """Each entry has a salt and a nonce of its own: a value is never sealed to the same bytes twice."""
    envelopes = [seal.close(b"value", "key") for _ in range(50)]
    for begin, end in ((3, 19), (19, 31), (31, None)):
        assert len({envelope[begin:end] for envelope in envelopes}) == 50


def test_others_do_not_open_it(seal: Seal) -> None:
    """Another secret, another account and another key are all locked out."""
    # Promise: other-secret
    sealed = seal.close(b"value", "key")
    assert seal.open(sealed, "other key") is None
    assert Seal.of("account", "other").open(sealed, "key") is None
    assert Seal.of("other account", SECRET).open(sealed, "key") is None


def test_every_truncation_is_unreadable(seal: Seal) -> None:
    """An envelope cut off anywhere, or with something after it, does not open."""
    sealed = seal.close(b"value", "key")
    assert [seal.open(sealed[:length], "key") for length in range(len(sealed))] == [None] * len(sealed)
    assert seal.open(sealed + b"\x00", "key") is None


def test_every_flipped_bit_is_noticed(seal: Seal) -> None:
    """No byte of the envelope can be changed: version, salt, nonce, content and tag are all authenticated."""
    sealed = seal.close(b"value", "key")
    for place in range(len(sealed)):
        for bit in (0x01, 0x80):
            changed = bytearray(sealed)
            changed[place] ^= bit
            assert seal.open(bytes(changed), "key") is None


@pytest.mark.parametrize(
    "foreign", [b"", b"PA1", b"PA0" + b"x" * 60, b"{}", "text", None, 3, b"PA1" + b"x" * 60]
)
def test_foreign_things_are_unreadable(seal: Seal, foreign: Any) -> None:
    """Whatever this seal did not close is None, not an error."""
    assert seal.open(foreign, "key") is None


def test_another_version_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later envelope neither opens the older one nor takes its place: the two live side by side."""
    older = Seal(b"root" * 8)
    sealed = older.close(b"value", "key")
    monkeypatch.setattr(_sealing, "_VERSION", b"PA2")
    newer = Seal(b"root" * 8)
    assert newer.name != older.name
    assert newer.open(sealed, "key") is None


def test_the_name_follows_account_and_secret(seal: Seal) -> None:
    """Every process comes to the same name; another secret or account has another."""
    code = "import sys, requests_partnerauth.caches._sealing as s; print(s.Seal.of(*sys.argv[1:]).name)"
    run = subprocess.run(
        [sys.executable, "-c", code, "account", SECRET], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == seal.name
    assert len({seal.name, Seal.of("account", "other").name, Seal.of("other account", SECRET).name}) == 3


def test_the_name_is_no_fast_digest(seal: Seal) -> None:
    """The name can't be checked against a guessed password with any hash that is cheap to compute."""
    # Promise: no-fast-guess
    parts = [SECRET.encode(), b"account"]
    guesses = [parts[0], parts[0] + parts[1], parts[1] + parts[0], repr(("account", SECRET)).encode()]
    for algorithm in hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}:
        for guess in guesses:
            assert hashlib.new(algorithm, guess).hexdigest()[:40] not in seal.name


def test_nothing_keeps_the_secret(seal: Seal) -> None:
    """A derivation is remembered under a keyed digest; the repr shows neither secret nor root."""
    assert all(SECRET.encode() not in known_as for known_as in _sealing._seals)
    assert SECRET not in repr(_sealing._seals)
    assert seal._root.hex() not in repr(seal)
    assert hashlib.sha256(repr(("account", SECRET)).encode()).digest() not in _sealing._seals


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The salts of all Scrypt derivations from now on."""
    salts: list[bytes] = []
    real: Callable[..., Any] = _sealing.Scrypt

    def counting(*, salt: bytes, n: int, **arguments: int) -> Any:
        assert n >= 2**15
        salts.append(salt)
        return real(salt=salt, n=n, **arguments)

    monkeypatch.setattr(_sealing, "Scrypt", counting)
    return salts


def test_the_derivation_is_paid_once(
    simulator: PartnerSimulator, tmp_path: Path, session: requests.Session, derivations: list[bytes]
) -> None:
    """However many auths, caches, logins and requests: an account derives its key once in a process."""
    partner = simulator.bex
    for _ in range(3):
        auth = make_auth(partner, cache=FileTokenCache(tmp_path))
        for _ in range(3):
            partner.revoke()
            assert session.get(f"{partner.base_url}/orders", auth=auth).status_code == 200
    assert len(derivations) == 1


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that goes through many passwords does not keep a key for each."""
    monkeypatch.setattr(_sealing, "_MOST_SEALS", 2)
    for number in range(4):
        Seal.of("account", f"password {number}")
    assert len(_sealing._seals) == 2


def test_threads_share_a_seal() -> None:
    """Threads that ask at once get one and the same."""
    with ThreadPoolExecutor(4) as pool:
        seals = list(pool.map(lambda _: Seal.of("account", "asked at once"), range(4)))
    assert len(set(map(id, seals))) == 1


@pytest.mark.parametrize("refused", [False, True])
def test_no_end_outside_the_seal_decides(
    simulator: PartnerSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """Who moves the end that stands in front of an entry prolongs nothing: the sealed one holds."""
    # Promise: sealed-end
    partner = simulator.fiserv_boarding
    partner.ttl = 10
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    arguments = wrong_secret(partner) if refused else {}

    def log_in() -> None:
        with suppress(LoginRejected):
            make_auth(partner, cache=FileTokenCache(tmp_path), rejection_cooldown=600, **arguments).token()

    log_in()
    log_in()
    assert partner.login_attempts == 1
    (file,) = tmp_path.glob("*.token")
    sealed = until_end(file.read_bytes())
    assert sealed is not None
    file.write_bytes(with_end(sealed, None))
    clock.advance(700)
    log_in()
    assert partner.login_attempts == 2
