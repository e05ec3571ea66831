"""No secret is in any text, record or object that leaves the library, whatever goes wrong."""

from __future__ import annotations

import copy
import logging
import pickle
import socket
import ssl
import warnings
from typing import Any

import pytest
import requests
import trustme
from conftest import make_auth, wrong_secret
from leak_check import (
    AUTHS,
    QuickClock,
    assert_no_secret,
    echo_of,
    everything_in,
    hard_auth,
    of_logs,
    secrets_of,
)
from recording_server import recording_server

from requests_partnerauth import (
    BexAuth,
    InvalidLoginResponse,
    LoginRejected,
    LoginUnavailable,
    PartnerAuthError,
)
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("name", "more"), AUTHS)
@pytest.mark.parametrize("trouble", ["refused", "unresolved", "untrusted", "silent", "reset", "truncated"])
def test_when_the_network_fails(
    simulator: PartnerSimulator,
    session: requests.Session,
    records: list[logging.LogRecord],
    name: str,
    more: dict[str, Any],
    trouble: str,
) -> None:
    """Connection refused, DNS and TLS failure, timeout, reset: each told by its own words, and no secret."""
    partner = simulator.partners[name]
    base_url, told = partner.base_url, ""
    with recording_server(untrusted_context()) as tls_server:
        if trouble == "refused":
            base_url, told = f"http://127.0.0.1:{closed_port()}", "refused"
        elif trouble == "unresolved":
            base_url, told = "http://nowhere.invalid", "resolved|connection"
        elif trouble == "untrusted":
            base_url, told = tls_server.url, "certificate"
        elif trouble == "silent":
            partner.login_delay, told = 2.5, "no answer|no whole answer"
        elif trouble == "reset":
            partner.answer_logins(Reply(reset=True))
            told = "broke"
        else:
            partner.answer_logins(Reply(200, {}, b'{"value": "x"}' * 50, truncate=True))
            told = "broke"
        limit = (0.4, 0.4) if trouble == "silent" else (10, 10)
        arguments = {**more, "base_url": base_url, "allow_http": True, "login_timeout": limit}
        auth = session.auth = hard_auth(partner, **arguments)
        with pytest.raises(LoginUnavailable, match=told) as caught:
            session.get(f"{base_url}/echo")
        assert_no_secret(auth, caught.value, records)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert caught.value.request is None


def untrusted_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("stream", [False, True])
def test_when_a_refresh_fails(
    partner: SimulatedPartner, session: requests.Session, records: list[logging.LogRecord], stream: bool
) -> None:
    """The refused response that the error carries holds neither token nor credential, nor a way to either."""
    # Promise: silent-errors
    auth = session.auth = make_auth(partner)
    session.get(f"{partner.base_url}/echo")
    (token,) = partner.issued
    partner.revoke()

    def refuse(call: Call) -> Reply:
        headers = {"X-Echo": token, "Set-Cookie": f"t={token}", "Location": f"/?t={token}"}
        words = f"Access denied: invalid authentication token. {echo_of(call)}"
        return Reply(401, {**headers, "Content-Type": "text/plain"}, words.encode())

    partner.answer("/thing", refuse)
    partner.answer_logins(
        lambda call: Reply.of_json(
            {
                "ex": f"{token} {echo_of(call)}",
                "status": {"statusCode": 402, "message": f"{token} {echo_of(call)}"},
                "response": {
                    "status": "error",
                    "description": f"{token} {echo_of(call)}",
                    "errorCode": token,
                },
            }
        )
    )
    for _ in range(2):
        with pytest.raises(LoginRejected) as caught:
            session.post(f"{partner.base_url}/thing?mine=1", json={"my": "own"}, stream=stream)
        assert_no_secret(auth, caught.value, records, token)
        assert caught.value.__context__ is None
    partner.answer_logins(Reply.of_text(token, 503))
    auth.forget()
    auth.preset(token)
    auth._log_in._clock = QuickClock()
    with pytest.raises(LoginUnavailable) as caught_again:
        session.post(f"{partner.base_url}/thing?mine=1", json={"my": "own"}, stream=stream)
    assert_no_secret(auth, caught_again.value, records, token)
    response = caught_again.value.response
    assert response is not None
    assert response.status_code == 401
    assert response.request.headers == {}
    assert response.request.body is None
    assert response.raw is None
    assert not hasattr(response, "connection")


def test_a_body_in_utf_16_is_not_carried(
    simulator: PartnerSimulator, session: requests.Session, records: list[logging.LogRecord]
) -> None:
    """What can't be searched for secrets is left out of the response that an error carries."""
    partner = simulator.bex
    auth = session.auth = make_auth(partner)
    token = auth.token().value
    body = f"token {token} expired".encode("utf-16")
    partner.answer("/thing", Reply(401, {"Content-Type": "text/plain; charset=utf-16"}, body))
    partner.answer_logins(Reply(403))
    with pytest.raises(LoginRejected) as caught:
        session.get(f"{partner.base_url}/thing")
    assert caught.value.response is not None
    assert token not in caught.value.response.text


