"""The seam between the engine and a place where tokens are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, TypeVar

_Cache = TypeVar("_Cache", bound="TokenCache")


class TokenCache(ABC):
    """A place for tokens: get, set, delete, lock. It knows keys and bytes, nothing of HTTP or partners.

    Any method may raise when the place can't be used; the engine then goes on with memory. A class whose
    values leave the process keeps `seals` at True, and is given nothing but sealed bytes. Threads share a
    cache. A copy of one is the cache itself: the same place.
    """

    seals = True

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """What is kept under the key, or None."""

    @abstractmethod
    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Keep the value, for `ttl` seconds where that is given; whole or not at all."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Keep nothing under the key any more. A key that is not there is no error."""

    @abstractmethod
    def lock(self, key: str, limit: float = 30.0) -> AbstractContextManager[bool]:
        """Hold the key's lock, waiting for it `limit` seconds at most.

        Gives True where the lock was had, False where it was not. A holder that dies keeps the others
        out no longer than it takes to notice, or a few seconds beyond `limit`.
        """

    def __copy__(self: _Cache) -> _Cache:
        return self

    def __deepcopy__(self: _Cache, memo: dict[int, Any]) -> _Cache:
        return self


def shown(cache: object) -> str:
    """What messages call a cache: the repr of this package's own, which tells the place and no secret."""
    kind = type(cache)
    # Somebody else's repr may show the URL of a client, with its password.
    return repr(cache) if kind.__module__.partition(".")[0] == __name__.partition(".")[0] else kind.__name__
