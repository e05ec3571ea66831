"""``partnerauth demo``: what an auth does, step by step, each counted at a simulated partner."""

from __future__ import annotations

import argparse
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from attrs import frozen
from requests.adapters import HTTPAdapter

from .. import MemoryTokenCache, PartnerAuth
from ..simulator import PartnerSimulator, SimulatedPartner
from .ending import GOOD, REFUSED
from .partner import AUTHS
from .screen import Screen

_THREADS = 32
_WRONG = {"password": "wrong-password", "key": "d3Jvbmcga2V5IHdyb25nIGtleSB3cm9uZyBrZXkgISE="}
_COLUMNS = 98
_REFUSED = "refused, then "


@frozen
class Step:
    """One step of the show: what should have happened, what did by the partner's count, and words on it."""

    title: str
    expected: Mapping[str, object]
    seen: Mapping[str, object]
    words: str = ""

    @property
    def is_good(self) -> bool:
        """Whether all that is shown really happened."""
        return self.expected == self.seen


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Show all five partners."""
    with PartnerSimulator() as simulator:
        return show(simulator, screen)


def show(simulator: PartnerSimulator, screen: Screen) -> int:
    """Show every step at every partner of a simulator that is being served; the exit code."""
    started = time.monotonic()
    good = shown = 0
    screen.line("Five simulated partners on this machine; each line is counted at the partner, not claimed.")
    for name, partner in simulator.partners.items():
        screen.line()
        screen.line(f"{screen.painted(name, 'bold')}  {AUTHS[name].__name__}")
        for step in steps_of(partner):
            _tell(step, time.monotonic() - started, screen)
            good += step.is_good
            shown += 1
    screen.line()
    outcome = f"{good} of {shown} steps happened as shown, in {time.monotonic() - started:.1f} s"
    screen.line(screen.painted(outcome, "green" if good == shown else "red"))
    return GOOD if good == shown else REFUSED


def _tell(step: Step, at: float, screen: Screen) -> None:
    mark = screen.painted("ok    ", "green") if step.is_good else screen.painted("FAILED", "red")
    screen.line(f"  {at:5.2f} s  {mark}  {step.title:<38}  {_written(step.seen)}")
    if not step.is_good:
        screen.line(f"{'':19}expected: {_written(step.expected)}")
    for line in textwrap.wrap(step.words, _COLUMNS - 19):
        screen.line(f"{'':19}{screen.painted(line, 'faint')}")


def _written(counts: Mapping[str, object]) -> str:
    return ", ".join(
        f"{value} {name if value == 1 else name + 's'}" if isinstance(value, int) else str(value)
        for name, value in counts.items()
    )


def steps_of(partner: SimulatedPartner) -> Iterator[Step]:
    """Go through the steps at one partner."""
    with _session() as session, _session() as for_logins:
        visit = _Visit(partner, session, for_logins)
        partner.reset_counts()
        session.auth = visit.auth()
        yield visit.step("built: nothing is sent", {"login": 0, "call": 0})
        yield visit.step("the first request logs in", _expected(1, 1, "HTTP 200"), visit.call)
        yield visit.step("the second uses the same token", _expected(0, 1, "HTTP 200"), visit.call)
        partner.revoke()
        yield visit.step(
            "the token expires: one refresh, resent",
            _expected(1, 2, "refused, then HTTP 200"),
            visit.call,
        )
        partner.revoke()
        yield visit.step(
            f"it expires under {_THREADS} threads: one login",
            {"login": 1, "answers": f"{_THREADS} x HTTP 200"},
            visit.call_in_threads,
        )
        session.auth = visit.auth(**{partner.secret_field: _WRONG[partner.secret_field]})
        yield visit.step(
            "a wrong password, used twice: one try",
            {"refusal": 1, "call": 0, "answers": "LoginRejected, twice"},
            visit.call_with_wrong_secret,
        )


class _Visit:
    """What is done at one partner. `words` is what the last act had to say."""

    def __init__(
        self, partner: SimulatedPartner, session: requests.Session, for_logins: requests.Session
    ) -> None:
        self.words = ""
        self._partner = partner
        self._session = session
        self._for_logins = for_logins

    def auth(self, **arguments: Any) -> PartnerAuth:
        """An auth for the partner's account, that shares its token with no other."""
        credentials = {**self._partner.credentials, **arguments}
        cls: Any = AUTHS[self._partner.name]
        made: PartnerAuth = cls(cache=MemoryTokenCache(), login_session=self._for_logins, **credentials)
        return made

    def step(self, title: str, expected: Mapping[str, object], act: Callable[[], str] | None = None) -> Step:
        """Do it, and count at the partner what came of it."""
        self.words = ""
        answers = act() if act else None
        counts: dict[str, object] = {
            "login": self._partner.login_attempts,
            "call": len(self._partner.calls),
            "refusal": self._partner.refused_logins,
            "answers": answers,
        }
        self._partner.reset_counts()
        return Step(title, expected, {name: counts[name] for name in expected}, self.words)

    def call(self) -> str:
        """One request."""
        try:
            response = self._session.get(f"{self._partner.base_url}/shipments/1")
        except requests.RequestException as error:
            self.words = str(error)
            return type(error).__name__
        return f"{_REFUSED * len(response.history)}HTTP {response.status_code}"

    def call_in_threads(self) -> str:
        """A request from each of many threads at once, while the partner takes its time to log in."""
        barrier = threading.Barrier(_THREADS)

        def one_of_many(_: int) -> str:
            barrier.wait()
            return self.call().removeprefix(_REFUSED)

        self._partner.login_delay = 0.05
        try:
            with ThreadPoolExecutor(_THREADS) as threads:
                answers = Counter(threads.map(one_of_many, range(_THREADS)))
        finally:
            self._partner.login_delay = 0.0
        return ", ".join(f"{count} x {answer}" for answer, count in answers.items())

    def call_with_wrong_secret(self) -> str:
        """Two requests, and whether the words on the refusal keep the secret."""
        answers = [self.call(), self.call()]
        if _WRONG[self._partner.secret_field] in self.words:
            return "the secret is in the message"
        return f"{answers[0]}, twice" if len(set(answers)) == 1 else ", ".join(answers)


def _expected(logins: int, calls: int, answers: str) -> dict[str, object]:
    return {"login": logins, "call": calls, "answers": answers}


def _session() -> requests.Session:
    """A session for this machine only: no proxy, no netrc."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=_THREADS))
    return session
