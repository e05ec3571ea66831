"""Any reply to logins and API calls: documented errors, in time, in little memory, without a secret."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from time import monotonic
from typing import Any

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth
from hypothesis import strategies as st
from leak_check import QuickClock, all_records, everything_in, of_logs
from odd_server import OddServer
from secrets_abroad import SPELLINGS, found, is_ours
from trying import Case, try_all

from requests_partnerauth import PartnerAuth, PartnerAuthError
from requests_partnerauth._http.frames import let_go
from requests_partnerauth.simulator import Call, PartnerSimulator, SimulatedPartner

PASSWORD = "Gehe1m+wört/%=&"
MOST = 64 * 1024 * 1024
LIMIT = 1.0
# What a machine that is busy with other things may take on top.
BUSY = 5.0

# <secret> is a credential or the token, in the spelling of the case; <good> what the partner's login says.
TEXTS = [
    '{"ex": "\\\\# \\\\& \\\\% &#; %u &#x; \\\\ <secret>"}',
    "<good>", "<good>", "<good>", "", "{", "{}", "[]", "null", "<signal>", '{"ex": "<secret>"}',
    '{"message": "no: <secret>", "status": "error"}',
    '{"status": {"statusCode": 401, "message": "<secret>"}}',
    '{"StatusCode": 500, "Status": "<secret>"}',
    '{"response": {"status": "402", "description": "<secret>"}}', "<html><p>wrong: <secret></p>",
    "\\ufeff{}", '{"ttl": 1e999}', '{"value": "<secret>"}', "\x00\x01<secret>",
]  # fmt: skip
CHARSETS = [
    None, None, "utf-8", "latin-1", "windows-1251", "utf-16", "utf-7", "cp037", "punycode", "idna",
    "gb2312", "undefined", "hex", "unicode-escape", "nonsense", "utf-8; charset=utf-7", "x" * 3_000,
]  # fmt: skip
NAMES = [
    "Retry-After", "Location", "Set-Cookie", "Content-Encoding", "Content-Length", "Transfer-Encoding",
    "Connection", "X-Any", "WWW-Authenticate", "Content-Type", "Date",
]  # fmt: skip
VALUES = [
    "9" * 5_000, "-1", "0", "1e9", "<secret>", "/next", "chunked", "close", "gzip", "br", "gzip, gzip",
    "a=<secret>; Path=/", "Mon, 99 Foo 0000 99:99:99 GMT", "\x80\xff", "5, 5", "5, 6", "0x10", "",
    "http://[", "//<secret>.invalid/",
]  # fmt: skip
STATUSES = [200, 200, 200, 201, 204, 302, 304, 400, 401, 401, 401, 403, 404, 407, 429, 500, 503]
TYPES = ["application/json", "text/html", "", "; charset=", "text/json", "application/pdf"]
FRAMINGS = ["length", "length", "length", "short", "long", "chunked", "cut chunk", "close"]
ANY_VALUE = st.one_of(
    st.sampled_from(VALUES), st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12)
)
REPLIES = st.fixed_dictionaries(
    {
        "status": st.one_of(st.sampled_from(STATUSES), st.integers(100, 999)),
        "reason": st.sampled_from(["OK", "", "<secret>", "x" * 500]),
        "type": st.sampled_from(TYPES),
        "charset": st.sampled_from(CHARSETS),
        "headers": st.lists(st.tuples(st.sampled_from(NAMES), ANY_VALUE).map(list), max_size=3),
        "text": st.one_of(st.sampled_from(TEXTS), st.text(max_size=12)),
        "spelling": st.sampled_from(sorted(SPELLINGS)),
        "filler": st.sampled_from([0, 0, 0, 0, 1_000, 70_000, 300_000, 2_000_000]),
        "packed": st.lists(st.sampled_from(["gzip", "deflate"]), max_size=2),
        "bomb": st.sampled_from([0, 0, 0, 0, 100]),
        "framing": st.sampled_from(FRAMINGS),
        "drip": st.sampled_from([None, None, None, None, None, None, "head", "body", "ever", "head ever"]),
    }
)
LOGINS = st.fixed_dictionaries(
    {"partner": st.sampled_from(sorted(AUTH_CLASSES)), "replies": st.lists(REPLIES, min_size=1, max_size=3)}
)
CALLS = st.fixed_dictionaries(
    {
        "partner": st.sampled_from(sorted(AUTH_CLASSES)),
        "method": st.sampled_from(["GET", "POST", "HEAD"]),
        "stream": st.booleans(),
        "replies": st.lists(REPLIES, min_size=1, max_size=3),
    }
)


class Odd:
    """A server that gives the replies of a case one after the other, the last of them for ever."""

    def __init__(self) -> None:
        self.replies: list[tuple[str | None, bytes, bytes, bytes]] = []
        self.secret = self.good = self.signal = ""
        self.given = 0
        self.server = OddServer(self._answer)
        self.over = threading.Event()

    def begin(self, replies: list[Case], secret: str, good: str, signal: str) -> None:
        """From now on, these."""
        self.secret, self.good, self.signal, self.given = secret, good, signal, 0
        self.replies = [(reply["drip"], *self._written(reply)) for reply in replies]
        self.over.clear()

    def _answer(self, connection: socket.socket, closing: threading.Event) -> None:
        drip, head, body, more = self.replies[min(self.given, len(self.replies) - 1)]
        self.given += 1
        over = self.over
        if drip == "head ever":
            head, body, more = head[:-2] + b"X-Drips: ", b"", b" "
        for piece, drips in ((head, drip == "head"), (body, drip in ("body", "ever"))):
            if not drips:
                connection.sendall(piece)
                continue
            for at in range(40):
                connection.sendall(piece[at : at + 1])
                if over.wait(0.005):
                    return
            connection.sendall(piece[40:])
        while drip in ("ever", "head ever") and not over.wait(0.05) and not closing.is_set():
            connection.sendall(more)

    def _written(self, reply: Case) -> tuple[bytes, bytes, bytes]:
        """Head, body, and what follows where it drips for ever."""
        secret = SPELLINGS[reply["spelling"]](self.secret)
        text = reply["text"].replace("<good>", self.good).replace("<signal>", self.signal)
        charset = reply["charset"] or "utf-8"
        text = text.replace("<secret>", secret) + " " * reply["filler"]
        try:
            body = text.encode(charset, "replace")
        except (LookupError, ValueError, UnicodeError):
            body = text.encode("utf-8", "surrogatepass")
        body = _bomb(reply["bomb"]) if reply["bomb"] else body
        for name in reply["packed"]:
            body = {"gzip": gzip.compress, "deflate": zlib.compress}[name](body)
        headers = [
            ["Content-Type", f"{reply['type']}; charset={charset}" if reply["charset"] else reply["type"]]
        ]
        if reply["packed"]:
            headers.append(["Content-Encoding", ", ".join(reply["packed"])])
        length = {"short": len(body) // 2, "long": len(body) + 10}.get(reply["framing"], len(body))
        has_end, more = reply["drip"] != "ever", b" "
        if "chunk" in reply["framing"]:
            headers.append(["Transfer-Encoding", "chunked"])
            end = b"0\r\n\r\n" if reply["framing"] == "chunked" and has_end else b""
            body, more = b"%x\r\n%s\r\n" % (len(body), body) * bool(body) + end, b"1\r\n \r\n"
        elif reply["framing"] != "close":
            headers.append(["Content-Length", str(length if has_end else length + 1_000_000)])
        headers += [[name, value.replace("<secret>", secret)] for name, value in reply["headers"]]
        lines = [f"HTTP/1.1 {reply['status']} {reply['reason'].replace('<secret>', secret)}"]
        lines += [f"{name}: {value}" for name, value in [*headers, ["Connection", "close"]]]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace"), body, more


@lru_cache
def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b'{"a":"')]
    parts += [packer.compress(b"0" * (1 << 20)) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


@pytest.fixture
def odd() -> Iterator[Odd]:
    odd = Odd()
    yield odd
    odd.over.set()
    odd.server.close()


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """What happens inside takes so long at most, and 64 MiB."""
    tracemalloc.start()
    started = monotonic()
    try:
        yield
        taken, (_, peak) = monotonic() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < seconds
    assert peak < MOST


def good_login(auth: PartnerAuth, partner: SimulatedPartner) -> str:
    """What the partner answers to this login."""
    request = auth.login_request().prepare()
    body = request.body or b""
    reply = partner(
        Call.of_url(
            request.method or "", request.url or "", request.headers.items(),
            body.encode() if isinstance(body, str) else body,
            requests.utils.urlparse(partner.base_url).path,
        )
    )  # fmt: skip
    return reply.body.decode()


def signal_of(partner: SimulatedPartner, pick: str) -> str:
    """The body by which a partner says that a token has ended."""
    return partner.expiry_signals.get(pick, partner.expiry_signals["status"])().body.decode()


def assert_silent(error: BaseException, secrets: list[str], *more: str) -> None:
    """Nothing that hangs on it tells a secret."""
    response = getattr(error, "response", None)
    texts = [everything_in(error), *more]
    if isinstance(response, requests.Response):
        texts.append(response.text)
    for text in texts:
        assert not found(text, secrets)


def credentials_of(auth: PartnerAuth) -> list[str]:
    return [secret for secret in auth.secrets() if len(secret) > 5]


def test_any_reply_to_a_login(odd: Odd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token, or a PartnerAuthError without a secret; within the login's limit and 64 MiB."""
    # Promise: any-login
    monkeypatch.setattr(PartnerAuth, "_clock", QuickClock())
    partners = PartnerSimulator().partners

    def holds(case: Case) -> None:
        partner = partners[case["partner"]]
        account = {"password": PASSWORD} if partner.secret_field == "password" else {}
        partner.add_account(**account)
        auth = make_auth(
            partner, **{**account, "base_url": odd.server.base_url}, login_timeout=(LIMIT / 2, LIMIT / 2)
        )
        secrets = credentials_of(auth)
        odd.begin(case["replies"], secrets[0], good_login(make_auth(partner, **account), partner), "{}")
        error = None
        with all_records() as records, bounded(LIMIT + BUSY):
            try:
                auth.token()
            except PartnerAuthError as caught:
                error = caught
        odd.over.set()
        told = of_logs(records)
        assert not found(told, secrets), told
        if error is not None:
            assert str(error).isprintable()
            assert_silent(error, secrets)
            let_go(error)

    try_all("logins", LOGINS, holds, share=0.3)


