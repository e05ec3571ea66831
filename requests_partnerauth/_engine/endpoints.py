"""Is it the token or the endpoint? Endpoints on trial and cooling: a circuit breaker for each."""

from __future__ import annotations

import math
from typing import NamedTuple

from .outcome import Grant

_REMEMBERED = 64
_COOL_THE_ACCOUNT = 3
_SPACED = 10.0
SHAKEN = 40.0
"""For how long a cache that was away, here or in another process, may have left what is no longer true."""


class Trial(NamedTuple):
    """An endpoint that refused the token of this serial; until then it is on trial, or cools."""

    serial: int
    until: float
    cools: bool = False


class Endpoints(dict[str, Trial]):
    """An account's endpoints on trial and cooling, by method and URL without query. Used under a lock.

    A refusal puts an endpoint on trial. If it then refuses a token that a login of this process has given
    since, it is the endpoint that says no: it cools, and its refusals start no login.
    """

    _accepted_at = _judged_anew_at = -math.inf

    def is_to_blame(self, endpoint: str, refused: Grant, now: float, *, resent: bool) -> bool:
        """Whether this refusal is the endpoint's own, and no login is due: it cools, or should.

        A trial lasts at least until the refused request was resent, however long the login took.
        """
        trial = self.get(endpoint)
        if trial is not None and now >= trial.until and not resent:
            trial = None
        if trial is not None and (trial.cools or (refused.is_own and refused.serial > trial.serial)):
            return True
        # Ids in a path make many endpoints of one: three that cool at once cool the whole account.
        return sum(other.cools and now < other.until for other in self.values()) >= _COOL_THE_ACCOUNT

    def refuse(self, endpoint: str, refused: Grant, now: float, seconds: float) -> None:
        """It has refused this token, and is on trial from now on, if it is not already."""
        trial = self.get(endpoint)
        if trial is None or now >= trial.until:
            self._remember(endpoint, Trial(refused.serial, now + seconds), now)

    def cool(self, endpoint: str, now: float, seconds: float) -> bool:
        """It is to blame. False where it, or the account, cools already."""
        trial = self.get(endpoint)
        if trial is None or (trial.cools and now < trial.until):
            return False
        self._remember(endpoint, Trial(trial.serial, now + seconds, cools=True), now)
        return True

    def judge_anew(self, endpoint: str, refused: Grant, now: float, seconds: float, shaken: bool) -> bool:
        """Put what is to blame on trial again, where logins of processes without a cache may have been.

        Where an account has one session they look the same. That cache need not have failed here: a sign of
        it is a token from there that is refused too, where nothing was taken since the endpoint cools.

        Args:
            endpoint: Method and URL, without its query.
            refused: The token.
            now: By the steady clock.
            seconds: How long an endpoint is on trial, and how long it cools.
            shaken: Whether the cache has failed here of late.
        """
        since, trial = now - self._judged_anew_at, self.get(endpoint)
        if not shaken and trial is not None and trial.cools and not refused.is_own and since >= seconds:
            cools_since = trial.until - seconds
            shaken = _SPACED <= now - cools_since < SHAKEN and self._accepted_at < cools_since
        if not shaken or since < _SPACED:
            return False
        self._judged_anew_at = now
        self.clear()
        self.refuse(endpoint, refused, now, seconds)
        return True

    def accept(self, endpoint: str, now: float, *, resent: bool) -> None:
        """It has taken a token: its trial is over; after a resend, its cooling as well."""
        self._accepted_at = now
        trial = self.get(endpoint)
        if trial is not None and (resent or not trial.cools):
            del self[endpoint]

    def _remember(self, endpoint: str, trial: Trial, now: float) -> None:
        for ended in [other for other, known in self.items() if now >= known.until]:
            del self[ended]
        self.pop(endpoint, None)
        self[endpoint] = trial
        for oldest in list(self)[:-_REMEMBERED]:
            del self[oldest]
