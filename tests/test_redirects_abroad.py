"""A redirect to another origin takes nothing along that was the partner's alone."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from conftest import make_auth
from recording_server import Answer, Heard, RecordingServer, recording_server
from requests.adapters import HTTPAdapter
from together import Background, is_good
from urllib3.util import Retry

from requests_partnerauth import PartnerAuth
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner, SimulatedRpGateway

GATEWAY = ("gate", "gate-password")
STATUSES = [301, 302, 303, 307, 308]
SENDERS: dict[str, Callable[[requests.Session, str, dict[str, Any]], requests.Response]] = {
    "get": lambda session, url, params: session.get(url, params=params),
    "json": lambda session, url, params: session.post(url, params=params, json={"op": "getThing", "n": 1.50}),
    "form": lambda session, url, params: session.post(url, params=params, data={"op": "getThing"}),
    "bytes": lambda session, url, params: session.put(url, params=params, data=b"\x00\x01"),
    "multipart": lambda session, url, params: session.post(url, params=params, files={"f": ("n", b"x")}),
    "stream": lambda session, url, params: session.post(url, params=params, data=io.BytesIO(b"of a file")),
}


@pytest.fixture
def foreign() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


@pytest.fixture
def auth(partner: SimulatedPartner) -> PartnerAuth:
    if isinstance(partner, SimulatedRpGateway):
        partner.gateway_auth = GATEWAY
        return make_auth(partner, gateway_auth=GATEWAY)
    return make_auth(partner)


def assert_nothing_leaked(foreign: RecordingServer, partner: SimulatedPartner) -> None:
    """Neither a token nor a credential of the partner's reached the other server, however spelled."""
    heard = foreign.everything
    known = partner.credentials
    secrets = [*partner.issued, GATEWAY[1], base64.b64encode(":".join(GATEWAY).encode()).decode()]
    secrets += [known[name] for name in ("password", "key", "iv") if name in known]
    for secret in secrets:
        assert secret not in heard
        assert quote(secret, safe="") not in heard
    for header in ("authorization", "token", "hmac", "keyvalue", "ivvalue"):
        assert all(request.header(header) is None for request in foreign.heard)
    for name in ("sid", "uid"):
        assert all(
            f"{name}=" not in request.text and f'"{name}"' not in request.text for request in foreign.heard
        )


@pytest.mark.parametrize("refreshed", [False, True], ids=["at-once", "after-a-refresh"])
@pytest.mark.parametrize("status", STATUSES)
def test_nothing_goes_abroad(
    partner: SimulatedPartner,
    auth: PartnerAuth,
    session: requests.Session,
    foreign: RecordingServer,
    status: int,
    refreshed: bool,
) -> None:
    """Header, body field, form field, query parameter and outer Basic stay at home, whatever was sent."""
    # Promise: redirect-abroad
    session.auth = auth
    params = {"to": f"{foreign.url}/taken", "status": status}
    for number, (name, send) in enumerate(SENDERS.items(), start=1):
        auth.token()
        if refreshed:
            partner.revoke()
        response = send(session, f"{partner.base_url}/redirect", params)
        assert response.url == f"{foreign.url}/taken", name
        assert len(foreign.heard) == number
        assert partner.logins == (number + 1 if refreshed else 1)
    assert_nothing_leaked(foreign, partner)


@pytest.mark.parametrize("status", [307, 308])
def test_the_users_own_body_goes_along_as_it_was(
    simulator: PartnerSimulator, session: requests.Session, foreign: RecordingServer, status: int
) -> None:
    """What the user sent arrives abroad byte for byte, and without the session fields it had at home."""
    partner = simulator.rp_gateway
    session.auth = make_auth(partner)
    for refreshed in (False, True):
        if refreshed:
            partner.revoke()
        body = b'{ "op":"getThing",  "n": 1.50 }'
        headers = {"Content-Type": "application/json"}
        url = f"{partner.base_url}/redirect?to={foreign.url}/&status={status}&kept=yes"
        session.post(url, data=body, headers=headers)
        assert foreign.heard[-1].body == body
        assert foreign.heard[-1].header("Content-Length") == str(len(body))
    assert_nothing_leaked(foreign, partner)


@pytest.mark.parametrize("status", [302, 307])
def test_a_refusal_abroad_is_no_expiry_signal(
    partner: SimulatedPartner,
    auth: PartnerAuth,
    session: requests.Session,
    foreign: RecordingServer,
    status: int,
) -> None:
    """A foreign 401, or a body that speaks like the partner, starts no login and nothing is resent to it."""
    # Promise: foreign-refusal
    session.auth = auth
    for signal in partner.expiry_signals.values():
        reply = signal()
        foreign.heard.clear()
        foreign.answer = Answer(reply.status, dict(reply.headers), reply.body)
        response = session.post(
            f"{partner.base_url}/redirect", params={"to": foreign.url, "status": status}, json={}
        )
        assert response.status_code == reply.status
        assert len(foreign.heard) == 1
        assert partner.logins == 1
    assert_nothing_leaked(foreign, partner)


