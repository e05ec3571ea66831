"""Whatever answers a login, it ends in a token or in an error of the library."""

from __future__ import annotations

import gzip
import io
import json
import time
import zlib
from typing import Any

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from requests_partnerauth import LoginUnavailable, PartnerAuth, PartnerAuthError, Token
from requests_partnerauth.simulator import PartnerSimulator

NAMES = [
    "ex", "value", "id", "token", "ttl", "data", "status", "Status", "statusCode", "StatusCode", "message",
    "authToken", "refreshToken", "response", "description", "authenticationCode", "sessionTokenId",
    "errorCode", "errorMessage", "userName",
]  # fmt: skip
WORDS = [
    "success",
    "error",
    "Token not found",
    "200",
    "401",
    "402",
    "500",
    "t0ken",
    "",
    " ",
    "\ud800",
    "a\r\nb",
]
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 30, 200, 401, 402, 500, 10**400, 1e308])
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(WORDS), st.text(max_size=8))
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), inner, max_size=4),
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=6)
WRITTEN = st.one_of(OBJECTS, ANY_JSON).map(lambda thing: json.dumps(thing).encode())
BODIES = st.one_of(
    WRITTEN,
    WRITTEN,
    WRITTEN.map(lambda body: body[: len(body) // 2]),
    WRITTEN.map(lambda body: b"\xef\xbb\xbf" + body),
    WRITTEN.map(lambda body: body.decode().encode("utf-16")),
    st.binary(max_size=60),
    st.sampled_from(
        [b"", b"{", b"{}" * 9, b'{"a":' * 3_000, b'{"ttl": ' + b"9" * 5_000 + b"}", b"[" * 5_000]
    ),
)
STATUSES = st.one_of(
    st.sampled_from([200, 200, 200, 201, 204, 302, 304, 400, 401, 403, 404, 429, 500, 503]),
    st.integers(100, 999),
)
TYPES = st.one_of(
    st.sampled_from(
        ["application/json", "text/html", "application/json; charset=utf-16", "text/plain; charset=undefined",
         "application/json; charset=idna", "text/json; charset=hex", "; charset=", "application/problem+json"]
    ),
    st.text(st.characters(max_codepoint=255), max_size=20),
)  # fmt: skip
ENCODINGS = st.sampled_from([None, None, None, None, "gzip", "deflate", "not gzip", "br", "gzip, gzip"])
LATER = st.one_of(st.none(), st.text(st.characters(max_codepoint=255), max_size=12), st.integers().map(str))


class Answering(BaseAdapter):
    """Answers everything with one reply, read from its bytes as urllib3 reads a socket."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, reason: str | None) -> None:
        super().__init__()
        self.reply = status, headers, body, reason
        self.asked = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        self.asked += 1
        status, headers, body, reason = self.reply
        raw = HTTPResponse(
            io.BytesIO(body),
            headers,
            status,
            reason=reason,
            preload_content=False,
            request_method=request.method,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        pass


class NoPause:
    """Real time, and pauses that take none."""

    monotonic, wall = staticmethod(time.monotonic), staticmethod(time.time)

    @staticmethod
    def sleep(seconds: float) -> None:
        pass


def outcome_of(auth: PartnerAuth) -> Token | PartnerAuthError:
    try:
        return auth.token()
    except PartnerAuthError as error:
        return error


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(AUTH_CLASSES))
@settings(
    max_examples=2_000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STATUSES, TYPES, BODIES, ENCODINGS, LATER, st.one_of(st.none(), st.text(max_size=8)))
@example(
    200,
    "application/json",
    b'{"ex": "\\ud800", "status": {"statusCode": 402, "message": "\\ud800"}}',
    None,
    None,
    "",
)
@example(503, "text/html", b"", None, "9" * 400, None)
@example(503, "text/html", b"", None, "9" * 5_000, None)
@example(429, "text/html", b"", None, "Mon, 99 Foo 0000 99:99:99 GMT", None)
@example(200, "application/json", b"{}", "not gzip", None, None)
def test_any_reply_ends_in_a_token_or_an_error_of_ours(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    kind: str,
    body: bytes,
    encoding: str | None,
    later: str | None,
    reason: str | None,
) -> None:
    """Any status, headers, JSON or bytes: a Token, or a PartnerAuthError that can be read; never else."""
    monkeypatch.setattr(PartnerAuth, "_clock", NoPause)
    headers = {"Content-Type": kind}
    if encoding is not None:
        headers["Content-Encoding"] = encoding.removeprefix("not ")
        body = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding, bytes)(body)
    if later is not None:
        headers["Retry-After"] = later
    partner = PartnerSimulator().partners[name]
    adapter = Answering(status, headers, body, reason)
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", adapter)
    auth = make_auth(partner, login_session=session)
    outcome = outcome_of(auth)
    if isinstance(outcome, PartnerAuthError):
        assert str(outcome).startswith(f"{name} ")
        assert str(outcome).isprintable()
        assert len(str(outcome)) < 1_000
        assert outcome.__cause__ is outcome.__context__ is None
        assert adapter.asked == 1 or isinstance(outcome, LoginUnavailable)
    else:
        assert adapter.asked == 1
        assert isinstance(outcome, Token)
        assert outcome.value.isascii()
        assert outcome.value.isprintable()
        assert 200 <= status < 300
    assert 1 <= adapter.asked <= 3
