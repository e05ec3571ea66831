"""The engine under a scheduler that decides which thread runs next.

Run by ``tox -e orders``, on CPython 3.12 or newer. A failure prints the schedule that replays it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from requests_partnerauth._engine import locks


@pytest.fixture(autouse=True)
def same_every_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logins have the same ids in every order, and the engine's own lock is a real one again afterwards."""
    numbers = itertools.count()
    monkeypatch.setattr("os.urandom", lambda length: next(numbers).to_bytes(length, "big"))
    yield
    locks.renew_all()
