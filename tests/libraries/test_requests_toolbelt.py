"""requests-toolbelt: `BaseUrlSession` needs nothing special; a `MultipartEncoder` can't be sent twice.

A `MultipartEncoder` is a stream that can't be wound back. Refused, it is not resent: the caller gets the
refusal, and the next request has a new token. To avoid that, make the body replayable: `encoder.to_string()`,
with the header `encoder.content_type`; or plain `files=` of requests. Fields that rp.Gateway wants in the
request go into the query.
"""

from __future__ import annotations

import io
from typing import Any

import requests
from conftest import make_auth
from requests_toolbelt import MultipartEncoder
from requests_toolbelt.sessions import BaseUrlSession

from requests_partnerauth.simulator import SimulatedPartner


def encoder() -> MultipartEncoder:
    """A form with a file in it."""
    return MultipartEncoder({"field": "value", "file": ("a.txt", io.BytesIO(b"content" * 999), "text/plain")})


def upload(session: requests.Session, partner: SimulatedPartner, body: MultipartEncoder) -> requests.Response:
    """Post a form as it streams."""
    return session.post(f"{partner.base_url}/upload", data=body, headers={"Content-Type": body.content_type})


def test_a_form_streams_through(partner: SimulatedPartner, session: requests.Session) -> None:
    """A `MultipartEncoder` arrives whole, with a token."""
    session.auth = make_auth(partner)
    length = encoder().len
    reply = upload(session, partner, encoder())
    assert reply.json()["echo"]["length"] == length
    assert (partner.logins, partner.accepted) == (1, 1)


def test_a_refused_form_is_not_sent_twice_or_half(
    partner: SimulatedPartner, session: requests.Session, caplog: Any
) -> None:
    """The caller gets the refusal, one warning tells why, and the next form goes out with a new token."""
    session.auth = make_auth(partner)
    session.get(partner.base_url)
    partner.revoke()
    partner.calls.clear()
    refused = upload(session, partner, encoder())
    assert refused.history == []
    assert len(partner.calls) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    reply = upload(session, partner, encoder())
    assert reply.json()["echo"]["length"] == encoder().len
    assert (partner.logins, partner.refusals) == (2, 1)


def test_a_form_as_bytes_is_resent_whole(partner: SimulatedPartner, session: requests.Session) -> None:
    """`to_string()` makes a body that is sent again, byte for byte."""
    session.auth = make_auth(partner)
    session.get(partner.base_url)
    partner.revoke()
    form = encoder()
    body = form.to_string()
    reply = session.post(f"{partner.base_url}/upload", data=body, headers={"Content-Type": form.content_type})
    assert len(reply.history) == 1
    assert {call.body for call in partner.calls if call.path == "/upload"} == {body}


def test_a_base_url_session_carries_the_token(partner: SimulatedPartner) -> None:
    """Relative paths are joined to the base URL before the auth sees the request."""
    with BaseUrlSession(base_url=f"{partner.base_url}/") as session:
        session.auth = make_auth(partner)
        for _ in range(2):
            assert session.get("some/thing").json()["echo"]["path"] == "/some/thing"
            partner.revoke()
    assert (partner.logins, partner.accepted) == (2, 2)
