"""What holds for every simulated partner, over a socket and behind `responses`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import responses

from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner


def plain_session() -> requests.Session:
    """A session that the environment does not change."""
    session = requests.Session()
    session.trust_env = False
    return session


class SimulatorContract:
    """What holds for every partner; a subclass says how to log in and how to call."""

    name: str

    @pytest.fixture
    def session(self) -> Iterator[requests.Session]:
        with plain_session() as opened:
            yield opened

    @pytest.fixture
    def partner(self, simulator: PartnerSimulator) -> SimulatedPartner:
        return simulator.partners[self.name]

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        raise NotImplementedError

    def token(self, reply: requests.Response) -> str | None:
        raise NotImplementedError

    def call(self, session: requests.Session, url: str, token: str, **more: Any) -> requests.Response:
        raise NotImplementedError

    def granted(self, session: requests.Session, partner: SimulatedPartner) -> str:
        credentials = partner.credentials
        token = self.token(self.log_in(session, credentials["base_url"] + partner.login_path, **credentials))
        assert token is not None
        return token

    def test_a_login_grants_a_token_that_is_accepted(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """The good credentials give a fresh token, and a call with it is echoed without the token."""
        token = self.granted(session, partner)

        reply = self.call(
            session, partner.base_url + "/any/path?q=a%2Bb", token, headers={"X-Request-Id": "7"}
        )

        echo = reply.json()["echo"]
        assert (reply.status_code, echo["path"], echo["request_id"]) == (200, "/any/path", "7")
        assert echo["query"]["q"] == "a+b"
        assert token not in reply.text
        assert [token] == partner.issued
        assert {token} == partner.live_tokens
        assert (partner.logins, partner.login_attempts, partner.accepted, partner.refusals) == (1, 1, 1, 0)

    def test_wrong_credentials_are_refused(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """A changed secret turns old credentials away with the partner's first login error."""
        old = partner.credentials
        partner.change_password("bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE=")

        reply = self.log_in(session, partner.base_url + partner.login_path, **old)

        assert self.token(reply) is None
        assert next(iter(partner.login_errors.values()))().body == reply.content
        assert (partner.logins, partner.login_attempts, partner.refused_logins) == (0, 1, 1)

    def test_a_bad_token_gets_the_chosen_expiry_signal(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Every signal by name comes back for a revoked token."""
        token = self.granted(session, partner)
        partner.revoke()
        for name, make in partner.expiry_signals.items():
            partner.expiry_signal = name

            reply = self.call(session, partner.base_url + "/x", token)

            assert (make().status, make().body) == (reply.status_code, reply.content)
        assert len(partner.expiry_signals) == partner.refusals == len(partner.calls)
        assert partner.expiry_signals["status"]().status == 401

    def test_the_clock_ends_a_token(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A token is good until its lifetime is over on the partner's own clock."""
        now = [0.0]
        partner.clock, partner.lifetime = lambda: now[0], 60.0
        token = self.granted(session, partner)

        now[0] = 59.0
        self.call(session, partner.base_url + "/x", token)
        now[0] = 60.0
        self.call(session, partner.base_url + "/x", token)

        assert (partner.accepted, partner.refusals) == (1, 1)
        assert set() == partner.live_tokens

    def test_the_login_may_live_elsewhere(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A partner logs in at the path that it is told, and no longer at its document's."""
        before, partner.login_path = partner.login_path, "/elsewhere/login"
        assert self.granted(session, partner) in partner.live_tokens
        self.log_in(session, partner.base_url + before, **partner.credentials)
        assert (partner.logins, partner.login_attempts) == (1, 1)

    def test_one_session(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A login elsewhere ends the token only where an account has one session."""
        for one_session in (False, True):
            partner.one_session = one_session
            token = self.granted(session, partner)
            elsewhere = partner.login_elsewhere()
            assert elsewhere in partner.live_tokens
            assert (token in partner.live_tokens) is not one_session
        assert partner.logins == 2

    def test_the_same_value_again(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A value that was revoked is bad until a login grants it again."""
        partner.same_value = "always-this-one"
        token = self.granted(session, partner)
        partner.revoke()
        self.call(session, partner.base_url + "/x", token)
        assert token == self.granted(session, partner)
        self.call(session, partner.base_url + "/x", token)
        assert (partner.refusals, partner.accepted) == (1, 1)

    def test_scripted_login_answers(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """The next so many logins get the answer; a callable may let one through."""
        url, good = partner.base_url + partner.login_path, partner.credentials
        partner.answer_logins(Reply.of_text("down", 503), times=2)
        assert [self.log_in(session, url, **good).status_code for _ in range(3)] == [503, 503, 200]
        partner.answer_logins(lambda call: None)
        assert self.token(self.log_in(session, url, **good))
        partner.answer_logins(partner.login_outages["status-500"]())
        assert self.log_in(session, url, **good).status_code == 500
        partner.answer_logins(None)
        assert self.token(self.log_in(session, url, **good))
        assert (partner.login_attempts, partner.logins) == (6, 3)

    def test_fixed_answers_and_special_paths(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Special paths answer what they say, and a fixed answer goes before the token."""
        token, base = self.granted(session, partner), partner.base_url
        assert self.call(session, base + "/always-refuse", token).status_code == 401
        assert (partner.always_refused, partner.refusals) == (1, 0)
        pdf = self.call(session, base + "/pdf", token)
        assert (len(pdf.content), pdf.headers["Content-Type"]) == (300_000, "application/pdf")
        assert pdf.content == self.call(session, base + "/pdf", token).content
        assert 90_000 < len(self.call(session, base + "/json?size=100000", token).content) < 110_000
        assert self.call(session, base + "/forbidden", token).status_code == 403
        moved = self.call(
            session, base + "/redirect?to=http%3A%2F%2Fx.test%2Fa%3Fb%3D1&status=307", token, redirect=False
        )
        assert (moved.status_code, moved.headers["Location"]) == (307, "http://x.test/a?b=1")
        for name, make in partner.business_errors.items():
            assert make().body == self.call(session, f"{base}/business-error?name={name}", token).content
        assert self.call(session, base + "/set-cookie", token).cookies["simulator"] == "seen"
        partner.answer("/fixed", Reply.of_text("fixed"))
        assert self.call(session, base + "/fixed/below", "no token").text == "fixed"
        partner.answer("/fixed", None)
        self.call(session, base + "/fixed/below", "no token")
        assert partner.refusals == 1

    def test_broken_answers(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A truncated and a reset answer reach the client as network errors, and the next call works."""
        token = self.granted(session, partner)
        for broken in (Reply(200, {}, b"x" * 100, truncate=True), Reply(reset=True)):
            partner.answer("/", broken)
            with pytest.raises(requests.RequestException):
                self.call(session, partner.base_url + "/x", token)
        partner.answer("/", None)
        assert self.call(session, partner.base_url + "/x", token).status_code == 200

    def test_threads(self, partner: SimulatedPartner) -> None:
        """Thirty-two threads log in and call at once, and every one of them is counted."""

        def work(_: int) -> int:
            with plain_session() as own:
                token = self.granted(own, partner)
                return self.call(own, partner.base_url + "/x", token).status_code

        partner.one_session = False
        with ThreadPoolExecutor(32) as pool:
            assert list(pool.map(work, range(64))) == [200] * 64
        assert (partner.logins, partner.accepted, partner.refusals) == (64, 64, 0)
        assert len(set(partner.issued)) == 64

    def test_misbehaviour(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """Misbehaviour strikes about as often as asked, in every kind, until the partner behaves."""
        token = self.granted(session, partner)
        kinds = ("refuse", "body", "outage", "truncate", "reset")
        partner.misbehave(random.Random(7), rate=0.15, kinds=kinds)
        broken = 0
        for _ in range(80):
            try:
                self.call(session, partner.base_url + "/x", token)
            except requests.RequestException:
                broken += 1
        assert set(kinds) == set(partner.misbehaved)
        assert broken == partner.misbehaved["truncate"] + partner.misbehaved["reset"]
        partner.behave()
        partner.reset_counts()
        assert self.call(session, partner.base_url + "/x", token).status_code == 200
        assert (len(partner.calls), partner.login_attempts) == (1, 0)

    def test_behind_responses(self) -> None:
        """The same partner answers behind `responses`, and one that is never called is no failure."""
        with responses.RequestsMock() as mock, requests.Session() as session:
            partner = PartnerSimulator().register(mock).partners[self.name]
            token = self.granted(session, partner)
            reply = self.call(session, partner.base_url + "/x?q=1", token)
            assert reply.json()["echo"]["query"]["q"] == "1"
            partner.revoke()
            self.call(session, partner.base_url + "/x", token)
            partner.answer("/x", Reply(reset=True))
            with pytest.raises(requests.ConnectionError):
                self.call(session, partner.base_url + "/x", token)
            partner.answer("/x", Reply(200, {}, b"x" * 100, truncate=True))
            with pytest.raises(requests.RequestException):
                self.call(session, partner.base_url + "/x", token)
            assert (partner.logins, partner.accepted, partner.refusals) == (1, 1, 1)
