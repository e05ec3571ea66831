"""vcrpy: cassettes that replay, with neither password nor token in them.

`vcr.VCR(**vcr_filters(auth))` is all that is needed. Record with a token cache of its own
(`cache=MemoryTokenCache()`), so that the login is in the cassette whatever ran before: one that was recorded
with a warm cache lacks the login that a cold replay asks for.
"""

from __future__ import annotations

import base64
import gzip
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests
import vcr
from conftest import make_auth

from requests_partnerauth import LoginRejected, LoginUnavailable, MemoryTokenCache, PartnerAuth
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner
from requests_partnerauth.testing import vcr_filters

AWKWARD = "p&s s=w/ö%rd+?"


def record(cassette: Path, auth: PartnerAuth, partner: SimulatedPartner, mode: str = "once") -> list[Any]:
    """Log in, call in three ways, see the token revoked, call again; the replies' JSON."""
    with (
        vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode),
        requests.Session() as session,
    ):
        session.auth = auth
        replies = [
            session.get(f"{partner.base_url}/one", params={"q": "first"}),
            session.post(f"{partner.base_url}/two", json={"n": 1}),
            session.post(f"{partner.base_url}/three", data={"n": 1}),
        ]
        if mode == "once":
            partner.revoke()
        replies.append(session.get(f"{partner.base_url}/four"))
        assert len(replies[-1].history) == 1
    return [reply.json() for reply in replies]


def spellings(secret: str) -> set[str]:
    """How a secret could stand in a file, apart from base64 that begins elsewhere."""
    raw = secret.encode()
    written = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
    return written | {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}


def secrets_of(partner: SimulatedPartner) -> set[str]:
    """Every secret that went over the wire: passwords, keys, Basic headers, tokens."""
    account = partner.accounts[0]
    words = {account[partner.secret_field], *partner.issued, *partner.live_tokens}
    if "iv" in account:
        words.add(account["iv"])
    for user, password in [(account.get("username"), account.get("password"))]:
        words.add(f"{user}:{password}")
    for call in partner.login_calls:
        words.update(
            value for name, value in call.headers.items() if name.lower() in ("authorization", "hmac")
        )
        words.update(str(value) for value in call.members().values() if len(str(value)) > 60)
    return {spelling for word in words for spelling in spellings(word)}


def test_a_cassette_holds_no_secret_and_replays(partner: SimulatedPartner, tmp_path: Path) -> None:
    """No spelling of password, key, Basic header or token stands in the file; it replays without partner."""
    if partner.secret_field == "password":
        partner.change_password(AWKWARD)
    cassette = tmp_path / "cassette.yaml"
    recorded = record(cassette, make_auth(partner), partner)
    text = cassette.read_text()
    assert len(partner.issued) == 2
    assert {spelling for spelling in secrets_of(partner) if spelling in text} == set()
    partner.reset_counts()
    other = {"key": base64.b64encode(bytes(32)).decode()} if partner.secret_field == "key" else {
        "username": "dummy", "password": "dummy",
    }  # fmt: skip
    assert record(cassette, make_auth(partner, **other), partner, "none") == recorded
    assert (partner.login_calls, partner.calls) == ([], [])


@pytest.mark.parametrize("via", ["json", "query", "get"])
def test_no_way_to_log_in_leaves_the_password(simulator: PartnerSimulator, tmp_path: Path, via: str) -> None:
    """BEX's password is in no cassette, be it sent in a body or in a query, taken or refused."""
    bex = simulator.bex
    bex.change_password(AWKWARD)
    text = ""
    for number, password in enumerate([AWKWARD, "wrong one"]):
        auth = make_auth(bex, login_via=via, password=password)
        taken = nullcontext() if password == AWKWARD else pytest.raises(LoginRejected)
        cassette = tmp_path / f"{number}.yaml"
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette)), taken:
            requests.get(f"{bex.base_url}/one", auth=auth, timeout=10)
        text += cassette.read_text()
    assert text.count("/api/service/login") == 2
    words = secrets_of(bex) | spellings("wrong one")
    assert {word for word in words if word in text} == set()


