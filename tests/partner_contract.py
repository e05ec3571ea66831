"""What holds for every partner of ours: the published contract, and more against its simulated partner."""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from conftest import wrong_secret

from requests_partnerauth import (
    InvalidLoginResponse,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    Token,
)
from requests_partnerauth._engine.clock import Clock
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner
from requests_partnerauth.testing import PartnerContract as PublishedContract

HARD_PASSWORD = 'p+%&=#é:ü "\\'


def read_document(partner: str) -> Any:
    """The samples of a partner's login document."""
    return json.loads((Path(__file__).parent / "documents" / f"{partner}.json").read_text("utf-8"))


class ImpatientClock(Clock):
    """Never waits between two tries."""

    sleep = staticmethod(lambda seconds: None)


class PartnerContract(PublishedContract, ABC):
    """The contract of one auth class with its simulated partner, on top of the published one.

    A subclass names its class, says where a call carries the token, and states what its document says: the
    login that must arrive, the sample reply, the token in it, and the code and words of every refusal.
    """

    sample: ClassVar[Mapping[str, Any]]
    token_of_sample: ClassVar[Mapping[str, Any]]
    refusals: ClassVar[Mapping[str, tuple[str | None, str]]]

    @property
    def arguments(self) -> Mapping[str, Any]:
        arguments = self.facts().credentials
        del arguments["base_url"]
        return arguments

    @property
    def login_reply(self) -> Any:
        return self.sample

    @property
    def rejection(self) -> Any:
        return sample_of(next(iter(self.facts().login_errors.values()))())

    @property
    def expiry(self) -> Any:
        facts = self.facts()
        return sample_of(facts.expiry_signals[facts.body_signal]())

    def facts(self) -> SimulatedPartner:
        """A partner that nobody can reach, for what it would say."""
        return PartnerSimulator().partners[self.auth_class.partner]

    @abstractmethod
    def documented_login(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        """Method, path and, where the document has them, query, headers and json of a login."""

    @abstractmethod
    def token_in(self, call: Call) -> str | None:
        """The token that a call carries where the document wants it."""

    @abstractmethod
    def secret_in(self, partner: SimulatedPartner) -> object:
        """The secret, as it arrived with the last login."""

    def use_hard_secret(self, partner: SimulatedPartner) -> Mapping[str, Any]:
        """Make the partner expect the hard password; returns what an auth has to be told beside."""
        partner.change_password(HARD_PASSWORD)
        return {}

    def auth(self, partner: SimulatedPartner, **arguments: Any) -> PartnerAuth:
        """An auth with the partner's good credentials and a memory of its own."""
        return self.auth_class(**{"cache": MemoryTokenCache(), **partner.credentials, **arguments})

    @pytest.fixture
    def partner(self, simulator: PartnerSimulator) -> SimulatedPartner:
        return simulator.partners[self.auth_class.partner]

    def test_the_login_is_the_documents(self, partner: SimulatedPartner) -> None:
        """Method, path, query, headers and body arrive as the partner's document has them."""
        self.auth(partner).token()

        (call,) = partner.login_calls
        wanted = {"query": {}, "headers": {}, "json": None, **self.documented_login(partner.credentials)}
        assert (call.method, call.path) == (wanted["method"], wanted["path"])
        assert call.query == wanted["query"]
        assert {name: call.headers.get(name) for name in wanted["headers"]} == wanted["headers"]
        if wanted["json"] is None:
            assert call.body == b""
        else:
            assert call.json() == wanted["json"]
            assert call.headers["Content-Type"] == "application/json"

    def test_the_login_path_is_an_argument(self, partner: SimulatedPartner) -> None:
        """The login goes where the user says; who logs in elsewhere has a token of its own."""
        cache = MemoryTokenCache()
        self.auth(partner, cache=cache).token()
        partner.login_path = "/Another/login"
        auth = self.auth(partner, cache=cache, login_path="/Another/login")
        auth.token()

        assert partner.login_calls[-1].path == "/Another/login"
        assert auth.login_request().url == partner.base_url + "/Another/login"
        assert partner.logins == 2

    def test_what_the_hint_names_is_an_argument(self) -> None:
        """After a refused login the user is told which arguments to look at, by their real names."""
        parameters = inspect.signature(self.auth_class.__init__).parameters
        named = self.auth_class._login_arguments

        assert set(named) <= set(parameters)
        assert named[:2] == tuple(parameters)[1:3]

    def test_a_slash_at_the_end_of_the_base_url_changes_nothing(self, partner: SimulatedPartner) -> None:
        """The login path is the same with and without it."""
        self.auth(partner, base_url=partner.base_url + "/").token()

        assert partner.login_calls[0].path == partner.login_path

    def test_the_first_request_logs_in_and_the_next_ones_do_not(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """One login serves every request, and each carries the token where it belongs."""
        session.auth = auth = self.auth(partner)

        answers = [session.get(partner.base_url + path) for path in ("/a", "/b", "/c")]

        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert [self.token_in(call) for call in partner.calls] == [auth.token().value] * 3
        assert (partner.logins, partner.accepted, partner.refusals) == (1, 3, 0)

    def test_a_hard_password_arrives_whole(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Signs that mean something to URLs, forms, JSON or Basic, and letters beyond ASCII, come through."""
        arguments = self.use_hard_secret(partner)

        answer = session.get(partner.base_url + "/a", auth=self.auth(partner, **arguments))

        assert answer.status_code == 200
        assert self.secret_in(partner) == HARD_PASSWORD

    def test_the_documents_sample_is_read(self, partner: SimulatedPartner) -> None:
        """Value, refresh token, lifetime and details of the sample reply all stand in the token."""
        partner.answer_logins(Reply.of_json(self.sample))

        token = self.auth(partner).token()

        assert read(token) == {"refresh_token": None, "lifetime": None, **self.token_of_sample}
        assert token.value not in repr(token)

    def test_every_expiry_signal_costs_one_login_and_one_resend(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """After each signal the caller sees the good response, and the refused one in its history."""
        self.each_refreshes_once(partner, session, partner.expiry_signals)

    def test_no_business_error_is_taken_for_expiry(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """An error that is not about the token reaches the caller at once, without login or resend."""
        self.none_refreshes(partner, session, partner.business_errors)

    def test_each_refused_login_is_told_in_the_partners_own_words(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """LoginRejected has the partner's code and words, wherever in its reply they stood."""
        told = {}
        for name, refusal in partner.login_errors.items():
            partner.answer_logins(refusal())
            with pytest.raises(LoginRejected) as caught:
                session.get(partner.base_url + "/a", auth=self.auth(partner))
            told[name] = (caught.value.code, caught.value.partner_message)
            assert str(caught.value).startswith(self.auth_class.partner)
            assert caught.value.__cause__ is caught.value.__context__ is None

        assert told == self.refusals
        assert (partner.login_attempts, partner.calls) == (len(told), [])

    def test_a_documented_complaint_locks_nothing(self, partner: SimulatedPartner) -> None:
        """What the documents say is about neither credentials nor outage is told, and not remembered."""
        for complaint in partner.login_complaints.values():
            auth = self.auth(partner)
            partner.reset_counts()
            partner.answer_logins(complaint(), times=1)
            with pytest.raises(InvalidLoginResponse):
                auth.token()
            assert auth.token().value in partner.live_tokens
            assert partner.login_attempts == 2

    def test_a_new_password_goes_into_the_next_login(self, partner: SimulatedPartner) -> None:
        """Set on a living auth, it is what the login sends and what is hidden; the old one is neither."""
        if "password" not in partner.credential_fields:
            return
        auth = self.auth(partner)
        partner.change_password(HARD_PASSWORD)
        auth.password = HARD_PASSWORD
        auth.token()

        assert auth.password == self.secret_in(partner) == HARD_PASSWORD
        assert HARD_PASSWORD in auth.secrets()
        assert self.arguments["password"] not in auth.secrets()
        for bad in ("", None, 7):
            with pytest.raises(ValueError, match=r"^password: "):
                auth.password = bad

    def test_a_new_password_is_tried_at_once(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Where the old one was refused on a living auth, the new one logs in with the very next request."""
        if "password" not in partner.credential_fields:
            return
        session.auth = auth = self.auth(partner)
        session.get(partner.base_url + "/a")
        partner.change_password(HARD_PASSWORD)
        partner.revoke()
        for _ in range(2):
            with pytest.raises(LoginRejected):
                session.get(partner.base_url + "/a")
        auth.password = HARD_PASSWORD

        assert session.get(partner.base_url + "/a").status_code == 200
        assert (partner.login_attempts, partner.logins) == (3, 2)

    def test_wrong_credentials_are_refused(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """The partner's first error is what a wrong secret gets; neither secret is shown."""
        wrong = wrong_secret(partner)

        with pytest.raises(LoginRejected) as caught:
            session.get(partner.base_url + "/a", auth=self.auth(partner, **wrong))

        assert (caught.value.code, caught.value.partner_message) == next(iter(self.refusals.values()))
        assert not any(str(secret) in str(caught.value) for secret in wrong.values())

    def test_an_outage_is_no_refusal(
        self, partner: SimulatedPartner, session: requests.Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each outage is tried three times, told as LoginUnavailable, and forgotten by the next request."""
        monkeypatch.setattr(PartnerAuth, "_clock", ImpatientClock())
        session.auth = auth = self.auth(partner)
        attempts = {}
        for name, outage in partner.login_outages.items():
            partner.reset_counts()
            partner.answer_logins(outage())
            with pytest.raises(LoginUnavailable):
                session.get(partner.base_url + "/a")
            attempts[name] = partner.login_attempts
            partner.answer_logins(None)
            assert session.get(partner.base_url + "/a").status_code == 200
            auth.forget()

        assert attempts == dict.fromkeys(partner.login_outages, 3)

    def test_a_short_outage_is_not_noticed(
        self, partner: SimulatedPartner, session: requests.Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A login that succeeds at the third try is a login."""
        monkeypatch.setattr(PartnerAuth, "_clock", ImpatientClock())
        partner.answer_logins(next(iter(partner.login_outages.values()))(), times=2)

        assert session.get(partner.base_url + "/a", auth=self.auth(partner)).status_code == 200
        assert (partner.login_attempts, partner.logins) == (3, 1)

    def test_objects_of_one_account_share_its_token(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """A script that builds a new auth for each call still logs in once."""
        cache = MemoryTokenCache()

        for _ in range(3):
            session.get(partner.base_url + "/a", auth=self.auth(partner, cache=cache))

        assert (partner.logins, partner.accepted) == (1, 3)

    def test_another_secret_never_sees_the_token(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """A wrong secret is refused although the account has a good token in the same cache."""
        cache = MemoryTokenCache()
        self.auth(partner, cache=cache).token()
        other = self.auth(partner, cache=cache, **wrong_secret(partner))

        with pytest.raises(LoginRejected):
            session.get(partner.base_url + "/a", auth=other)
        assert partner.calls == []

    def each_refreshes_once(
        self,
        partner: SimulatedPartner,
        session: requests.Session,
        signals: Mapping[str, Callable[[], Reply]],
    ) -> None:
        """Every one of these replies to a dead token leads to one login and one resend."""
        session.auth = self.auth(partner)
        partner.expiry_signals = {**partner.expiry_signals, **signals}
        seen = {}
        for name in signals:
            partner.expiry_signal = name
            session.get(partner.base_url + "/ready")
            partner.revoke()
            partner.reset_counts()
            answer = session.post(partner.base_url + "/orders", json={"order": 7})
            history = [(refused.status_code, refused.content) for refused in answer.history]
            seen[name] = (answer.status_code, history, partner.logins, len(partner.calls))

        wanted = {name: (reply().status, reply().body) for name, reply in signals.items()}
        markers = self.auth_class.expiry_markers
        unmarked = [body for status, body in wanted.values() if not any(mark in body for mark in markers)]
        assert not [body for body in unmarked if (401, body) not in wanted.values()]
        assert seen == {name: (200, [refusal], 1, 2) for name, refusal in wanted.items()}

    def none_refreshes(
        self, partner: SimulatedPartner, session: requests.Session, errors: Mapping[str, Callable[[], Reply]]
    ) -> None:
        """Every one of these replies to a good token reaches the caller as it is."""
        session.auth = self.auth(partner)
        session.get(partner.base_url + "/ready")
        partner.reset_counts()
        seen = {}
        for name, reply in errors.items():
            partner.answer("/orders", reply())
            answer = session.post(partner.base_url + "/orders", json={"order": 7})
            seen[name] = (answer.status_code, answer.content, answer.history)
        partner.answer("/orders", None)

        assert seen == {name: (reply().status, reply().body, []) for name, reply in errors.items()}
        assert (partner.login_attempts, len(partner.calls)) == (0, len(errors))
        assert session.get(partner.base_url + "/ready").status_code == 200
        assert partner.login_attempts == 0


def sample_of(reply: Reply) -> tuple[int, Any]:
    """A reply as the published contract writes it."""
    return reply.status, json.loads(reply.body) if reply.body else None


def read(token: Token) -> dict[str, Any]:
    """What a login said, as a test compares it."""
    return {
        "value": token.value,
        "refresh_token": token.refresh_token,
        "lifetime": token.lifetime,
        "details": dict(token.details),
    }
