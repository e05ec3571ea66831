"""Whether whoever asks for a token was called by the very login of it, or by a look into its cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_calling: ContextVar[tuple[object, ...]] = ContextVar("partnerauth_calling", default=())


@contextmanager
def calling_out(account: object) -> Iterator[None]:
    """Mark what runs in this block, in threads that take over its context too, as called by this account."""
    before = _calling.set((*_calling.get(), account))
    try:
        yield
    finally:
        _calling.reset(before)


def is_called_back(account: object) -> bool:
    """Whether this account waits for whoever asks."""
    return any(caller is account for caller in _calling.get())