def test_when_all_goes_well(
    partner: SimulatedPartner, session: requests.Session, records: list[logging.LogRecord]
) -> None:
    """Neither the log of logins, refreshes and resends nor any repr on the way knows a secret."""
    # Promise: silent-repr
    auth = session.auth = make_auth(partner)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        first = session.post(f"{partner.base_url}/echo", json={})
        partner.revoke()
        again = session.get(f"{partner.base_url}/echo")
        partner.revoke()
        session.post(f"{partner.base_url}/echo", data=iter([b"can't be replayed"]))
    requests_of = [first.request, again.request, auth(requests.Request("GET", partner.base_url).prepare())]
    shown = [
        auth,
        auth.token(),
        auth.placement,
        auth._shared_account(),
        auth._log_in,
        auth._shared_account().current,
        copy.deepcopy(auth),
    ]
    shown += [request.hooks for request in requests_of]
    told = (
        f"{shown!r} {[str(one) for one in shown]} {of_logs(records)} {[str(one.message) for one in warned]}"
    )
    assert len(records) >= 3
    for secret in secrets_of(auth, *partner.issued):
        assert secret not in told
    assert auth.token().fingerprint in of_logs(records)


def test_a_refusal_is_told_and_remembered_without_the_password(
    partner: SimulatedPartner, session: requests.Session, records: list[logging.LogRecord]
) -> None:
    """The plain refusal of a wrong password, and the remembered one, name the username and no secret."""
    auth = session.auth = make_auth(partner, **wrong_secret(partner))
    for _ in range(2):
        with pytest.raises(LoginRejected) as caught:
            session.get(f"{partner.base_url}/echo")
        assert_no_secret(auth, caught.value, records)
        assert partner.name in str(caught.value)
    assert partner.login_attempts == 1


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "tökén", "a\x00b", " a", "a\n", "\u2028a", "", " "])
def test_a_token_that_fits_into_no_header(
    simulator: PartnerSimulator, records: list[logging.LogRecord], value: str
) -> None:
    """Line breaks, control characters and letters beyond ASCII in a token make an invalid login."""
    # Promise: header-token
    grants = {
        "bex": {"value": value},
        "fiserv-boarding": {"status": {"statusCode": 200}, "data": {"token": value}},
        "fiserv-partner": {"authToken": value},
        "fiserv-commerce-connect": {"data": {"token": value}},
        "rp-gateway": {"response": {"status": "success", "authenticationCode": value}},
    }
    for name, grant in grants.items():
        partner = simulator.partners[name]
        partner.answer_logins(Reply.of_json(grant))
        auth = make_auth(partner)
        with pytest.raises(InvalidLoginResponse) as caught:
            auth.token()
        assert_no_secret(auth, caught.value, records)
        assert "Injected" not in everything_in(caught.value)
        assert "kén" not in everything_in(caught.value)
        assert caught.value.response is None


@pytest.mark.parametrize("value", ["x\r\nX-Injected: 1", "x y&z=1#", "ü\n", 'q"}, {"'])
def test_nothing_is_injected_through_an_argument(simulator: PartnerSimulator, value: str) -> None:
    """Line breaks and markup in a user name, password, ain or uid stay inside their own field."""
    for name, fields in {
        "bex": ("username", "password"),
        "fiserv-boarding": ("username", "password"),
        "fiserv-partner": ("username", "password", "ain", "source"),
        "rp-gateway": ("username", "password", "uid", "customer_id"),
    }.items():
        partner = simulator.partners[name]
        for field in fields:
            if name == "fiserv-partner" and field == "username" and ":" in value:
                continue
            auth = make_auth(partner, **{field: value})
            with pytest.raises(PartnerAuthError):
                auth.token()
            assert "X-Injected" not in partner.login_calls[-1].headers
            assert "z" not in partner.login_calls[-1].query
    connect = simulator.fiserv_commerce_connect
    if not value.isprintable() or not value.isascii():
        with pytest.raises(ValueError, match=r"^merchant_id: "):
            make_auth(connect, merchant_id=value)


@pytest.mark.parametrize(("name", "more"), AUTHS)
def test_a_password_beyond_every_encoding_is_refused_by_name(
    simulator: PartnerSimulator, name: str, more: dict[str, Any]
) -> None:
    """Bytes of the environment that are no UTF-8 are refused at once; the error does not quote them."""
    partner = simulator.partners[name]
    secret = {partner.secret_field: "hid" + "den\udce9"}
    with pytest.raises(ValueError, match=f"^{partner.secret_field}: ") as caught:
        make_auth(partner, **more, **secret)
    assert "hidden" not in everything_in(caught.value)


def test_errors_survive_a_pickle() -> None:
    """Type, message, code and the partner's words come out of a pickle as they went in."""
    error = LoginRejected("what happened", code=402, partner_message="Bad Credential")
    kept = pickle.loads(pickle.dumps(error))
    assert (str(kept), kept.code, kept.partner_message) == ("what happened", "402", "Bad Credential")
    assert isinstance(kept, requests.RequestException)


def test_the_log_of_urllib3_is_the_only_one_with_a_query_password(
    simulator: PartnerSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """login_via="query" shows the password in urllib3's DEBUG log, as documented, and in no other logger."""
    caplog.set_level(logging.DEBUG)
    auth = make_auth(simulator.bex, login_via="query")
    assert isinstance(auth, BexAuth)
    auth.token()
    telling = {record.name for record in caplog.records if "pass1234" in record.getMessage()}
    assert telling == {"urllib3.connectionpool"}
