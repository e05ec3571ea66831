"""A machine that plays partner, clock and user against the engine, in search of what nobody thought of."""

from __future__ import annotations

from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth, wrong_secret
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from manual_clock import ManualClock, join_refreshes
from together import is_good, together

from requests_partnerauth import (
    FileTokenCache,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
)
from requests_partnerauth.caches._base import TokenCache
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

REJECTION_COOLDOWN = 300.0
WITH_LIFETIME = ("fiserv-boarding", "fiserv-partner")


class Engine(RuleBasedStateMachine):
    """Rules are what may happen; every request checks what the design promises.

    A request succeeds whenever a login could. There are never two logins for one refusal, never a token past
    its end on the wire, never a second attempt with refused credentials inside the cooldown.
    """

    partner: SimulatedPartner

    def __init__(self) -> None:
        super().__init__()
        self.clock, self._system_clock = ManualClock(), PartnerAuth._clock
        PartnerAuth._clock = self.clock
        self.simulator = PartnerSimulator()
        self.simulator.start()
        self.session = requests.Session()
        self.directory = TemporaryDirectory()
        self.cache: TokenCache = MemoryTokenCache()
        self.is_out = False
        self.refused_until: dict[str, float] = {}
        self.issued_at: dict[str, float] = {}

    def teardown(self) -> None:
        join_refreshes()
        PartnerAuth._clock = self._system_clock
        self.session.close()
        self.simulator.stop()
        self.directory.cleanup()

    @initialize(
        name=st.sampled_from(sorted(AUTH_CLASSES)),
        lifetime=st.sampled_from([None, 5, 100, 1000]),
        one_session=st.booleans(),
        signal=st.integers(0, 10),
        keeps_files=st.booleans(),
    )
    def begin(
        self, name: str, lifetime: int | None, one_session: bool, signal: int, keeps_files: bool
    ) -> None:
        if keeps_files:
            self.cache = FileTokenCache(self.directory.name)
        self.partner = partner = self.simulator.partners[name]
        partner.clock, partner.one_session = self.clock.monotonic, one_session
        signals = sorted(partner.expiry_signals)
        partner.expiry_signal = signals[signal % len(signals)]
        if lifetime and name in WITH_LIFETIME:
            partner.lifetime = partner.ttl = lifetime
        self.first = partner.credentials[partner.secret_field]
        self.second = wrong_secret(partner)[partner.secret_field]
        self.make(self.first)

    def make(self, secret: str) -> None:
        partner = self.partner
        arguments: dict[str, Any] = {partner.secret_field: secret}
        if partner.name in WITH_LIFETIME:
            arguments["ttl_unit"] = timedelta(seconds=1)
        self.secret = secret
        self.session.auth = make_auth(partner, cache=self.cache, **arguments)

    @property
    def is_remembered(self) -> bool:
        return self.clock.monotonic() < self.refused_until.get(self.secret, 0.0)

    @rule(method=st.sampled_from(["GET", "POST", "PUT"]), body=st.sampled_from([None, "json", "data"]))
    def request(self, method: str, body: str | None) -> None:
        self.send(1, method, {} if body is None else {body: {"a": "1"}})

    @rule(threads=st.integers(2, 6))
    def requests_together(self, threads: int) -> None:
        self.send(threads, "POST", {"data": b"\x00together"})

    def send(self, threads: int, method: str, arguments: dict[str, Any]) -> None:
        partner = self.partner
        started, was_remembered = self.clock.monotonic(), self.is_remembered
        before = (partner.logins, partner.refused_logins, len(partner.calls))
        is_right = partner.accounts[0][partner.secret_field] == self.secret

        def call(_: int) -> Any:
            return self.session.request(method, f"{partner.base_url}/echo", timeout=20, **arguments)

        outcomes = together(threads, call)
        join_refreshes()
        logins, refused, calls = (
            partner.logins - before[0],
            partner.refused_logins - before[1],
            partner.calls[before[2] :],
        )
        for value in partner.issued:
            self.issued_at.setdefault(value, started)
        if is_right and not self.is_out and not was_remembered:
            assert all(map(is_good, outcomes)), outcomes
        for outcome in outcomes:
            assert is_good(outcome) or isinstance(outcome, (LoginRejected, LoginUnavailable)), outcome
        assert logins <= 1, "two logins for one refusal"
        assert len(calls) <= 2 * threads
        assert refused <= (0 if was_remembered else 1), "refused credentials were tried again"
        if refused:
            self.refused_until[self.secret] = started + REJECTION_COOLDOWN
        if partner.lifetime is not None:
            for sent in calls:
                value = partner._token_of(sent)
                assert value, "a request went out without a token"
                # Epoch seconds are exact to a quarter of a microsecond.
                end = self.issued_at[value] + partner.lifetime + 1e-6
                assert started < end, "a token past its end was sent"

    @rule()
    def expire(self) -> None:
        self.clock.advance(self.partner.lifetime or 86_400.0)

    @rule()
    def revoke(self) -> None:
        self.partner.revoke()

    @rule()
    def log_in_elsewhere(self) -> None:
        self.partner.login_elsewhere()

    @rule()
    def change_password(self) -> None:
        now = self.partner.accounts[0][self.partner.secret_field]
        self.partner.change_password(self.second if now == self.first else self.first)

    @rule()
    def outage(self) -> None:
        self.is_out = not self.is_out
        self.partner.answer_logins(Reply(503) if self.is_out else None)

    @rule(share=st.sampled_from([0.1, 0.5, 0.79, 0.81, 0.95]))
    def time_passes(self, share: float) -> None:
        self.clock.advance(share * (self.partner.lifetime or 400.0))

    @rule(seconds=st.sampled_from([-86_400.0, -1.0, 1.0, 3600.0]))
    def wall_clock_is_set(self, seconds: float) -> None:
        self.clock.set_wall_back(seconds)

    @rule()
    def forget(self) -> None:
        self.session.auth.forget()  # type: ignore[union-attr]
        self.refused_until.pop(self.secret, None)

    @rule(is_other=st.booleans())
    def new_auth_object(self, is_other: bool) -> None:
        self.make((self.second if self.secret == self.first else self.first) if is_other else self.secret)

    @precondition(lambda self: not self.is_out)
    @rule()
    def preset(self) -> None:
        value = self.partner.login_elsewhere()
        ends_at = None if self.partner.lifetime is None else self.clock.wall() + self.partner.lifetime
        self.issued_at[value] = self.clock.monotonic()
        self.session.auth.preset(value, ends_at)  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestEngine(Engine.TestCase):  # type: ignore[name-defined,misc]
    """The machine, run."""

    settings = settings(
        max_examples=150,
        stateful_step_count=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
