"""requests-cache: one cache for each account, the token's place in `ignored_parameters`, refusals kept out.

    CachedSession(
        "bex", ignored_parameters=["token"], filter_fn=lambda response: not auth.signals_expiry(response)
    )

The token's place is the header `token` for BEX, `Authorization` for the Fiserv partners and the field `sid`
for rp.Gateway. Named there, the token is left out of the key, so that an answer outlives a refresh, and out
of what is stored. The history of an answer that was resent is stored with its token all the same, unless a
response hook empties it (`without_history` below). An answer from the cache is handed on as it is; the auth
is asked for a token before, so that a cold token cache costs a login.

Where several accounts must share a cache, the token has to be part of the key: `match_headers=["token"]`. For
`Authorization` that alone does nothing, for requests-cache ignores this header by default:
`match_headers=["Authorization"], ignored_parameters=[]`. Tokens then stand in the cache in clear, and after
a refresh nothing in it is found. rp.Gateway's `sid` is in the key by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import make_auth
from requests_cache import CachedSession

from requests_partnerauth import PartnerAuth
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

PLACES = {"bex": "token", "rp-gateway": "sid"}


def place_of(partner: SimulatedPartner) -> str:
    """The header or field that carries the partner's token."""
    return PLACES.get(partner.name, "Authorization")


@contextmanager
def cached_session(auth: PartnerAuth, **settings: Any) -> Iterator[CachedSession]:
    """A caching session, in memory unless told otherwise."""
    with CachedSession(**{"backend": "memory", **settings}) as session:
        session.auth = auth
        yield session


def without_history(response: requests.Response, **_: Any) -> None:
    """A response hook: requests-cache stores the requests of a history with all their headers."""
    response.history = []


def other_account(partner: SimulatedPartner) -> PartnerAuth:
    """A second account at the same partner."""
    fields = {"username": "other"} | ({"uid": "OTHER"} if partner.name == "rp-gateway" else {})
    if partner.secret_field == "key":
        fields = {"merchant_id": "OTHER", "iv": "b3RoZXIgb3RoZXIgSVYgIQ=="}
    partner.add_account(**fields, payload=partner.accounts[0].get("payload"))
    return make_auth(partner, **fields)


def test_an_answer_outlives_a_refresh(partner: SimulatedPartner) -> None:
    """With the token's place ignored, a new token finds the answer that the old one fetched."""
    auth = make_auth(partner)
    with cached_session(auth, ignored_parameters=[place_of(partner)]) as session:
        first = session.get(f"{partner.base_url}/one")
        auth.forget()
        second = session.get(f"{partner.base_url}/one")
    assert (first.from_cache, second.from_cache) == (False, True)
    assert (partner.logins, partner.accepted) == (2, 1)


def test_no_token_is_stored(partner: SimulatedPartner, tmp_path: Path) -> None:
    """With the token's place ignored, neither token nor the refused one before it is in the cache's file."""
    file = tmp_path / "cache.sqlite"
    settings = {"backend": "sqlite", "cache_name": file, "ignored_parameters": [place_of(partner)]}
    with cached_session(make_auth(partner), **settings) as session:
        session.hooks["response"] = [without_history]
        session.get(f"{partner.base_url}/one")
        partner.revoke()
        session.get(f"{partner.base_url}/two")
        session.post(f"{partner.base_url}/three", json={})
    assert len(partner.issued) == 2
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"one" in stored
    assert [value for value in partner.issued if value.encode() in stored] == []


@pytest.mark.parametrize("name", ["bex", "fiserv-boarding"])
def test_by_default_accounts_get_each_others_answers(simulator: PartnerSimulator, name: str) -> None:
    """A cache that accounts share without further settings gives one the answer of the other."""
    partner = simulator.partners[name]
    with cached_session(make_auth(partner)) as session:
        session.get(f"{partner.base_url}/mine")
        session.auth = other_account(partner)
        assert session.get(f"{partner.base_url}/mine").from_cache


def test_match_headers_alone_does_nothing_for_authorization(simulator: PartnerSimulator) -> None:
    """requests-cache ignores `Authorization` even where `match_headers` names it."""
    partner = simulator.fiserv_boarding
    with cached_session(make_auth(partner), match_headers=["Authorization"]) as session:
        session.get(f"{partner.base_url}/mine")
        session.auth = other_account(partner)
        assert session.get(f"{partner.base_url}/mine").from_cache


def test_a_cache_that_accounts_share(partner: SimulatedPartner) -> None:
    """With the token in the key, each account gets its own answer, and again from the cache."""
    headers = [] if partner.name == "rp-gateway" else [place_of(partner)]
    mine, other = make_auth(partner), other_account(partner)
    with cached_session(mine, match_headers=headers, ignored_parameters=[]) as session:
        served = []
        for auth in (mine, other, mine, other):
            session.auth = auth
            served.append(session.get(f"{partner.base_url}/mine").from_cache)
    assert served == [False, False, True, True]


def test_a_refusal_by_status_is_not_cached(partner: SimulatedPartner) -> None:
    """HTTP 401 is no answer that requests-cache keeps: the next call goes out again."""
    partner.expiry_signal = "status"
    with cached_session(make_auth(partner)) as session:
        replies = [session.get(f"{partner.base_url}/always-refuse") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [401, 401]
    assert partner.always_refused == 3
    assert partner.logins == 2


@pytest.mark.parametrize(("filtered", "asked"), [(False, 2), (True, 3)])
def test_a_refusal_in_a_body_is_kept_out_by_a_filter(
    simulator: PartnerSimulator, filtered: bool, asked: int
) -> None:
    """An HTTP 200 that refuses even the refreshed token is cached, unless `filter_fn` keeps it out."""
    bex = simulator.bex
    bex.answer("/api/shy", Reply.of_json({"ex": "Invalid token."}))
    auth = make_auth(bex)
    settings = {"filter_fn": lambda response: not auth.signals_expiry(response)} if filtered else {}
    with cached_session(auth, ignored_parameters=["token"], **settings) as session:
        replies = [session.get(f"{bex.base_url}/api/shy") for _ in range(2)]
    assert [reply.json()["ex"] for reply in replies] == ["Invalid token.", "Invalid token."]
    assert len(bex.calls) == asked
    assert bex.logins == 2


def test_a_cached_refusal_starts_no_login(simulator: PartnerSimulator) -> None:
    """An answer without a connection says nothing about the present token: it is handed on."""
    bex = simulator.bex
    bex.answer("/api/shy", Reply.of_json({"ex": "Invalid token."}))
    with cached_session(make_auth(bex, refresh_cooldown=0), ignored_parameters=["token"]) as session:
        session.get(f"{bex.base_url}/api/shy")
        logins = bex.logins
        assert session.get(f"{bex.base_url}/api/shy").from_cache
    assert bex.logins == logins
