"""Which token cache a text names: memory, file, file:/path, redis://..., keyring."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import cast

from ..caches._base import TokenCache
from ..caches.memory import process_wide
from .checks import token_cache

_REDIS = ("redis://", "rediss://", "unix://")


@cache
def cache_named(text: str) -> TokenCache:
    """The token cache that a text names, one and the same object for a text as long as the process lives.

    Raises:
        ValueError: The text names none; the message does not repeat it, as a URL may hold a password.
        ImportError: The optional library behind that cache is not installed.
    """
    if text == "memory":
        return process_wide()
    if text == "keyring":
        from ..caches.keyring import KeyringTokenCache

        return KeyringTokenCache()
    if text == "file":
        from ..caches.file import FileTokenCache

        return FileTokenCache()
    if text.startswith("file:"):
        from ..caches.file import FileTokenCache

        return FileTokenCache(_path(text.removeprefix("file:")))
    if text.startswith(_REDIS):
        return _redis(text)
    raise ValueError(
        "one of memory, file, file:/path, redis://host, rediss://host, unix:///path, keyring is wanted"
    )


def _path(text: str) -> Path:
    try:
        path = Path(text.removeprefix("//")).expanduser()
    except RuntimeError:
        path = Path()
    if path == Path():
        raise ValueError("file: and the path of a directory is wanted, such as file:/var/cache/partnerauth")
    return path


def _redis(url: str) -> TokenCache:
    from ..caches.redis import RedisTokenCache

    try:
        return RedisTokenCache.from_url(url)
    except ValueError as error:
        why = str(error).removeprefix("url: ")
    raise ValueError(why)


def cache_of(argument: str, value: object) -> TokenCache:
    """A token cache, from one or from what names one; None is the one that all auths of a process share.

    Raises:
        ValueError: It is neither; the message begins with the argument.
        ImportError: The optional library behind that cache is not installed.
    """
    if value is None:
        return process_wide()
    if not isinstance(value, str):
        return ready(cast(TokenCache, token_cache(argument, value)))
    try:
        return ready(cache_named(value))
    except ValueError as error:
        why = str(error)
    raise ValueError(f"{argument}: {why}")


def ready(cache: TokenCache) -> TokenCache:
    """The cache, once what seals its entries is imported; why not at a login is told in `_http.login`."""
    if getattr(cache, "seals", True):
        # Where it is not there, the first use of the cache tells.
        with suppress(ImportError):
            from ..caches import _sealing  # noqa: F401
    return cache
