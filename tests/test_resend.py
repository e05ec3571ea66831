"""A refused request is sent once more: the same request, and a response as if nothing had happened."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
import requests
from bex_login import GRANTED, bex
from conftest import make_auth
from odd_server import OddServer
from requests.adapters import HTTPAdapter
from test_looking import head_of
from together import is_good, together

from requests_partnerauth import LoginRejected, LoginUnavailable, MemoryTokenCache
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner


class RecordingAdapter(HTTPAdapter):
    """An ordinary adapter that notes how each request was sent, without changing anything."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **sent_with: Any) -> requests.Response:
        self.sent.append((request, sent_with))
        return super().send(request, **sent_with)


@pytest.fixture
def signed_in(partner: SimulatedPartner, session: requests.Session) -> requests.Session:
    """A session with an auth whose token the partner has just revoked."""
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    partner.reset_counts()
    return session


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_method_url_body_and_send_arguments_stay(
    simulator: PartnerSimulator, session: requests.Session, method: str
) -> None:
    """Method, URL, body and all send arguments of the resend are the first ones', over the same adapter."""
    partner, adapter = simulator.rp_gateway, RecordingAdapter()
    session.mount(partner.base_url, adapter)
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    response = session.request(
        method,
        f"{partner.base_url}/echo?a=1&b=%20x",
        data=b"\x00raw\xff",
        headers={"X-Mine": "kept"},
        timeout=(3.5, 17),
        stream=True,
        verify=False,
        cert=None,
        proxies={"ftp": "http://127.0.0.1:1"},
    )
    assert is_good(response)
    first, second = partner.calls
    assert (first.method, first.path, first.body) == (second.method, second.path, second.body)
    assert first.headers["X-Mine"] == second.headers["X-Mine"] == "kept"
    assert first.query.pop("sid") != second.query.pop("sid")
    assert first.query == second.query == {"a": "1", "b": " x", "uid": "TWISTUSER001"}
    (_, sent_first), (_, sent_second) = adapter.sent
    assert sent_first == sent_second
    assert sent_second["timeout"] == (3.5, 17)
    assert sent_second["stream"] is True
    assert sent_second["verify"] is False


def test_history_elapsed_and_request_are_right(
    partner: SimulatedPartner, signed_in: requests.Session
) -> None:
    """The refusal stands in the history, read and closed; `elapsed` and `request` are the resend's own."""
    partner.reply_delay = 0.05
    response = signed_in.get(f"{partner.base_url}/echo")
    assert is_good(response)
    (refused,) = response.history
    assert refused.content is not None
    assert refused.raw.closed
    assert refused.history == []
    assert timedelta(seconds=0.04) < response.elapsed < timedelta(seconds=5)
    assert response.request is not refused.request
    assert (len(partner.calls), partner.logins) == (2, 1)


@pytest.mark.parametrize("of_the_request", [False, True])
def test_hooks_of_the_user_run_once_on_the_final_response(
    partner: SimulatedPartner, signed_in: requests.Session, of_the_request: bool
) -> None:
    """Hooks, of the session or of the request, see one response, the good one."""
    seen: list[int] = []
    hooks = {
        "response": [
            lambda response, **_: seen.append(response.status_code),
            lambda response, **_: response.raise_for_status(),
        ]
    }
    partner.expiry_signal = "status"
    if not of_the_request:
        signed_in.hooks = hooks
    for sent in (1, 2):
        assert is_good(signed_in.get(f"{partner.base_url}/echo", hooks=hooks if of_the_request else None))
        assert seen == [200] * sent
    assert len(partner.calls) == 3


def test_a_cookie_that_came_with_the_refusal_goes_along(
    partner: SimulatedPartner, signed_in: requests.Session
) -> None:
    """A cookie set by the 401 is sent with the resend and kept in the session's jar; older ones go along."""
    answers = [Reply(401, {"Set-Cookie": "route=b; Path=/"})]
    partner.answer("/echo", lambda call: answers.pop() if answers else None)
    signed_in.cookies.set("mine", "a", path="/")
    assert is_good(signed_in.get(f"{partner.base_url}/echo"))
    assert sorted(partner.calls[-1].headers["Cookie"].split("; ")) == ["mine=a", "route=b"]
    assert signed_in.cookies.get("route") == "b"


