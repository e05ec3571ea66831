"""Redirects and refusals together: the hop carries the current token, and costs no login of its own."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth
from together import is_good

from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner

HEADER_PARTNERS = sorted(set(AUTH_CLASSES) - {"rp-gateway"})


def token_in(partner: SimulatedPartner, call: Call) -> Any:
    return partner._token_of(call)


def other_name(partner: SimulatedPartner) -> str:
    """The same server under another host name: another origin."""
    return partner.base_url.replace("127.0.0.1", "localhost")


def allowed_elsewhere(session: requests.Session, partner: SimulatedPartner) -> str:
    """The partner under its other name, an origin that the session's auth has been told to allow."""
    there = other_name(partner)
    session.auth = make_auth(partner, origins=("/".join(there.split("/")[:3]),))
    return there


def use_a_dead_token(session: requests.Session, partner: SimulatedPartner) -> None:
    """The session's next request carries a token that the partner has ended; it begins to count anew."""
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    partner.reset_counts()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("partner", HEADER_PARTNERS, indirect=True)
def test_the_hop_after_a_refresh_carries_the_new_token(
    partner: SimulatedPartner, session: requests.Session, status: int
) -> None:
    """Refused, refreshed, resent, redirected on the same origin: one login in all, the hop is not refused."""
    use_a_dead_token(session, partner)
    url = f"{partner.base_url}/redirect"
    response = session.get(url, params={"to": f"{partner.base_url}/echo", "status": status})
    assert is_good(response)
    assert (partner.logins, partner.refusals, len(partner.calls)) == (1, 1, 3)
    assert [token_in(partner, call) == partner.issued[-1] for call in partner.calls] == [False, True, True]
    assert [hop.status_code for hop in response.history] == [status]


@pytest.mark.parametrize("keeps_query", [False, True])
def test_a_hop_whose_url_lacks_the_session_heals_without_a_login(
    simulator: PartnerSimulator, session: requests.Session, keeps_query: bool
) -> None:
    """Where the token is in the query, a Location that keeps the query has the new one; else it is added."""
    partner = simulator.rp_gateway
    use_a_dead_token(session, partner)

    def redirect(call: Call) -> Reply | None:
        if token_in(partner, call) not in partner.live_tokens:
            return None
        query = call.url.partition("?")[2]
        return Reply(302, {"Location": f"echo?{query}" if keeps_query else "echo?a=1"})

    partner.answer("/start", redirect)
    response = session.get(f"{partner.base_url}/start?a=1")
    assert is_good(response)
    assert response.json()["echo"]["query"] == {"a": "1", "uid": "TWISTUSER001"}
    assert (partner.logins, partner.refusals) == (1, 1 if keeps_query else 2)


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirected_post_carries_the_new_token_in_its_body(
    simulator: PartnerSimulator, session: requests.Session, status: int
) -> None:
    """Where the token is in the body, the body that goes on to the hop has the new one, all else stays."""
    partner = simulator.rp_gateway
    use_a_dead_token(session, partner)

    def redirect(call: Call) -> Reply | None:
        if (call.json() or {}).get("sid") != partner.issued[-1] or partner.logins == 0:
            return None
        return Reply(status, {"Location": "echo"})

    partner.answer("/start", redirect)
    response = session.post(f"{partner.base_url}/start", json={"op": "search", "amount": 1.50})
    assert is_good(response)
    assert (partner.logins, partner.refusals, len(partner.calls)) == (1, 1, 3)
    for call in partner.calls[1:]:
        members = call.json()
        assert members.pop("sid") == partner.issued[-1]
        assert members == {"op": "search", "amount": 1.50, "uid": "TWISTUSER001"}


@pytest.mark.parametrize("partner", HEADER_PARTNERS, indirect=True)
def test_a_refusal_on_the_hop_heals_there(partner: SimulatedPartner, session: requests.Session) -> None:
    """Where the token ends between request and hop, the hop is resent; the start is not sent again."""
    session.auth = make_auth(partner)

    def revoke_and_redirect(call: Call) -> Reply:
        partner.revoke()
        return Reply(302, {"Location": f"{partner.base_url}/echo"})

    partner.answer("/start", revoke_and_redirect)
    response = session.get(f"{partner.base_url}/start")
    assert is_good(response)
    assert [call.path for call in partner.calls] == ["/start", "/echo", "/echo"]
    assert (partner.logins, partner.refusals) == (2, 1)


def test_a_hop_without_token_heals_without_a_login(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """Where requests has dropped Authorization on the way to another allowed origin, no login is needed."""
    partner = simulator.fiserv_boarding
    there = allowed_elsewhere(session, partner)
    for _ in range(3):
        response = session.get(f"{partner.base_url}/redirect", params={"to": f"{there}/echo"})
        assert is_good(response)
        assert response.url.startswith(there)
    assert partner.logins == 1
    assert partner.refusals == 3, "the hop arrived without a token, and was sent again with one"


def test_a_hop_that_is_always_refused_costs_one_login(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """An allowed origin that refuses every token behind a redirect costs one login, not one per call."""
    partner = simulator.fiserv_boarding
    there = allowed_elsewhere(session, partner)
    for _ in range(20):
        response = session.get(f"{partner.base_url}/redirect", params={"to": f"{there}/always-refuse"})
        assert response.status_code == 401
        assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins <= 2


@pytest.mark.parametrize("hops", [2, 5])
@pytest.mark.parametrize("partner", HEADER_PARTNERS, indirect=True)
def test_each_hop_has_its_one_resend(partner: SimulatedPartner, session: requests.Session, hops: int) -> None:
    """A chain of redirects whose token ends before each hop arrives, with a login for each refusal."""
    session.auth = make_auth(partner)

    def onward(call: Call) -> Reply | None:
        left = int(call.path.removeprefix("/chain/"))
        if left == 0 or token_in(partner, call) not in partner.live_tokens:
            return None
        partner.revoke()
        return Reply(302, {"Location": f"{partner.base_url}/chain/{left - 1}"})

    partner.answer("/chain", onward)
    response = session.get(f"{partner.base_url}/chain/{hops}")
    assert is_good(response)
    assert (partner.logins, partner.refusals, len(response.history)) == (hops + 1, hops, hops)


@pytest.mark.parametrize("partner", HEADER_PARTNERS, indirect=True)
def test_a_redirect_that_is_not_followed_leads_on_with_the_new_token(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """Without following redirects, `response.next` is a request that carries the new token."""
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    url = f"{partner.base_url}/redirect"
    response = session.get(url, params={"to": f"{partner.base_url}/echo"}, allow_redirects=False)
    assert response.status_code == 302
    assert response.next is not None
    assert is_good(session.send(response.next))
    assert (partner.logins, partner.refusals) == (2, 1)


def test_a_prepared_request_can_be_sent_again_after_it_was_redirected_away(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """A request that lost its token on the way to a foreign host is good for another sending."""
    partner = simulator.bex
    session.auth = make_auth(partner)
    away = [Reply(302, {"Location": other_name(partner) + "/echo"})]
    partner.answer("/start", lambda call: away.pop() if away else None)
    prepared = session.prepare_request(requests.Request("GET", f"{partner.base_url}/start"))
    assert not is_good(session.send(prepared))
    assert is_good(session.send(prepared))
    assert partner.logins == 1
    assert partner.refusals == 2
