"""Hands on the token: look at it, drop it, bring one along."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import make_auth, wrong_secret
from held import Held
from manual_clock import ManualClock, join_refreshes
from together import Background, is_good, together

from requests_partnerauth import FileTokenCache, LoginRejected, MemoryTokenCache, PartnerAuth, Token
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner


def test_token_logs_in_once_and_tells(partner: SimulatedPartner) -> None:
    """`token()` gives the token that requests carry, from any thread, with one login."""
    auth = make_auth(partner)
    tokens = together(16, lambda number: auth.token())
    assert all(isinstance(token, Token) and token is tokens[0] for token in tokens)
    assert tokens[0].value == partner.issued[0]
    assert partner.issued[0] not in repr(tokens[0])
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
    assert partner.login_attempts == 1


def test_forget_makes_the_next_request_log_in(partner: SimulatedPartner, session: requests.Session) -> None:
    """After `forget()`, for all who share the token, there is exactly one login at the next request."""
    cache = MemoryTokenCache()
    auth, sharer = make_auth(partner, cache=cache), make_auth(partner, cache=cache)
    for logins in (1, 2, 3):
        assert all(
            map(is_good, together(8, lambda number: session.get(f"{partner.base_url}/echo", auth=sharer)))
        )
        assert partner.login_attempts == logins
        auth.forget()


@pytest.mark.parametrize("outcome", ["token", "refusal"])
def test_forget_during_a_login_drops_what_it_brings(simulator: PartnerSimulator, outcome: str) -> None:
    """A login that began before `forget()` serves those who waited; whoever comes later gets a new one."""
    partner = simulator.bex
    auth = make_auth(partner)
    held = Held(partner, partner.login_errors["ex"]() if outcome == "refusal" else None)
    before = Background(auth.token)
    held.wait()
    auth.forget()
    after = Background(auth.token)
    held.let_go()
    first, second = before.result(), after.result()
    assert isinstance(first, LoginRejected if outcome == "refusal" else Token)
    assert second.value == partner.issued[-1]
    assert auth.token().value == second.value
    assert partner.login_attempts == 2
    if outcome == "token":
        assert first.value == partner.issued[0] != second.value


def test_a_preset_token_is_used_until_it_is_refused(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """A token from elsewhere costs no login until the partner refuses it; then it is replaced."""
    session.auth = auth = make_auth(partner)
    auth.preset(partner.login_elsewhere())
    for _ in range(3):
        assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.login_attempts == 0
    partner.revoke()
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.login_attempts == 1


def test_a_preset_token_is_newer_than_all_that_are_kept(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A process that has seen no token presets one: another, which used two, goes on with it; no login."""
    partner = simulator.bex
    working, presetting = (make_auth(partner, cache=FileTokenCache(tmp_path / "tokens")) for _ in range(2))
    for _ in range(2):
        partner.revoke()
        assert is_good(requests.get(f"{partner.base_url}/echo", auth=working))
    partner.revoke()
    presetting.preset(partner.login_elsewhere())
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=working))
    assert partner.logins == 2


@pytest.mark.parametrize("keeps_files", [False, True])
def test_a_token_older_than_the_preset_one_does_not_come_back(
    partner: SimulatedPartner, session: requests.Session, tmp_path: Path, keeps_files: bool
) -> None:
    """Where a preset token is refused, the one that it had replaced is not tried in its place."""
    cache = FileTokenCache(tmp_path) if keeps_files else MemoryTokenCache()
    session.auth = auth = make_auth(partner, cache=cache)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    auth.preset(partner.login_elsewhere())
    partner.revoke()
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert (partner.logins, partner.refusals) == (2, 1)


def test_a_preset_token_wins_over_a_login_under_way(simulator: PartnerSimulator) -> None:
    """A login that began before `preset()` does not replace the preset token."""
    partner = simulator.bex
    auth, held = make_auth(partner), Held(partner)
    waiting = Background(auth.token)
    held.wait()
    value = partner.login_elsewhere()
    auth.preset(value)
    held.let_go()
    assert waiting.result().value == partner.issued[0]
    assert auth.token().value == value


