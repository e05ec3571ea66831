"""Which accounts this process knows, cache by cache."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import weakref
from collections import deque
from collections.abc import Hashable
from typing import Any

from ..caches._base import TokenCache
from ..caches.memory import MemoryTokenCache
from .account import Account
from .clock import SYSTEM_CLOCK, Clock
from .memory import state_lock
from .store import Store

logger = logging.getLogger(__name__)

_REMEMBERED = 10_000
_told: weakref.WeakSet[type] = weakref.WeakSet()
_PROCESS_KEY = os.urandom(32)
_KEEPS_NOTHING = Store(None, "", "", SYSTEM_CLOCK)
_ACCOUNTS = "requests_partnerauth's accounts"
"""Among the attributes of a cache; one that no class of a user's can have, being no identifier."""


class _Known:
    """The accounts of one cache: all that are in use, and of the others those that came last.

    They stay in this process: a pickle or deep copy of the cache begins with none.
    """

    def __init__(self) -> None:
        self.in_use: weakref.WeakValueDictionary[Hashable, Account] = weakref.WeakValueDictionary()
        self._latest: deque[Account] = deque(maxlen=_REMEMBERED)

    def add(self, key: Hashable, account: Account) -> None:
        self.in_use[key] = account
        self._latest.append(account)

    def __reduce__(self) -> Any:
        return _Known, ()


def account_of(
    cache: TokenCache, who: list[str], secret: str, clock: Clock, *, keeps_ended: bool = False
) -> Account:
    """The one account of those who log in as this, with this secret, and use this cache.

    Args:
        cache: The cache.
        who: What tells this account from all others: partner, base URL, account. No secret.
        secret: The account's secret.
        clock: What tells the time.
        keeps_ended: Whether its tokens are kept beyond their end, see `Store`.
    """
    name = json.dumps(who).encode()
    with_secret = name + b"\n" + secret.encode(errors="surrogatepass")
    key = hashlib.blake2b(with_secret, key=_PROCESS_KEY, digest_size=16).digest()
    if type(cache) is MemoryTokenCache:
        # The account is itself what a memory keeps: written down as well, it would be there twice.
        store = _KEEPS_NOTHING
    else:
        entries = hashlib.blake2b(name, digest_size=16).hexdigest()
        if not getattr(cache, "seals", True):
            entries = f"{entries}.{key.hex()}"
        store = Store(cache, entries, secret, clock, keeps_ended=keeps_ended)
    with state_lock():
        known = _known_of(cache)
        account = known.in_use.get(key)
        if account is None:
            account = Account(store, clock)
            known.add(key, account)
        return account


def account_of_nobody_else(owner: type, cache: TokenCache, clock: Clock) -> Account:
    """An account that is shared with no other object and kept in no cache, which is told where one was given.

    Args:
        owner: The class that lacks an account or a secret.
        cache: What was to keep the token.
        clock: What tells the time.
    """
    if type(cache) is not MemoryTokenCache and owner not in _told:
        _told.add(owner)
        why = "it has no account, or no secret to seal a token with; set both on the class or the object"
        logger.warning("cache: nothing of %s is kept: %s", owner.__name__, why)
    return Account(_KEEPS_NOTHING, clock)


def forget_all(cache: TokenCache) -> None:
    """Drop the tokens and remembered refusals of all accounts that use this cache in this process."""
    with state_lock():
        accounts = list(_known_of(cache).in_use.values())
    for account in accounts:
        account.forget()


def _known_of(cache: TokenCache) -> _Known:
    # They live and die with the cache. A cache whose class has __slots__ shares by what it keeps alone.
    known: _Known = getattr(cache, "__dict__", {}).setdefault(_ACCOUNTS, _Known())
    return known