def test_a_cookie_header_by_hand_stays(partner: SimulatedPartner, signed_in: requests.Session) -> None:
    """A Cookie header that the user wrote goes out unchanged with the resend."""
    answers = [Reply(401, {"Set-Cookie": "route=b; Path=/"})]
    partner.answer("/echo", lambda call: answers.pop() if answers else None)
    assert is_good(signed_in.get(f"{partner.base_url}/echo", headers={"Cookie": "by=hand"}))
    assert partner.calls[-1].headers["Cookie"] == "by=hand"


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_only_a_refusal_is_resent(
    simulator: PartnerSimulator, session: requests.Session, status: int
) -> None:
    """After an outage a POST is not sent again; after a refusal it is, once."""
    partner = simulator.bex
    session.auth = make_auth(partner)
    partner.answer("/echo", Reply(status))
    assert session.post(f"{partner.base_url}/echo", json={}).status_code == status
    assert len(partner.calls) == (2 if status == 401 else 1)


def test_a_broken_connection_is_not_resent(simulator: PartnerSimulator, session: requests.Session) -> None:
    """A POST whose answer never came is not sent again: nobody knows whether it was taken."""
    partner = simulator.bex
    session.auth = make_auth(partner)
    partner.answer("/echo", Reply(reset=True))
    with pytest.raises(requests.ConnectionError):
        session.post(f"{partner.base_url}/echo", json={})
    assert (len(partner.calls), partner.logins) == (1, 1)


def test_a_newer_token_is_used_without_a_login(partner: SimulatedPartner, session: requests.Session) -> None:
    """A request signed before another one refreshed the token is resent with that token, without a login."""
    session.auth = make_auth(partner)
    prepared = session.prepare_request(requests.Request("GET", f"{partner.base_url}/echo"))
    partner.revoke()
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert is_good(session.send(prepared))
    assert partner.logins == 2