def test_a_preset_token_hides_a_refusal(partner: SimulatedPartner) -> None:
    """With refused credentials remembered, a preset token works; once refused, the refusal is told again."""
    auth = make_auth(partner, **wrong_secret(partner))
    with pytest.raises(LoginRejected):
        auth.token()
    auth.preset(partner.login_elsewhere())
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
    partner.revoke()
    with pytest.raises(LoginRejected) as raised:
        requests.get(f"{partner.base_url}/echo", auth=auth)
    assert raised.value.response is not None
    assert partner.login_attempts == 1


@pytest.mark.parametrize("left", [-100.0, -0.001, 0.0, 0.5, 30.0])
def test_a_preset_token_is_never_sent_past_its_end(
    simulator: PartnerSimulator, session: requests.Session, monkeypatch: pytest.MonkeyPatch, left: float
) -> None:
    """Its `expires_at` holds, also where it has passed already: then the request logs in."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    partner = simulator.bex
    session.auth = auth = make_auth(partner)
    value = partner.login_elsewhere()
    auth.preset(value, expires_at=clock.wall() + left)
    if left > 0:
        assert session.get(f"{partner.base_url}/echo").request.headers["token"] == value
        clock.advance(left)
    join_refreshes()
    assert session.get(f"{partner.base_url}/echo").request.headers["token"] != value
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.login_attempts == 1


def test_preset_without_end_never_refreshes(simulator: PartnerSimulator, session: requests.Session) -> None:
    """A preset token with no known end is used as it is, and `forget()` drops it."""
    partner = simulator.fiserv_boarding
    session.auth = auth = make_auth(partner)
    auth.preset(partner.login_elsewhere())
    assert auth.token().expires_at is None
    assert is_good(session.get(f"{partner.base_url}/echo"))
    auth.forget()
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.login_attempts == 1


@pytest.mark.parametrize("value", ["", " ", "with\nnewline", "ünicode", None, 3])
def test_a_preset_that_is_no_token_fails_by_name(simulator: PartnerSimulator, value: Any) -> None:
    """What can't be a token is refused at once, by the argument's name and without its value."""
    with pytest.raises(ValueError, match=r"^value: ") as raised:
        make_auth(simulator.bex).preset(value)
    assert "ünicode" not in str(raised.value)


def test_building_an_auth_does_no_io(partner: SimulatedPartner) -> None:
    """Nothing is sent before the first request or `token()`, and `forget()` sends nothing either."""
    partner.answer_logins(Reply(500))
    make_auth(partner).forget()
    assert partner.login_attempts == 0


@pytest.mark.parametrize("end", ["1700000000", datetime(2027, 1, 1, tzinfo=timezone.utc), True, float("nan")])
def test_an_end_that_is_no_moment(simulator: PartnerSimulator, end: Any) -> None:
    """`preset()` says that it wants epoch seconds, rather than take the token for one without an end."""
    with pytest.raises(ValueError, match="expires_at: a number of epoch seconds"):
        make_auth(simulator.bex).preset("a-token", expires_at=end)


def test_one_account_however_its_address_is_written(simulator: PartnerSimulator) -> None:
    """The scheme in capitals, or a slash at the end, make no second account."""
    partner, cache = simulator.bex, MemoryTokenCache()
    url = partner.base_url
    for spelling in (url, url + "/", url.replace("http", "HTTP")):
        make_auth(partner, base_url=spelling, cache=cache).token()
    assert partner.logins == 1


def test_a_login_reply_with_a_byte_order_mark(simulator: PartnerSimulator) -> None:
    """It is read as the JSON that follows."""
    for kind in ("application/json", "application/json; charset=utf-8"):
        body = b"\xef\xbb\xbf" + json.dumps({"value": "a-token"}).encode()
        simulator.bex.answer_logins(Reply(200, {"Content-Type": kind}, body))
        assert make_auth(simulator.bex).token().value == "a-token"
