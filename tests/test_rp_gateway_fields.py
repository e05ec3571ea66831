"""Where rp.Gateway's session travels: fields in a JSON object, a form or the query, all else untouched."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from conftest import make_auth

from requests_partnerauth.simulator import Call, PartnerSimulator, SimulatedRpGateway

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def partner(simulator: PartnerSimulator) -> SimulatedRpGateway:
    return simulator.rp_gateway


def exactly(text: str | bytes) -> Any:
    """A JSON document whose numbers are kept as they are written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def sent(
    partner: SimulatedRpGateway, session: requests.Session, **request: Any
) -> tuple[Call, dict[str, str]]:
    """How a request arrives, and the session fields that belong to it."""
    auth = make_auth(partner)
    answer = session.request(
        request.pop("method", "POST"), partner.base_url + "/search", auth=auth, **request
    )
    assert answer.status_code == 200
    return partner.calls[-1], {"uid": partner.credentials["uid"], "sid": auth.token().value}


def test_a_json_object_gets_the_fields_as_members(
    partner: SimulatedRpGateway, session: requests.Session
) -> None:
    """sid and uid join the user's own members; the query stays empty."""
    call, fields = sent(partner, session, json={"op": "search", "suburb": "Zürich"})

    assert call.json() == {"op": "search", "suburb": "Zürich", **fields}
    assert call.query == {}
    assert int(call.headers["Content-Length"]) == len(call.body)


@pytest.mark.parametrize("body", ["{}", " { } ", "{\n}\n"])
def test_an_empty_json_object(partner: SimulatedRpGateway, session: requests.Session, body: str) -> None:
    """An object without members gets the two, and nothing else."""
    call, fields = sent(partner, session, data=body, headers=JSON)

    assert call.json() == fields


@pytest.mark.parametrize(
    "own",
    [
        "",
        '"sid": "old", ',
        '"uid" :\t"old" , "sid":null,',
        '"s\\u0069d": {"sid": [1, "}"]}, "uid": "a", "uid": "b", ',
    ],
)
def test_json_keeps_what_is_written_in_it(
    partner: SimulatedRpGateway, session: requests.Session, own: str
) -> None:
    """Digits, order, letters and escapes stay as they are; fields of the user's own name give way."""
    members = (
        '"price": 1.10, "huge": 1e400, "tiny": -0.0E-7, "digits": 123456789012345678901234567890, '
        '"place": "Zürich \\u00fc \\" , }", "nested": {"sid": "kept", "rate": 0.10}, '
        '"list": [1.0, {"uid": 2}]'
    )
    for body in (f"{{{own}{members}}}", f"{{{members}{',' if own else ''}{own.rstrip(', ')}}}"):
        call, fields = sent(partner, session, data=body.encode(), headers=JSON)

        assert members in call.body.decode()
        assert exactly(call.body) == {**exactly(f"{{{members}}}"), **fields}
        assert list(exactly(call.body))[-2:] == ["uid", "sid"]


def test_a_form_gets_the_fields_as_fields(partner: SimulatedRpGateway, session: requests.Session) -> None:
    """The user's own pairs keep their order, repetitions and spelling; own sid and uid give way."""
    call, fields = sent(
        partner,
        session,
        data=[("q", "a+b & ü"), ("sid", "old"), ("q", "2"), ("uid", "old"), ("empty", "")],
    )

    pairs = parse_qsl(call.body.decode(), keep_blank_values=True)
    assert pairs == [("q", "a+b & ü"), ("q", "2"), ("empty", ""), *fields.items()]
    assert call.query == {}


def test_a_request_without_a_body_gets_them_into_the_query(
    partner: SimulatedRpGateway, session: requests.Session
) -> None:
    """The user's own query keeps order, repetitions and spelling; own sid and uid give way."""
    query = "q=a%2Bb&sid=old&q=%C3%BC+2&uid=old&flag&empty="
    call, fields = sent(partner, session, method="GET", params=query)

    assert urlsplit(call.url).query.startswith("q=a%2Bb&q=%C3%BC+2&flag&empty=&")
    assert call.query == {"q": "ü 2", "flag": "", "empty": "", **fields}
    assert call.body == b""


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'[{"sid": 1}, 2.50]', "application/json"),
        (b'"text"', "application/json"),
        (b'{"broken": ', "application/json"),
        (b'{"json": "in disguise"}', "application/octet-stream"),
        (b"\xff\xfe\x00{}", "application/json"),
        (b"\x89PNG\r\n\x00\xff", "image/png"),
        (b"<xml/>", "text/xml"),
    ],
)
def test_any_other_body_is_left_alone(
    partner: SimulatedRpGateway, session: requests.Session, body: bytes, content_type: str
) -> None:
    """A body that is no JSON object and no form arrives byte for byte; the fields are in the query."""
    call, fields = sent(
        partner, session, data=body, params={"q": "1"}, headers={"Content-Type": content_type}
    )

    assert call.body == body
    assert call.query == {"q": "1", **fields}


def test_a_multipart_body_is_left_alone(partner: SimulatedRpGateway, session: requests.Session) -> None:
    """Files and their boundary arrive byte for byte; the fields are in the query."""
    plain = requests.Request(
        "POST", "http://partner.example", files={"photo": ("a.jpg", b"\xff\x00\r\n--", "image/jpeg")}
    ).prepare()
    call, fields = sent(
        partner, session, data=plain.body, headers={"Content-Type": plain.headers["Content-Type"]}
    )

    assert call.body == plain.body
    assert call.query == fields


@pytest.mark.parametrize(
    "request_with",
    [
        {"json": {"op": "search"}},
        {"data": {"q": "1"}},
        {"params": {"q": "1"}},
        {"json": [1, 2]},
        {"files": {"photo": b"\xff"}},
    ],
)
def test_a_resend_replaces_the_fields(
    partner: SimulatedRpGateway, session: requests.Session, request_with: dict[str, Any]
) -> None:
    """After the end of the session the same request goes out with the new sid, once in it."""
    session.auth = auth = make_auth(partner)
    auth.token()
    partner.revoke()

    answer = session.post(partner.base_url + "/search", **request_with)

    first, second = partner.calls
    old, new = partner.issued
    assert answer.status_code == 200
    assert second.body.decode("latin-1") == first.body.decode("latin-1").replace(old, new)
    assert second.url == first.url.replace(old, new)
    assert (second.url + second.body.decode("latin-1")).count(new) == 1
