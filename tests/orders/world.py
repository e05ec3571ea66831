"""A partner without a wire, calls to it, and the search through the orders of their threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
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
ACCOUNT = [path for path in FILES if path.endswith("account.py")]
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
    """Counts its logins, knows which tokens are live and what is forbidden. It is a `LogIn` as well."""

    limit = 30.0
    rejection_cooldown = 300.0

    def __init__(self, *, one_session: bool = False, lifetime: float | None = None) -> None:
        self.logins = 0
        self.live: set[str] = set()
        self.rejects = False
        self.forbidden = {FORBIDDEN}
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
        is_shaken = False
        for resent in (False, True, True, True):
            if isinstance(grant, Failure):
                return False
            time.sleep(0)
            if endpoint not in self.forbidden and grant.value in self.live:
                if account.endpoints:
                    account.accept(endpoint, resent=resent)
                return True
            # As a refusal that is on its way while others go on.
            time.sleep(0)
            verdict = account.refuse(grant, endpoint, COOLDOWN, resent=resent)
            is_shaken = is_shaken if resent else account.is_shaken
            if verdict in (Verdict.COOLS, Verdict.COOLING):
                return False
            if resent and verdict is Verdict.TOKEN and grant.is_own and not is_shaken:
                return False
            grant = account.usable(grant) or account.obtain(self, grant)
        return False


def account(cache: TokenCache | None = None, clock: Clock = SYSTEM_CLOCK) -> Account:
    """An account, with its entries in a cache or in memory alone."""
    return Account(Store(cache, "entries", "", clock), clock)


def shaken(partner: Partner, cache: TokenCache) -> Account:
    """An account with an endpoint that cools, and whose cache failed of late and is back."""
    place = account(cache)
    assert not partner.call(place, FORBIDDEN)
    # No word of the cache is made to fail for it: the scheduler knows no logging from its own thread.
    place._store._words.failed_at = place.now()
    assert place.is_shaken
    return place


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What they give, called in a thread each."""
    tasks = [interleave_test.spawn(call) for call in calls]
    for task in tasks:
        task.join()
    return [task.result() for task in tasks]


def every_order(model: Callable[[], None], *, preemptions: int = 1) -> None:
    """Try all orders of two threads with so many preemptions; there have to be some, and an end of them."""
    result = _explored(model, FILES, strategy="dfs", max_preemptions=preemptions, iterations=1_000_000)
    assert result.exhausted
    assert result.schedules_run > 10


def many_orders(model: Callable[[], None], orders: int = 2000, *, within: Sequence[str] = FILES) -> None:
    """Try so many orders of some threads, rare ones first; a thread gives way at lines of these files."""
    assert _explored(model, within, strategy="pct", iterations=orders, seed=1).schedules_run == orders


def _explored(model: Callable[[], None], files: Sequence[str], **how: Any) -> Any:
    def begin() -> None:
        locks.renew_all()
        model()

    if SCHEDULE.name:
        schedule = interleave_test.Schedule.from_json(SCHEDULE.read_text(encoding="utf-8"))
        return interleave_test.replay(begin, schedule, include=files, granularity="line")
    try:
        return interleave_test.explore(begin, include=files, granularity="line", timeout=60.0, **how)
    except interleave_test.InterleaveError as error:
        print("to replay it, put this into a file and name that in PARTNERAUTH_SCHEDULE:")
        print(error.failure.schedule.to_json())
        raise
