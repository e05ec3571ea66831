"""Which accounts this process knows, cache by cache."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from ..caches._base import TokenCache
from .account import Account
from .locks import ForkSafeLock

_REMEMBERED = 10_000


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


_guard = ForkSafeLock()


def account_of(cache: TokenCache, key: Hashable, make: Callable[[], Account]) -> Account:
    """The one account under this key for all who use this cache; made where there is none yet.

    A key of None belongs to nobody else: each call makes an account of its own.
    """
    with _guard():
        # A cache of the user's whose class has __slots__ shares by what it keeps alone.
        known: _Known = getattr(cache, "__dict__", {}).setdefault("_accounts", _Known())
        account = known.in_use.get(key)
        if account is None:
            account = make()
            if key is not None:
                known.add(key, account)
        return account


def forget_all(cache: TokenCache) -> None:
    """Drop the tokens and remembered refusals of all accounts that use this cache in this process."""
    with _guard():
        known: _Known = getattr(cache, "__dict__", {}).get("_accounts", _Known())
        accounts = list(known.in_use.values())
    for account in accounts:
        account.forget()
