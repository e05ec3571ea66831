"""The seal on whatever leaves the process: encrypted and authenticated under the account's own secret."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_VERSION = b"PA1"
_SALT, _NONCE, _TAG = 16, 12, 16
_OVERHEAD = len(_VERSION) + _SALT + _NONCE + _TAG
_MOST_SEALS = 256

_process_key = os.urandom(32)
_seals: dict[bytes, Seal] = {}


class Seal:
    """Seals the entries of one account: whoever knows its secret opens them, nobody else does.

    Its root comes from the secret by Scrypt, which is paid once per process and account; each entry has a
    salt and a key of its own, and opens under its own key only. `name` is how the account's entries are
    called: it tells nothing about the secret that is cheaper to try than Scrypt, and another secret or
    another version of the envelope has another name.

    An envelope is: version, salt, nonce, AES-GCM of the value with version and key as associated data.
    """

    __slots__ = ("_root", "name")

    def __init__(self, root: bytes) -> None:
        self._root = root
        self.name = self._derived(None, b"name of the entries", 20).hex()

    @classmethod
    def of(cls, name: str, secret: str) -> Seal:
        """The seal of an account; the same one for every further call in this process.

        Args:
            name: What tells the account from all others; no secret.
            secret: The account's secret.
        """
        known_as = hmac.digest(_process_key, repr((name, secret)).encode(), "sha256")
        seal = _seals.get(known_as)
        if seal is None:
            # No lock: a fork could leave one held for good. At worst two threads derive the same.
            seal = _seals.setdefault(known_as, cls(_root_of(name, secret)))
            for oldest in list(_seals)[:-_MOST_SEALS]:
                _seals.pop(oldest, None)
        return seal

    def close(self, value: bytes, key: str) -> bytes:
        """The sealed value, to be kept under this key."""
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        cipher = AESGCM(self._derived(salt, key.encode(), 32))
        return _VERSION + salt + nonce + cipher.encrypt(nonce, value, _VERSION + key.encode())

    def open(self, sealed: bytes, key: str) -> bytes | None:
        """The value that was sealed for this key; None for whatever this seal did not close."""
        if not isinstance(sealed, bytes) or len(sealed) < _OVERHEAD or not sealed.startswith(_VERSION):
            return None
        rest = sealed[len(_VERSION) :]
        salt, nonce, closed = rest[:_SALT], rest[_SALT : _SALT + _NONCE], rest[_SALT + _NONCE :]
        cipher = AESGCM(self._derived(salt, key.encode(), 32))
        try:
            return cipher.decrypt(nonce, closed, _VERSION + key.encode())
        except InvalidTag:
            return None

    def _derived(self, salt: bytes | None, info: bytes, length: int) -> bytes:
        return HKDF(SHA256(), length, salt, _VERSION + info).derive(self._root)


def _root_of(name: str, secret: str) -> bytes:
    # From the account, not random: every process has to come to the same entries by itself.
    salt = hashlib.sha256(b"partnerauth" + name.encode()).digest()
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(secret.encode())