def test_a_preset_token_is_scrubbed_and_any_other_replays(partner: SimulatedPartner, tmp_path: Path) -> None:
    """A token that no recorded login granted is known by its place; another one replays the cassette."""
    cassette = tmp_path / "cassette.yaml"
    value = partner.login_elsewhere()
    for token, mode in ((value, "once"), ("a-dummy-token", "none")):
        auth = make_auth(partner)
        auth.preset(token)
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode):
            requests.post(f"{partner.base_url}/one", json={}, auth=auth, timeout=10).raise_for_status()
            requests.get(f"{partner.base_url}/two", auth=auth, timeout=10).raise_for_status()
    assert len(partner.calls) == 2
    assert not any(spelling in cassette.read_text() for spelling in spellings(value))


def test_an_echoed_token_is_scrubbed_and_the_reply_stays_whole(
    simulator: PartnerSimulator, tmp_path: Path
) -> None:
    """A reply that repeats the token replays with its new length, without the token."""
    boarding = simulator.fiserv_boarding
    boarding.answer("/echo", lambda call: Reply.of_json({"you sent": call.headers["Authorization"], "n": 1}))
    cassette = tmp_path / "cassette.yaml"
    for mode in ("once", "none"):
        auth = make_auth(boarding, cache=MemoryTokenCache())
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode):
            reply = requests.get(f"{boarding.base_url}/echo", auth=auth, timeout=10)
    assert reply.json() == {"you sent": "***", "n": 1}
    assert reply.headers["Content-Length"] == str(len(reply.content))


def test_a_compressed_reply_is_scrubbed(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A token inside a compressed reply is found, and the reply replays as it is read."""
    bex = simulator.bex

    def zipped(call: Call) -> Reply:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return Reply(200, headers, gzip.compress(json.dumps({"you sent": call.headers["token"]}).encode()))

    bex.answer("/zipped", zipped)
    cassette = tmp_path / "cassette.yaml"
    for mode in ("once", "none"):
        auth = make_auth(bex)
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode):
            reply = requests.get(f"{bex.base_url}/zipped", auth=auth, timeout=10)
    assert reply.json() == {"you sent": "***"}
    assert bex.logins == 1


def test_a_cold_replay_of_a_warm_recording_says_what_is_missing(
    simulator: PartnerSimulator, tmp_path: Path
) -> None:
    """A login that is not in the cassette ends as an error of ours, not with a request to the partner."""
    cassette = tmp_path / "cassette.yaml"
    warm = make_auth(simulator.bex)
    warm.token()
    for auth, mode in ((warm, "once"), (make_auth(simulator.bex), "none")):
        with vcr.VCR(**vcr_filters(auth)).use_cassette(str(cassette), record_mode=mode):
            if mode == "once":
                requests.get(f"{simulator.bex.base_url}/one", auth=auth, timeout=10)
            else:
                with pytest.raises(LoginUnavailable, match="no recorded interaction"):
                    requests.get(f"{simulator.bex.base_url}/one", auth=auth, timeout=10)
    assert simulator.bex.logins == 1


def test_without_the_filters_secrets_are_recorded(partner: SimulatedPartner, tmp_path: Path) -> None:
    """The search of these tests finds what a cassette of plain vcrpy holds."""
    cassette = tmp_path / "cassette.yaml"
    with vcr.use_cassette(str(cassette)):
        requests.get(f"{partner.base_url}/one", auth=make_auth(partner), timeout=10)
    assert any(spelling in cassette.read_text() for spelling in secrets_of(partner))


def test_filters_want_an_auth() -> None:
    """Filters that would scrub nothing are refused."""
    with pytest.raises(ValueError, match=r"^auths: "):
        vcr_filters()