@pytest.mark.parametrize("status", STATUSES)
def test_back_home_the_token_works_again(
    partner: SimulatedPartner,
    auth: PartnerAuth,
    session: requests.Session,
    foreign: RecordingServer,
    status: int,
) -> None:
    """Home, abroad and home again in one request: the last hop is answered, without a further login."""
    session.auth = auth
    foreign.answer = Answer(status, {"Location": f"{partner.base_url}/echo"})
    params = {"to": foreign.url, "status": status}
    for send in SENDERS.values():
        response = send(session, f"{partner.base_url}/redirect", params)
        assert response.url.startswith(f"{partner.base_url}/echo")
        assert response.status_code == 200
        assert partner.accepted
        assert len(response.history) >= 2
    assert session.get(f"{partner.base_url}/echo").status_code == 200
    assert partner.logins == 1
    assert_nothing_leaked(foreign, partner)


def test_abroad_twice_by_way_of_home(
    partner: SimulatedPartner, auth: PartnerAuth, session: requests.Session, foreign: RecordingServer
) -> None:
    """A token that was placed anew on the way home is taken off again when the next hop leaves."""
    session.auth = auth
    back = f"{partner.base_url}/redirect?to={quote(foreign.url + '/end')}&status=307"

    def answer(heard: Heard) -> Answer:
        return Answer(307, {"Location": back}) if heard.target == "/start" else Answer(body=b"{}")

    foreign.answer = answer
    for send in SENDERS.values():
        send(session, f"{partner.base_url}/redirect", {"to": f"{foreign.url}/start", "status": 307})
        assert [heard.target for heard in foreign.heard[-2:]] == ["/start", "/end"]
    assert partner.logins == 1
    assert_nothing_leaked(foreign, partner)


def test_home_hops_first_then_abroad_and_further(
    partner: SimulatedPartner, auth: PartnerAuth, session: requests.Session, foreign: RecordingServer
) -> None:
    """Two hops at home carry the token, two further ones abroad carry none."""
    session.auth = auth
    with recording_server() as farther:
        foreign.answer = Answer(308, {"Location": f"{farther.url}/end"})
        out = f"{partner.base_url}/redirect?status=308&to={quote(foreign.url, safe='')}"
        response = session.post(f"{partner.base_url}/redirect", params={"to": out, "status": 308}, json={})
        assert response.url == f"{farther.url}/end"
        assert_nothing_leaked(farther, partner)
    assert_nothing_leaked(foreign, partner)
    assert (partner.logins, partner.refusals) == (1, 0) or partner.name == "rp-gateway"


@pytest.mark.parametrize("refreshed", [False, True])
def test_response_next_carries_nothing_abroad(
    partner: SimulatedPartner,
    auth: PartnerAuth,
    session: requests.Session,
    foreign: RecordingServer,
    refreshed: bool,
) -> None:
    """With allow_redirects=False the prepared next request is clean, and so it is sent."""
    session.auth = auth
    auth.token()
    if refreshed:
        partner.revoke()
    params = {"to": f"{foreign.url}/next", "status": 307}
    response = session.post(f"{partner.base_url}/redirect", params=params, json={}, allow_redirects=False)
    assert response.next is not None
    session.send(response.next)
    assert [heard.target for heard in foreign.heard] == ["/next"]
    assert_nothing_leaked(foreign, partner)


ECHOES: dict[str, Callable[[str], str]] = {
    "raw": lambda token: f"/?t={token}",
    "encoded": lambda token: f"/?t={quote(token, safe='')}",
    "lower case": lambda token: f"/?t={quote(token, safe='').lower()}",
    "twice encoded": lambda token: f"/?back=%2Fx%3Fsid%3D{quote(quote(token, safe=''), safe='')}%26y&kept=1",
    "base64": lambda token: f"/?t={base64.b64encode(token.encode()).decode().rstrip('=')}",
    "in the path": lambda token: f"/{token}/x",
    "in the path and twice": lambda token: f"/{token[:5]}{token}{token[5:]}/x",
    "in the fragment": lambda token: f"/#t={token}",
    "in a name": lambda token: f"/?{token}",
}


@pytest.mark.parametrize("refreshed", [False, True])
@pytest.mark.parametrize("spelling", ECHOES)
def test_a_location_that_repeats_the_token(
    simulator: PartnerSimulator,
    session: requests.Session,
    foreign: RecordingServer,
    spelling: str,
    refreshed: bool,
) -> None:
    """A partner that writes the token into the address it redirects to does not thereby give it away."""
    # Promise: location
    for partner in (simulator.bex, simulator.rp_gateway):
        partner.same_value = "tok+en/with=marks-and+length"
        auth = session.auth = make_auth(partner)
        auth.token()
        location = foreign.url + ECHOES[spelling](partner.same_value)
        if refreshed:
            partner.revoke()
        response = session.get(f"{partner.base_url}/redirect", params={"to": location, "status": 302})
        followed = foreign.everything.lower()
        assert bool(followed) == response.url.startswith(foreign.url)
        for written in (partner.same_value, quote(partner.same_value, safe="")):
            assert written.lower() not in followed
            assert not followed or written.lower() not in response.url.lower()
        assert base64.b64encode(partner.same_value.encode()).decode().rstrip("=").lower() not in followed
        assert "%252b" not in followed
        if "kept=1" in location and response.url.startswith(foreign.url):
            assert response.url.endswith("/?kept=1")


