"""A prepared request may be sent any number of times, by any thread; nothing of it is kept elsewhere."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import pytest
import requests
from conftest import make_auth
from together import Background, is_good, together

from requests_partnerauth import HeaderPlacement, SessionFieldsPlacement
from requests_partnerauth.simulator import PartnerSimulator, SimulatedPartner


@pytest.fixture(params=["GET", "POST json", "POST bytes"])
def prepared(
    request: pytest.FixtureRequest, partner: SimulatedPartner, session: requests.Session
) -> requests.PreparedRequest:
    """A request that is signed and not sent yet."""
    session.auth = make_auth(partner)
    method, _, kind = request.param.partition(" ")
    body: dict[str, Any] = {"json": {"json": {"a": 1.5}}, "bytes": {"data": b"\xff\x00"}}.get(kind, {})
    return session.prepare_request(requests.Request(method, f"{partner.base_url}/echo", **body))


def test_sent_four_times_with_a_revocation_before_each(
    partner: SimulatedPartner, session: requests.Session, prepared: requests.PreparedRequest
) -> None:
    """Each sending has its one resend; the refreshed token stays on the request, which grows nothing."""
    for _ in range(4):
        partner.revoke()
        assert is_good(session.send(prepared))
    assert (partner.logins, len(partner.calls)) == (5, 8)
    assert len(prepared.hooks["response"]) == 1
    assert is_good(session.send(prepared))
    assert len(partner.calls) == 9


def test_prepared_in_one_thread_sent_in_three(
    partner: SimulatedPartner, session: requests.Session, prepared: requests.PreparedRequest
) -> None:
    """Three other threads send it, one after the other, with a revocation before the second: all good."""
    for round_ in range(3):
        if round_ == 1:
            partner.revoke()
        assert is_good(Background(lambda: session.send(prepared)).result())
    assert partner.logins == 2


def test_sent_by_many_threads_at_once(
    partner: SimulatedPartner, session: requests.Session, prepared: requests.PreparedRequest
) -> None:
    """32 threads send one and the same refused request together: all good, one login a round."""
    for round_ in (2, 3, 4):
        partner.revoke()
        assert all(map(is_good, together(32, lambda number: session.send(prepared, timeout=20))))
        assert partner.logins == round_


def test_auth_called_twice_doubles_nothing(
    partner: SimulatedPartner, session: requests.Session, prepared: requests.PreparedRequest
) -> None:
    """Signing a signed request again leaves one hook, one header and one set of fields."""
    auth = session.auth
    assert callable(auth)
    seen: list[int] = []
    prepared.register_hook("response", lambda response, **_: seen.append(response.status_code))
    url, body, headers = prepared.url, prepared.body, dict(prepared.headers)
    for _ in range(3):
        auth(prepared)
    assert (prepared.url, prepared.body, dict(prepared.headers)) == (url, body, headers)
    assert len(prepared.hooks["response"]) == 2
    partner.revoke()
    auth.token()
    assert is_good(session.send(prepared))
    assert seen == [200]
    assert (partner.logins, len(partner.calls)) == (2, 2)


def test_another_auth_takes_over(simulator: PartnerSimulator, session: requests.Session) -> None:
    """A second auth object's signature replaces the first's, wherever each puts its token."""
    partner = simulator.rp_gateway
    in_fields = make_auth(partner)
    in_header = make_auth(partner)
    in_header.placement = HeaderPlacement("X-Session")
    elsewhere = make_auth(partner)
    elsewhere.placement = SessionFieldsPlacement("other", {"more": "1"})
    for method, body in (("GET", {}), ("POST", {"json": {"a": 1}}), ("POST", {"data": {"a": "1"}})):
        plain = requests.Request(method, f"{partner.base_url}/echo?q=1", **body).prepare()
        signed = plain.copy()
        for auth in (in_header, elsewhere, in_fields, elsewhere, in_header):
            auth(signed)
        assert len(signed.hooks["response"]) == 1
        assert signed.headers.pop("X-Session") == in_header.token().value
        assert (signed.url, signed.body, signed.headers) == (plain.url, plain.body, plain.headers)
        in_fields(signed)
        assert is_good(session.send(signed))


def test_a_pickled_or_copied_request_is_sent_as_it_is(
    partner: SimulatedPartner, session: requests.Session, prepared: requests.PreparedRequest
) -> None:
    """A deep copy heals like the request itself; what comes out of a pickle is signed, and heals no more."""
    assert is_good(session.send(deepcopy(prepared)))
    restored = pickle.loads(pickle.dumps(prepared))
    assert is_good(session.send(restored))
    partner.revoke()
    assert not is_good(session.send(restored))
    assert is_good(session.send(deepcopy(prepared)))
    assert is_good(pickle.loads(pickle.dumps(session.send(prepared))))
