"""KeyringTokenCache: tokens in the desktop's own safe."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ._base import OutsideCache, TokenCache, first_words
from ._ending import LONGEST, until_end, with_end
from ._extras import needed
from .file import FileTokenCache
from .memory import process_wide


class KeyringTokenCache(OutsideCache):
    """Sealed tokens in the system's keyring, for scripts on a desktop.

    A keyring has no lock. Where filelock and platformdirs are installed, the lock is a file in the user's
    cache directory, and processes wait for each other's login; else only the threads of one process do.
    Some keyrings keep short values only (Windows: 1280 characters); a longer token stays in memory, which
    a warning tells.

    Needs ``pip install "requests-partnerauth[keyring]"``.

    Args:
        service: The name under which the keyring shows the entries.

    Raises:
        ModuleNotFoundError: keyring is not installed.
        ValueError: `service` is no text.
    """

    def __init__(self, service: str = "requests-partnerauth") -> None:
        self._keyring = needed("keyring", "keyring")
        if not isinstance(service, str) or not service:
            raise ValueError("service: a text is wanted")
        self._service = service
        self._locks: TokenCache = process_wide()
        try:
            self._locks = FileTokenCache()
        except ModuleNotFoundError:
            return

    def get(self, key: str) -> bytes | None:
        kept = self._keyring.get_password(self._service, _name(key))
        if kept is None:
            return None
        if len(kept) > LONGEST:
            return b""
        try:
            return until_end(base64.b64decode(kept, validate=True))
        except (binascii.Error, ValueError):
            return str(kept).encode(errors="replace")

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._keyring.set_password(self._service, _name(key), base64.b64encode(with_end(value, ttl)).decode())

    def delete(self, key: str) -> None:
        try:
            self._keyring.delete_password(self._service, _name(key))
        except self._keyring.errors.PasswordDeleteError:
            # Also what a key that is not there gets.
            if self._keyring.get_password(self._service, _name(key)) is not None:
                raise

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        key = f"{self._service}:{key}"
        with ExitStack() as stack:
            try:
                held = stack.enter_context(self._locks.lock(key, limit))
            except (OSError, NotImplementedError):
                held = stack.enter_context(process_wide().lock(key, limit))
            yield held

    def explained(self, error: BaseException) -> str:
        # A backend's errors name itself and what it lacks; the last one is how Windows' own come.
        if isinstance(error, self._keyring.errors.KeyringError):
            return first_words(str(error))
        said = getattr(error, "strerror", None)
        return said if isinstance(said, str) else ""

    def __reduce__(self) -> Any:
        return type(self), (self._service,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(service={self._service!r})"


def _name(key: str) -> str:
    # Keyrings differ in what a user name may be, and in whether its capitals count.
    return hashlib.sha256(key.encode()).hexdigest()[:40]
