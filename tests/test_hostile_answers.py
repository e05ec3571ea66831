"""What a partner may answer a login with costs no more than a login's limit; what is signed stays signed."""

from __future__ import annotations

import gzip
import json
import pickle
import tracemalloc
import zlib
from collections.abc import Iterator

import attrs
import pytest
import requests
from conftest import make_auth
from placed import PlacedAuth, home
from recording_server import Answer, RecordingServer, recording_server

from requests_partnerauth import (
    CookiePlacement,
    ForeignOrigin,
    HeaderPlacement,
    InvalidLoginResponse,
    Placement,
    QueryPlacement,
    SessionFieldsPlacement,
)
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

JSON = {"Content-Type": "application/json"}
GOOD = b'{"token": "made-up-token"}'
PLACEMENTS = [
    HeaderPlacement("X-Token"),
    HeaderPlacement("Authorization"),
    CookiePlacement("JSESSIONID"),
    QueryPlacement("key"),
    SessionFieldsPlacement("sid", {"uid": "X1"}),
]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


def zeros(megabytes: int) -> bytes:
    """A JSON text of so many, gzipped."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    filler = [packer.compress(b"0" * (1 << 20)) for _ in range(megabytes)]
    return b"".join([packer.compress(b'{"token":"'), *filler, packer.compress(b'"}'), packer.flush()])


BOMB = zeros(200)
UNREAD = {
    "200 MB": ("gzip", BOMB, "256 KiB"),
    "a gigabyte in gzip in gzip": ("gzip, gzip", gzip.compress(zeros(1000)), "gzip nor deflate alone"),
}


@pytest.mark.parametrize("kind", UNREAD)
def test_an_encoded_login_is_decoded_up_to_its_limit(server: RecordingServer, kind: str) -> None:
    """Of a gigabyte in a few bytes no more than 256 KiB are decoded; nested and other encodings are none."""
    # Promise: login-size
    encoding, body, why = UNREAD[kind]
    server.answer = Answer(200, {**JSON, "Content-Encoding": encoding}, body)
    auth = PlacedAuth(server.url, HeaderPlacement("X-Token"))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidLoginResponse, match=why):
            auth.token()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "value"),
    [("Content-Length", "9" * 5_000), ("X-Any", "9" * 60_000), ("Retry-After", "9" * 5_000)],
)
def test_no_header_of_a_call_breaks_it(
    partner: SimulatedPartner, session: requests.Session, name: str, value: str, stream: bool
) -> None:
    """However many digits a header has, the caller gets a response, be it good or the partner's refusal."""
    # Promise: long-header
    signal = partner.expiry_signals["status"]()
    partner.answer("/x", Reply(200, {**JSON, name: value}, b"{}", chunked=True))
    partner.answer("/refused", attrs.evolve(signal, headers={**signal.headers, name: value}, chunked=True))
    session.auth = make_auth(partner)
    for path, status in (("/x", 200), ("/refused", 401)):
        assert session.get(partner.base_url + path, stream=stream, timeout=10).status_code == status


@pytest.mark.parametrize("body", [None, {"n": 1}], ids=["get", "json"])
@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda placement: type(placement).__name__)
def test_a_pickled_request_takes_no_token_abroad(
    server: RecordingServer, session: requests.Session, placement: Placement, body: object
) -> None:
    """A signed request that comes out of a pickle loses its token where a redirect leads abroad."""
    # Promise: pickled-request
    with home() as partner:
        auth = PlacedAuth(partner.url, placement)
        url = f"{partner.url}/x?to={server.url}/taken&status=307"
        prepared = requests.Request("POST" if body else "GET", url, json=body, auth=auth).prepare()
        response = session.send(pickle.loads(pickle.dumps(prepared)))
        token = auth.token().value
    assert response.url == f"{server.url}/taken"
    assert partner.calls[-1].header("Host") in partner.url
    for text in (
        server.everything,
        server.everything.replace("%2F", "/").replace("%2B", "+").replace("%3D", "="),
    ):
        assert token not in text
    assert not body or json.loads(server.heard[0].body) == body


class StrayAuth(PlacedAuth):
    """Its login goes where it is told, whatever its base URL."""

    login_url = ""

    def login_request(self) -> requests.Request:
        return requests.Request("POST", self.login_url, json={"password": self.secret})


@pytest.mark.parametrize("plain", ["http://127.0.0.1:{port}/login", "http://localhost:{port}/login"])
def test_an_own_class_logs_in_at_home_alone(
    server: RecordingServer, session: requests.Session, plain: str
) -> None:
    """A login at an origin that nobody named is ForeignOrigin, and no byte of it is sent."""
    # Promise: login-abroad
    auth = StrayAuth("https://127.0.0.1:1", HeaderPlacement("X-Token"))
    auth.login_url = plain.format(port=server.server_port)
    for attempt in (auth.token, lambda: session.get("https://127.0.0.1:1/x", auth=auth)):
        with pytest.raises(ForeignOrigin) as caught:
            attempt()
        assert auth.secret not in str(caught.value)
    assert server.heard == []


def test_an_own_class_logs_in_where_its_origins_are(server: RecordingServer) -> None:
    """A login host of its own is named in `origins`."""
    auth = StrayAuth("https://127.0.0.1:1", HeaderPlacement("X-Token"), origins=(server.url,))
    auth.login_url = f"{server.url}/login"
    server.answer = Answer(200, JSON, GOOD)
    assert auth.token().value == "made-up-token"


def test_a_long_reply_in_a_slow_charset_is_not_looked_into(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """256 kB of JSON that claim to be punycode go to the caller as they are, decoded by nobody."""
    # Promise: slow-charset
    partner = simulator.bex
    text = b'{"ex": "Token not found", "x": "' + b"a-" * 15_000 + b'"}'
    partner.answer("/x", Reply(200, {"Content-Type": "application/json; charset=punycode"}, text))
    session.auth = make_auth(partner)
    assert session.get(f"{partner.base_url}/x").content == text
    assert partner.logins == 1
