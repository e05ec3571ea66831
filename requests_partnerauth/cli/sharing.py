"""The token cache that a command shares with others: whether there is one, and whether it could be used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from .._auth import PartnerAuth
from .._engine import words
from ..caches._base import TokenCache
from ..caches.memory import MemoryTokenCache
from .ending import USAGE, CommandFailed


def shared_cache_of(settings: Mapping[str, Any]) -> TokenCache | None:
    """The cache that outlives the command; None where tokens are kept in its memory."""
    cache: TokenCache | None = settings.get("cache")
    return None if isinstance(cache, MemoryTokenCache) else cache


def shares(auth: PartnerAuth) -> bool:
    """Whether others find what this auth keeps: an own class without account or secret is alone with it."""
    return auth.account is not None and auth.secret is not None


def wanted_cache(settings: Mapping[str, Any], else_: str) -> TokenCache:
    """The shared cache, for a command that is about it; `else_` is what comes of it without one."""
    cache = shared_cache_of(settings)
    if cache is None:
        raise CommandFailed(
            USAGE,
            f"{else_}: tokens in memory end with the command that got them; "
            "name the shared cache with --cache or PARTNERAUTH_CACHE",
        )
    return cache


def check_shares(auth: PartnerAuth, else_: str) -> None:
    """See that this auth shares what it keeps; `else_` is what comes of it otherwise."""
    if not shares(auth):
        who = type(auth).__name__
        raise CommandFailed(USAGE, f"{else_}: {who} sets no account and secret, so it shares nothing")


class Complaints(logging.Handler):
    """Notices, in a `with` block, a warning that the token cache could not be used.

    The engine says so in the log alone, and goes on.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.came = False

    def emit(self, record: logging.LogRecord) -> None:
        self.came = self.came or words.KEEPS_NOTHING in record.getMessage()

    def __enter__(self) -> Complaints:
        words.logger.addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        words.logger.removeHandler(self)
