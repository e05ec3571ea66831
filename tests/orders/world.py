"""A partner without a wire, calls to it, and the search through the orders of their threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import interleave_test

import requests_partnerauth._engine as engine
from requests_partnerauth import Token
from requests_partnerauth._engine import locks
from requests_partnerauth._engine.account import Account, Verdict
from requests_partnerauth._engine.clock import SYSTEM_CLOCK, Clock
from requests_partnerauth._engine.outcome import Failure, Grant
from requests_partnerauth._engine.store import Store
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.errors import LoginRejected

FILES = [
    *sorted(str(path) for path in Path(engine.__file__).parent.glob("*.py")),
    *(str(Path(engine.__file__).parent.parent / "_http" / name) for name in ("guard.py", "refusal.py")),
]
SCHEDULE = Path(os.environ.get("PARTNERAUTH_SCHEDULE", ""))
GOOD, FORBIDDEN = "GET /good", "GET /forbidden"
COOLDOWN = 30.0


class Steady(Clock):
    """A clock that goes by the scheduler's time."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def wall(self) -> float:
        return 1_800_000_000.0 + time.monotonic() + self.ahead


class Partner:
    """Counts its logins, and knows which tokens are live. It is a `LogIn` as well."""

    limit = 30.0
    rejection_cooldown = 300.0

    def __init__(self, *, one_session: bool = False, lifetime: float | None = None) -> None:
        self.logins = 0
        self.live: set[str] = set()
        self.rejects = False
        self._one_session = one_session
        self._lifetime = lifetime

    def __call__(self, reason: str, previous: Token | None = None, lease: object = None) -> Token | Failure:
        self.logins += 1
        value = f"token-{self.logins}"
        if self.rejects:
            time.sleep(0)
            return Failure(LoginRejected, "wrong password", is_refusal=True)
        if self._one_session:
            self.live.clear()
        self.live.add(value)
        time.sleep(0)
        wall = 1_800_000_000.0 + time.monotonic()
        return Token(
            value, issued_at=wall, expires_at=None if self._lifetime is None else wall + self._lifetime
        )

    def call(self, account: Account, endpoint: str = GOOD, *, signed: Grant | None = None) -> bool:
        """One request, its resend included: whether the caller gets a good answer."""
        grant = signed or account.usable() or account.obtain(self)
        for resent in (False, True, True):
            if isinstance(grant, Failure):
                return False
            time.sleep(0)
            if endpoint != FORBIDDEN and grant.value in self.live:
                if account.endpoints:
                    account.accept(endpoint, resent=resent)
                return True
            verdict = account.refuse(grant, endpoint, COOLDOWN, resent=resent)
            is_judged = resent and grant.is_own and verdict is Verdict.TOKEN
            if is_judged or verdict in (Verdict.COOLS, Verdict.COOLING):
                return False
            grant = account.usable(grant) or account.obtain(self, grant)
        return False


def account(cache: TokenCache | None = None, clock: Clock = SYSTEM_CLOCK) -> Account:
    """An account, with its entries in a cache or in memory alone."""
    return Account(Store(cache, "entries", "", clock), clock)


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What they give, called in a thread each."""
    tasks = [interleave_test.spawn(call) for call in calls]
    for task in tasks:
        task.join()
    return [task.result() for task in tasks]


def every_order(model: Callable[[], None], *, preemptions: int = 1) -> None:
    """Try all orders of two threads with so many preemptions; there have to be some, and an end of them."""
    result = _explored(model, strategy="dfs", max_preemptions=preemptions, iterations=1_000_000)
    assert result.exhausted
    assert result.schedules_run > 10


def many_orders(model: Callable[[], None], orders: int = 2000) -> None:
    """Try so many orders of three threads or more, rare ones first."""
    assert _explored(model, strategy="pct", iterations=orders, seed=1).schedules_run == orders


def _explored(model: Callable[[], None], **how: Any) -> Any:
    def begin() -> None:
        locks.renew_all()
        model()

    if SCHEDULE.name:
        schedule = interleave_test.Schedule.from_json(SCHEDULE.read_text(encoding="utf-8"))
        return interleave_test.replay(begin, schedule, include=FILES, granularity="line")
    try:
        return interleave_test.explore(begin, include=FILES, granularity="line", timeout=60.0, **how)
    except interleave_test.InterleaveError as error:
        print("to replay it, put this into a file and name that in PARTNERAUTH_SCHEDULE:")
        print(error.failure.schedule.to_json())
        raise
