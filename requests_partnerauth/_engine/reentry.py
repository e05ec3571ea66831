"""Whether whoever asks for a token was called by the very login of it, or by a look into its cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_calling: ContextVar[tuple[list[object], ...]] = ContextVar("partnerauth_calling", default=())


@contextmanager
def calling_out(account: object) -> Iterator[None]:
    """Mark what runs in this block, in threads that take over its context too, as called by this account."""
    call: list[object] = [account, os.getpid()]
    before = _calling.set((*_calling.get(), call))
    try:
        yield
    finally:
        # A context may outlive it: a task or a timer that was made in here.
        call.clear()
        _calling.reset(before)


def is_called_back(account: object) -> bool:
    """Whether this account waits for whoever asks."""
    return any(call and call[0] is account and call[1] == os.getpid() for call in _calling.get())