def test_a_partner_may_grant_the_same_value_again(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """Tokens are told apart by their login: a login that gives the same value heals like any other."""
    partner.same_value = "always-the-same-1"
    session.auth = make_auth(partner)
    for expected in (1, 2, 3):
        assert is_good(session.get(f"{partner.base_url}/echo"))
        assert partner.logins == expected
        partner.revoke()
    responses = together(16, lambda number: session.get(f"{partner.base_url}/echo"))
    assert all(map(is_good, responses))
    assert partner.logins == 4


@pytest.mark.parametrize("kind", ["refused", "outage"])
def test_a_failed_refresh_raises_its_own_error(
    partner: SimulatedPartner, signed_in: requests.Session, kind: str
) -> None:
    """Where the refresh fails, its error is raised, with the refused response and without the token in it."""
    partner.expiry_signal = "status"
    token = signed_in.auth.token().value  # type: ignore[union-attr]
    partner.answer_logins(Reply(401) if kind == "refused" else Reply(503))
    with pytest.raises(LoginRejected if kind == "refused" else LoginUnavailable) as raised:
        signed_in.get(f"{partner.base_url}/echo")
    assert raised.value.response.status_code == 401
    assert token not in repr(vars(raised.value.response)) + repr(vars(raised.value.response.request))
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_resend_false_sends_once_and_renews_the_token(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """With `resend=False` the caller gets the refusal as it came, and the next request a new token."""
    session.auth = make_auth(partner, resend=False)
    for round_ in (1, 2, 3):
        assert is_good(session.get(f"{partner.base_url}/echo"))
        assert partner.logins == round_
        partner.revoke()
        # Elsewhere each time: an endpoint that refuses the next token too, within the cooldown, cools.
        refused = session.post(f"{partner.base_url}/echo/{round_}", data=b"once", stream=True)
        assert refused.history == []
        assert not refused._content_consumed or not is_good(refused)
        assert not is_good(refused)
        assert partner.logins == round_
    assert [call.method for call in partner.calls] == ["GET", "POST"] * 3


def test_expired_when_is_a_signal_of_the_users_own(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """A response that `expired_when` calls expired is healed like the partner's own signal."""
    partner = simulator.bex
    session.auth = make_auth(partner, expired_when=lambda response: response.status_code == 419)
    stale = [Reply(419)]
    partner.answer("/echo", lambda call: stale.pop() if stale else None)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    assert (partner.logins, len(partner.calls)) == (2, 2)
    with_default = make_auth(partner, cache=MemoryTokenCache())
    stale.append(Reply(419))
    assert session.get(f"{partner.base_url}/echo", auth=with_default).status_code == 419


def test_an_error_in_expired_when_is_the_users_and_harms_nothing(
    simulator: PartnerSimulator, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """What `expired_when` raises is a bug: a warning names it, and the caller gets the response."""
    partner, broken = simulator.bex, [True]

    def expired_when(response: requests.Response) -> bool:
        if broken:
            broken.pop()
            raise KeyError("mine")
        return False

    session.mount("http://", HTTPAdapter(pool_maxsize=1, pool_block=True))
    session.auth = make_auth(partner, expired_when=expired_when)
    response = session.get(f"{partner.base_url}/pdf", stream=True)
    assert response.content.startswith(b"%PDF")
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert re.match(r"KeyError in .*expired_when, line \d+: ", told)
    assert "mine" not in told
    assert session.get(f"{partner.base_url}/echo", timeout=5).status_code == 200
    assert partner.logins == 1


def test_a_response_without_connection_is_handed_on(simulator: PartnerSimulator) -> None:
    """A refusal out of a response cache, which has no connection, is no signal: nothing is sent."""

    class Cached(HTTPAdapter):
        def send(self, *arguments: Any, **sent_with: Any) -> requests.Response:
            response = super().send(*arguments, **sent_with)
            response.connection = None  # type: ignore[assignment]
            return response

    partner = simulator.bex
    with requests.Session() as session:
        session.mount(partner.base_url, Cached())
        session.auth = make_auth(partner)
        partner.answer("/echo", Reply(401))
        response = session.get(f"{partner.base_url}/echo")
    assert (response.status_code, partner.logins, len(partner.calls)) == (401, 1, 1)


def test_a_call_that_is_not_the_accounts_is_left_alone(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """A lack of permission and other business errors cost neither a login nor a resend."""
    partner = simulator.fiserv_boarding
    session.auth = make_auth(partner)
    for name in partner.business_errors:
        session.get(f"{partner.base_url}/business-error", params={"name": name})
    assert (partner.logins, len(partner.calls)) == (1, len(partner.business_errors))


def test_a_call_is_unknown_to_no_one(partner: SimulatedPartner, session: requests.Session) -> None:
    """64 threads, each with its own X-Request-Id, get their own answers back after a revocation."""
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()

    def call(number: int) -> Any:
        headers = {"X-Request-Id": f"id-{number}"}
        return session.post(f"{partner.base_url}/echo", json={"number": number}, headers=headers)

    echoes = [response.json()["echo"]["request_id"] for response in together(64, call)]
    assert echoes == [f"id-{number}" for number in range(64)]
    assert isinstance(partner.calls[0], Call)


def test_a_refusal_that_was_streamed_while_judging_it(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """Where `expired_when` has streamed a refused response, it stands in the history without a body."""
    partner = simulator.bex

    def expired_when(response: requests.Response) -> bool:
        return response.status_code == 403 and bool(list(response.iter_content(10)))

    partner.answer("/odd", lambda call: Reply(403, body=b"x" * 100) if len(partner.calls) == 1 else None)
    session.auth = make_auth(partner, expired_when=expired_when)
    response = session.get(f"{partner.base_url}/odd", stream=True)
    assert is_good(response)
    assert response.history[0].content == b""


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_with_a_chunk_of_negative_length(session: requests.Session, stream: bool) -> None:
    """Its status says it all: the token is renewed and the request sent again."""
    granted = head_of(len(GRANTED.body), "Connection: close") + GRANTED.body
    refused = head_of(None, "Transfer-Encoding: chunked", "Connection: close", status=401) + b"-5\r\nabc\r\n"
    answers = [granted, refused, granted, granted]

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(answers[server.connections - 1])

    with contextlib.closing(OddServer(converse)) as server:
        session.auth = bex(server.base_url)
        assert session.get(f"{server.base_url}/a", stream=stream, timeout=60).status_code == 200
        assert server.connections == 4
