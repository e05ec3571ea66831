"""Whether a refresh helps is waited for, before one more is started on its account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import requests
from conftest import make_auth
from held import Held
from together import Background, is_good, wait_for_waiters

from requests_partnerauth._engine.verdict import Verdict
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner


@pytest.fixture
def partner(simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch) -> SimulatedPartner:
    """A partner, and time to wait for what it says."""
    monkeypatch.setattr("requests_partnerauth._engine.verdict._SECONDS", 60.0)
    return simulator.fiserv_partner


@pytest.fixture
def session(partner: SimulatedPartner) -> Iterator[requests.Session]:
    """A session that carries the partner's auth."""
    with requests.Session() as session:
        session.auth = make_auth(partner)
        yield session


def two_requests(
    partner: SimulatedPartner, session: requests.Session, verdict: Callable[[Call], Reply | None]
) -> tuple[Background, Background]:
    """One is refused and resent, and gets the verdict; one waits for that login, and is refused after it."""

    def answer(call: Call) -> Reply | None:
        return refusal(partner) if token_of(call) == partner.issued[0] else verdict(call)

    session.auth.token()
    partner.answer("/first", answer)
    refuse(partner, "/late", 2)
    held = Held(partner)
    first = Background(lambda: session.get(f"{partner.base_url}/first"))
    held.wait()
    late = Background(lambda: session.get(f"{partner.base_url}/late"))
    wait_for_waiters(1)
    held.let_go()
    return first, late


def refuse(partner: SimulatedPartner, path: str, tokens: int) -> None:
    """Refuse the first tokens there, and no later one."""
    partner.answer(path, lambda call: refusal(partner) if token_of(call) in partner.issued[:tokens] else None)


def refusal(partner: SimulatedPartner) -> Reply:
    return partner.expiry_signals["status"]()


def token_of(call: Call) -> str:
    return call.headers["Authorization"]


def test_a_refresh_that_did_not_help_is_not_repeated(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """Who was too late to be resent, and is refused before it is known, starts no login either."""

    def in_vain(call: Call) -> Reply:
        wait_for_waiters(1, Verdict.wait)
        return refusal(partner)

    first, late = two_requests(partner, session, in_vain)
    assert (first.result().status_code, late.result().status_code) == (401, 401)
    assert (len(first.result().history), len(late.result().history)) == (1, 0)
    assert partner.logins == 2


def test_a_refresh_that_helped_is_followed_by_another(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """Where the new token is good, and then refused, it has expired: the request is resent with the next."""
    first, late = two_requests(partner, session, lambda call: wait_for_waiters(1, Verdict.wait))
    assert is_good(first.result())
    assert is_good(late.result())
    assert partner.logins == 3


def test_nobody_waits_long(
    partner: SimulatedPartner, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the resend hangs, whoever is refused meanwhile logs in; who comes after that does not wait."""
    go_on = threading.Event()
    monkeypatch.setattr("requests_partnerauth._engine.verdict._SECONDS", 0.1)
    first, late = two_requests(partner, session, lambda call: go_on.wait(100) and None)
    assert is_good(late.result())
    monkeypatch.setattr("requests_partnerauth._engine.verdict._SECONDS", 1000.0)
    refuse(partner, "/later", 3)
    assert is_good(session.get(f"{partner.base_url}/later"))
    assert first.is_running
    go_on.set()
    assert is_good(first.result())
    assert partner.logins == 4


def test_a_resend_that_breaks_is_no_verdict(partner: SimulatedPartner, session: requests.Session) -> None:
    """Where the connection is lost on the way, whoever waited logs in."""

    def lost(call: Call) -> Reply:
        wait_for_waiters(1, Verdict.wait)
        return Reply(reset=True)

    first, late = two_requests(partner, session, lost)
    assert isinstance(first.result(), requests.ConnectionError)
    assert is_good(late.result())
    assert partner.logins == 3


def test_one_refusal_is_enough(partner: SimulatedPartner, session: requests.Session) -> None:
    """As soon as one resend is refused, nobody waits for the others, however long they take."""
    go_on = threading.Event()

    def in_vain(call: Call) -> Reply:
        other = Background(lambda: session.send(stale))
        hangs.wait(60)
        others.append(other)
        wait_for_waiters(1, Verdict.wait)
        return refusal(partner)

    def hang(call: Call) -> Reply | None:
        if token_of(call) == partner.issued[0]:
            return refusal(partner)
        hangs.set()
        go_on.wait(100)
        return None

    others: list[Background] = []
    hangs = threading.Event()
    stale = session.prepare_request(requests.Request("GET", f"{partner.base_url}/hangs"))
    partner.answer("/hangs", hang)
    first, late = two_requests(partner, session, in_vain)
    assert (first.result().status_code, late.result().status_code) == (401, 401)
    assert others[0].is_running
    go_on.set()
    assert is_good(others[0].result())
    assert partner.logins == 2


def test_who_is_resent_with_a_newer_token_waits_as_well(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """An older request finds the new token, accepted elsewhere already, and is refused with it: no login."""

    def in_vain(call: Call) -> Reply:
        assert is_good(session.get(f"{partner.base_url}/echo"))
        older.append(Background(lambda: session.send(stale)))
        wait_for_waiters(2, Verdict.wait)
        return refusal(partner)

    older: list[Background] = []
    stale = session.prepare_request(requests.Request("GET", f"{partner.base_url}/late"))
    first, late = two_requests(partner, session, in_vain)
    assert (first.result().status_code, late.result().status_code) == (401, 401)
    assert older[0].result().status_code == 401
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins == 2
