"""A resent body is byte for byte the first, or the request is not sent again."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import requests
from conftest import make_auth
from requests_toolbelt import MultipartEncoder
from together import is_good

from requests_partnerauth import HeaderPlacement
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

CONTENT = random.Random(3).randbytes(100_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def document(tmp_path: Path) -> Iterator[BinaryIO]:
    """A file of 100 kB, open for reading."""
    path = tmp_path / "document.bin"
    path.write_bytes(CONTENT)
    with path.open("rb") as opened:
        yield opened


class OneWay(io.RawIOBase):
    """A stream that can be read once, as a socket or a pipe can."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._left.readinto(buffer)

    def __len__(self) -> int:
        return len(self._left.getbuffer())


def generator() -> Iterator[bytes]:
    for start in range(0, len(CONTENT), 1000):
        yield CONTENT[start : start + 1000]


def body_of(kind: str, document: BinaryIO) -> dict[str, Any]:
    """The arguments that make a request with this kind of body."""
    if kind == "file from an offset":
        document.seek(12_345)
    if kind == "BytesIO":
        return {"data": io.BytesIO(CONTENT)}
    if kind == "BytesIO from an offset":
        stream = io.BytesIO(CONTENT)
        stream.read(777)
        return {"data": stream}
    return {
        "file": {"data": document},
        "file from an offset": {"data": document},
        "files": {"files": {"label": ("label.pdf", document, "application/pdf")}, "data": {"a": "1"}},
        "bytes": {"data": CONTENT},
        "empty": {"data": b""},
        "str": {"data": "Zürich ☃ €"},
        "json": {"json": {"amount": 1.5, "name": "ü", "list": [1, 2, None]}},
        "json list": {"json": [1, 2, 3]},
        "form": {"data": {"a": "1", "b": "ü&="}},
    }[kind]


REPLAYED = [
    "bytes", "empty", "str", "json", "json list", "form", "files", "file", "file from an offset",
    "BytesIO", "BytesIO from an offset",
]  # fmt: skip
ONCE = {
    "generator": generator,
    "non-seekable stream": lambda: OneWay(CONTENT),
    "toolbelt's MultipartEncoder": lambda: MultipartEncoder({"label": ("label.pdf", io.BytesIO(CONTENT))}),
}


@pytest.mark.parametrize("kind", REPLAYED)
def test_a_resent_body_is_the_first(
    partner: SimulatedPartner, session: requests.Session, document: BinaryIO, kind: str
) -> None:
    """Whatever can be replayed arrives twice, alike by SHA-256 but for the token itself."""
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    response = session.post(f"{partner.base_url}/echo", **body_of(kind, document), timeout=20)
    assert is_good(response)
    first, second = partner.calls
    expected, resent = first.body, second.body
    if partner.name == "rp-gateway" and kind in ("json", "form"):
        # Here the token is in the body: the new one in the place of the old, all else alike.
        expected = expected.replace(partner.issued[0].encode(), partner.issued[1].encode())
    assert sha256(resent) == sha256(expected) == response.json()["echo"]["sha256"]
    if kind == "file from an offset":
        assert resent == CONTENT[12_345:]
    if kind == "BytesIO from an offset":
        assert resent == CONTENT[777:]
    if kind in ("bytes", "file", "BytesIO"):
        assert resent == CONTENT


@pytest.mark.parametrize("kind", sorted(ONCE))
def test_what_cannot_be_replayed_is_sent_once(
    partner: SimulatedPartner, session: requests.Session, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It arrives once and whole, the caller gets the refusal as it came, and the next request is good."""
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    with caplog.at_level(logging.WARNING, logger="requests_partnerauth"):
        response = session.post(f"{partner.base_url}/echo", data=ONCE[kind](), timeout=20)
    assert not is_good(response)
    assert response.history == []
    assert (len(partner.calls), partner.logins) == (1, 1)
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    assert CONTENT in partner.calls[0].body
    again = session.post(f"{partner.base_url}/echo", data=ONCE[kind](), timeout=20)
    assert is_good(again)
    assert CONTENT in partner.calls[1].body
    assert (len(partner.calls), partner.logins) == (2, 2)


def test_a_file_closed_meanwhile_is_not_resent(
    simulator: PartnerSimulator, session: requests.Session, document: BinaryIO
) -> None:
    """A file that the user's code has closed by the time of the refusal is not sent again."""
    partner = simulator.bex

    def close_and_look(response: requests.Response) -> bool:
        document.close()
        return response.status_code == 419

    session.auth = make_auth(partner, expired_when=close_and_look)
    partner.answer("/echo", Reply(419))
    response = session.post(f"{partner.base_url}/echo", data=document)
    assert (response.status_code, len(partner.calls)) == (419, 1)


def test_a_pipe_is_not_resent(simulator: PartnerSimulator, session: requests.Session) -> None:
    """What `tell` fails on can't be replayed, and nothing hangs over it."""
    partner = simulator.bex
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        response = session.post(f"{partner.base_url}/echo", data=pipe, timeout=20)
    assert (response.status_code, len(partner.calls)) == (401, 1)


def test_members_and_digits_of_a_json_body_stay(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """A JSON body that takes the token in keeps the order and the spelling of all else, in the resend too."""
    partner = simulator.rp_gateway
    session.auth = make_auth(partner)
    session.auth.token()
    partner.revoke()
    text = '{"z": 1.50, "a": 1e3, "n": 12345678901234567890, "u": "\\u00fc"}'
    response = session.post(
        f"{partner.base_url}/echo", data=text, headers={"Content-Type": "application/json"}
    )
    assert is_good(response)
    for call in partner.calls:
        assert call.body.decode().startswith(text[:-1])
        assert list(json.loads(call.body)) == ["z", "a", "n", "u", "uid", "sid"]
        assert int(call.headers["Content-Length"]) == len(call.body)


def test_a_longer_token_fits_a_resent_body(simulator: PartnerSimulator, session: requests.Session) -> None:
    """Where the new token is longer or shorter than the old, the length that is announced follows it."""
    partner = simulator.rp_gateway
    session.auth = make_auth(partner)
    for value in ("short", "much-longer-than-the-one-before", "x"):
        partner.same_value = value
        partner.revoke()
        assert is_good(session.post(f"{partner.base_url}/echo", json={"op": "search"}, timeout=20))
        assert is_good(session.post(f"{partner.base_url}/echo", data={"op": "search"}, timeout=20))
    assert partner.logins == 3


def test_a_token_header_by_the_user_gives_way(simulator: PartnerSimulator, session: requests.Session) -> None:
    """A header of the token's name that the user set is replaced, in the resend as well."""
    partner = simulator.fiserv_boarding
    auth = make_auth(partner)
    assert isinstance(auth.placement, HeaderPlacement)
    auth.token()
    partner.revoke()
    session.headers[auth.placement.name] = "mine"
    assert is_good(session.get(f"{partner.base_url}/echo", auth=auth))
    assert [call.headers["Authorization"] for call in partner.calls] == partner.issued