def test_a_password_that_is_a_common_word(
    simulator: PartnerSimulator, session: requests.Session, foreign: RecordingServer
) -> None:
    """It is in no token, and not cut out of the address that a redirect names."""
    partner = simulator.bex
    partner.add_account(username="u", password="files")
    session.auth = make_auth(partner, username="u", password="files")
    session.get(
        f"{partner.base_url}/redirect", params={"to": f"{foreign.url}/files/1?files=2", "status": 302}
    )
    assert [heard.target for heard in foreign.heard] == ["/files/1?files=2"]


def test_a_request_that_led_abroad_is_sent_again(
    simulator: PartnerSimulator, session: requests.Session, foreign: RecordingServer
) -> None:
    """With a newer token by then, which the partner writes into the address: that stays at home as well."""
    partner = simulator.bex

    def repeat_token(call: Call) -> Reply:
        value = call.headers.get("token", "")
        if value not in partner.live_tokens:
            return Reply(401)
        return Reply(302, {"Location": f"{foreign.url}/label?t={value}"})

    partner.answer("/label", repeat_token)
    session.auth = make_auth(partner)
    prepared = session.prepare_request(requests.Request("GET", f"{partner.base_url}/label"))
    for _ in range(3):
        assert session.send(prepared).url.startswith(foreign.url)
        partner.revoke()
        assert is_good(session.get(f"{partner.base_url}/echo"))
    assert partner.logins == 4
    assert not any(token in foreign.everything for token in partner.issued)


@pytest.mark.parametrize("spelling", ["raw", "twice encoded", "in the path"])
def test_a_location_that_repeats_a_token_that_came_meanwhile(
    partner: SimulatedPartner,
    auth: PartnerAuth,
    session: requests.Session,
    foreign: RecordingServer,
    spelling: str,
) -> None:
    """Another thread is refused and logs in while a request is on its way: the new token stays at home."""
    # Promise: newer-token
    auth.token()

    def log_in_elsewhere(call: Call) -> Reply:
        partner.revoke()
        echoes.append(Background(lambda: requests.get(f"{partner.base_url}/echo", auth=auth)).result())
        location = foreign.url + ECHOES[spelling](partner.issued[-1])
        return Reply(307, {"Location": location})

    echoes: list[Any] = []
    partner.answer("/meanwhile", log_in_elsewhere)
    session.auth = auth
    for logins in (2, 3):
        response = session.get(f"{partner.base_url}/meanwhile")
        assert is_good(echoes[-1])
        assert partner.logins == logins
        assert response.url.startswith(foreign.url)
    assert len(foreign.heard) == 2
    assert_nothing_leaked(foreign, partner)
    for token in partner.issued:
        assert quote(quote(token, safe=""), safe="") not in foreign.everything


def test_an_adapter_with_retries_keeps_to_it(
    partner: SimulatedPartner, auth: PartnerAuth, session: requests.Session, foreign: RecordingServer
) -> None:
    """urllib3's Retry, mounted by the user, neither follows a redirect by itself nor takes a token along."""
    session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, redirect=3, status_forcelist=[503])))
    session.auth = auth
    session.get(f"{partner.base_url}/redirect", params={"to": f"{foreign.url}/x", "status": 302})
    assert [heard.target for heard in foreign.heard] == ["/x"]
    assert_nothing_leaked(foreign, partner)


def test_a_request_shared_by_two_threads_gets_no_token_back(
    partner: SimulatedPartner, auth: PartnerAuth, session: requests.Session, foreign: RecordingServer
) -> None:
    """While one thread's redirect is about to leave, another's resend of the same request changes nothing."""
    on_its_way, about_to_leave, resent = threading.Event(), threading.Event(), threading.Event()

    def wait_before_leaving(response: requests.Response, **_: Any) -> None:
        if response.is_redirect and response.url.startswith(partner.base_url):
            about_to_leave.set()
            assert resent.wait(20)

    def answer(call: Call) -> Reply | None:
        if not on_its_way.is_set():
            on_its_way.set()
            assert about_to_leave.wait(20)
            return partner.expiry_signals["status"]()
        return None if resent.is_set() or about_to_leave.is_set() else Reply(307, {"Location": foreign.url})

    def send_and_resend() -> None:
        try:
            with requests.Session() as other:
                statuses.append(other.send(request).status_code)
        finally:
            resent.set()

    statuses: list[int] = []
    partner.answer("/shared", answer)
    request = requests.Request(
        "POST", f"{partner.base_url}/shared", json={}, auth=auth, hooks={"response": [wait_before_leaving]}
    ).prepare()
    resending = threading.Thread(target=send_and_resend)
    resending.start()
    assert on_its_way.wait(20)
    session.send(request)
    resending.join(20)
    assert statuses == [200]
    assert partner.logins == 1
    assert len(foreign.heard) == 1
    assert_nothing_leaked(foreign, partner)
