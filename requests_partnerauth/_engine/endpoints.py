"""Is it the token or the endpoint? Endpoints on trial and cooling: a circuit breaker for each."""

from __future__ import annotations

from typing import NamedTuple

from .outcome import Grant

_REMEMBERED = 64
_COOL_THE_ACCOUNT = 3


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

    def accept(self, endpoint: str, *, resent: bool) -> None:
        """It has taken a token: its trial is over; after a resend, its cooling as well."""
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