def is_for(case: Case, reply: Case) -> bool:
    """Whether requests itself comes to an end with it: it reads a head, or what is no stream, for ever."""
    is_read = not case["stream"] or 300 <= reply["status"] < 400
    return reply["drip"] != "head ever" and not (reply["drip"] == "ever" and is_read)


def test_any_reply_to_a_call(odd: Odd) -> None:
    """What requests itself gives or raises, or a PartnerAuthError that tells nothing; in time, in 64 MiB."""
    # Promise: any-call
    with PartnerSimulator() as simulator:

        def holds(case: Case) -> None:
            partner = simulator.partners[case["partner"]]
            url = odd.server.base_url
            auth = make_auth(partner, origins=(url,), login_timeout=(5, 5))
            token = auth.token().value
            replies = [reply for reply in case["replies"] if case["stream"] or not reply["bomb"]] or [PLAIN]
            replies = [reply if is_for(case, reply) else {**reply, "drip": None} for reply in replies]
            odd.begin(replies, token, "{}", signal_of(partner, partner.body_signal))
            error: Any = None
            with requests.Session() as session, all_records() as records, bounded(40):
                session.auth, session.trust_env, session.max_redirects = auth, False, 3
                try:
                    session.request(case["method"], f"{url}/x", stream=case["stream"], timeout=2).close()
                except requests.RequestException as caught:
                    error = caught
                except Exception as caught:  # of a Location that is none
                    error = caught
            odd.over.set()
            assert isinstance(error, requests.RequestException | None) or not is_ours(error), error
            secrets = [*credentials_of(auth), *partner.issued]
            assert not found(of_logs(records), secrets)
            if isinstance(error, PartnerAuthError):
                assert_silent(error, secrets)
            if error is not None:
                # Of a reply that urllib3 does not like it closes nothing: that hangs on the frames.
                let_go(error)

        try_all("calls", CALLS, holds, share=0.3)


PLAIN: Case = {
    "status": 200, "reason": "OK", "type": "application/json", "charset": None, "headers": [], "text": "{}",
    "spelling": "plain", "filler": 0, "packed": [], "bomb": 0, "framing": "length", "drip": None,
}  # fmt: skip
