"""CacheControl: one cache for each account, for answers are kept by their URL alone.

What the partner marks as cacheable is served to whoever asks on that session, whatever token they have,
unless the partner says `Vary` and names the token's header. rp.Gateway's `sid` stands in the URL of a GET, so
that its answers are found only with the same token. HTTP 401 is never kept. A refusal in an HTTP 200 is,
where the partner marks it as cacheable: the resend then finds the refusal instead of the partner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest
import requests
from cachecontrol import CacheControl
from conftest import make_auth

from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner

HEADERS = {"Content-Type": "application/json", "Cache-Control": "max-age=600"}
HEADER_PARTNERS = ("bex", "fiserv-boarding", "fiserv-commerce-connect", "fiserv-partner")


@pytest.fixture
def caching() -> Iterator[requests.Session]:
    """A session with CacheControl's adapter."""
    with CacheControl(requests.Session()) as session:
        yield session


def cacheable(partner: SimulatedPartner, **headers: str) -> Callable[[Call], Reply | None]:
    """An answer that may be cached, for whoever has a good token; a refusal for anybody else."""

    def answer(call: Call) -> Reply | None:
        carried = {*call.headers.values(), *call.query.values()}
        if not carried & partner.live_tokens:
            return None
        return Reply(200, {**HEADERS, "Date": formatdate(usegmt=True), **headers}, b'{"ok": true}')

    return answer


@pytest.mark.parametrize("name", HEADER_PARTNERS)
def test_a_cached_answer_needs_no_good_token(
    simulator: PartnerSimulator, caching: requests.Session, name: str
) -> None:
    """An answer that is cached is served after the token ended, without a login; any other is refreshed."""
    partner = simulator.partners[name]
    partner.answer("/cached", cacheable(partner))
    caching.auth = make_auth(partner)
    caching.get(f"{partner.base_url}/cached")
    partner.revoke()
    assert caching.get(f"{partner.base_url}/cached").from_cache
    assert partner.logins == 1
    assert len(caching.get(f"{partner.base_url}/other").history) == 1
    assert (partner.logins, len(partner.calls)) == (2, 3)


def test_a_refused_call_is_resent_and_its_answer_cached(
    partner: SimulatedPartner, caching: requests.Session
) -> None:
    """The resend goes through the caching adapter: what it brings is cached, the refusal is not."""
    partner.expiry_signal = "status"
    partner.answer("/cached", cacheable(partner))
    caching.auth = make_auth(partner)
    caching.get(partner.base_url)
    partner.revoke()
    assert len(caching.get(f"{partner.base_url}/cached").history) == 1
    assert caching.get(f"{partner.base_url}/cached").from_cache
    assert (partner.logins, [call.path for call in partner.calls].count("/cached")) == (2, 2)


@pytest.mark.parametrize(("name", "vary", "mixed"), [
    ("bex", None, True),
    ("bex", "token", False),
    ("fiserv-boarding", None, True),
    ("fiserv-boarding", "Authorization", False),
    ("rp-gateway", None, False),
])  # fmt: skip
def test_accounts_on_one_cache(
    simulator: PartnerSimulator, caching: requests.Session, name: str, vary: str | None, mixed: bool
) -> None:
    """A second account is given the first one's answer, unless the partner varies by the token's header."""
    partner = simulator.partners[name]
    partner.add_account(username="other")
    partner.answer("/cached", cacheable(partner, **({"Vary": vary} if vary else {})))
    for username in (partner.accounts[0]["username"], "other"):
        caching.auth = make_auth(partner, username=username)
        reply = caching.get(f"{partner.base_url}/cached")
    assert reply.from_cache is mixed


def test_a_cacheable_refusal_in_a_body_stays(simulator: PartnerSimulator, caching: requests.Session) -> None:
    """Where the partner lets a refusal be cached, callers get it, and one login is all it costs."""
    bex = simulator.bex
    refusal = Reply(200, {**HEADERS, "Date": formatdate(usegmt=True)}, b'{"ex": "Invalid token."}')
    bex.answer("/shy", refusal)
    caching.auth = make_auth(bex)
    for _ in range(5):
        assert caching.get(f"{bex.base_url}/shy").json() == {"ex": "Invalid token."}
    assert (bex.logins, len(bex.calls)) == (2, 1)
