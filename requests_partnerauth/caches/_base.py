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

        Gives True where the lock was had, False where it was not; a cache whose locks can be lost gives an
        object that is true as long as the lock is held. One that nobody holds any more is free within five
        seconds.
        """

    def __copy__(self: _Cache) -> _Cache:
        return self

    def __deepcopy__(self: _Cache, memo: dict[int, Any]) -> _Cache:
        return self


class OutsideCache(TokenCache):
    """A cache of this package whose values leave the process. Its repr names the place, and no secret."""

    def explained(self, error: BaseException) -> str:
        """What an error of this cache says, as far as it can hold no secret; else nothing."""
        return ""


def shown(cache: object) -> str:
    """What messages call a cache: the repr of this package's own, which tells the place and no secret."""
    written_in = getattr(type(cache).__repr__, "__module__", None) or ""
    # Somebody else's repr may show the URL of a client, with its password.
    is_ours = written_in.partition(".")[0] == __name__.partition(".")[0]
    return repr(cache) if is_ours else type(cache).__name__


def reason(error: BaseException, cache: object) -> str:
    """Why a cache can't be used, for a message: the error's type, and what it says where that is harmless."""
    said = error.strerror if isinstance(error, OSError) else None
    if not said and isinstance(cache, OutsideCache):
        said = cache.explained(error)
    # Of others only what the system itself says: they may quote a URL with its password.
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def first_words(text: str) -> str:
    """The beginning of another library's message: before what it quotes at length, on one line."""
    for end in ("\n", "<", " : ", ", with args"):
        text = text.partition(end)[0]
    return text[:200].strip()
