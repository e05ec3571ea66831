"""Looking for an expiry signal takes nothing from whoever reads the response."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
import requests
import trustme
from conftest import AUTH_CLASSES
from odd_server import OddServer
from recording_server import Answer, recording_server
from together import Background, main_thread_is_in, wait_until
from urllib3.util.wait import wait_for_read

from requests_partnerauth._http.looking import let_through, look, look_away, read_refused
from requests_partnerauth._http.replies import json_object, short_text

Converse = Callable[[socket.socket, threading.Event], None]


def head_of(length: object, *more: str, status: int = 200, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", *more]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def answering(*answers: bytes) -> Converse:
    """One connection, on which each request is answered by the next of these."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        for number, answer in enumerate(answers):
            if number:
                connection.recv(65536)
            connection.sendall(answer)
        closing.wait(30)

    return converse


@contextlib.contextmanager
def served(converse: Converse) -> Iterator[OddServer]:
    server = OddServer(converse)
    with contextlib.closing(server):
        yield server


def read_into(response: requests.Response) -> bytes:
    buffer, found = bytearray(100), bytearray()
    while count := response.raw.readinto(buffer):
        found += buffer[:count]
    return bytes(found)


def copied(response: requests.Response) -> bytes:
    file = io.BytesIO()
    shutil.copyfileobj(response.raw, file)
    return file.getvalue()


WAYS: dict[str, Callable[[requests.Response], bytes]] = {
    "content": lambda response: response.content,
    "iter_content": lambda response: b"".join(response.iter_content(7)),
    "iter_lines": lambda response: b"\n".join(response.iter_lines(13)),
    "raw.read": lambda response: response.raw.read(),
    "raw.read in pieces": lambda response: b"".join(iter(lambda: response.raw.read(999), b"")),
    "raw.stream": lambda response: b"".join(response.raw.stream(500)),
    "raw": lambda response: b"".join(response.raw),
    "raw.readinto": read_into,
    "copyfileobj": copied,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [20, 9_000, 65_536])
def test_a_stream_that_was_looked_into_is_all_there(session: requests.Session, way: str, size: int) -> None:
    """However the caller reads it, every byte of a JSON stream comes, and the connection is used again."""
    body = b'{"a":"' + b"x\n" * ((size - 8) // 2) + b'"}'
    answer = head_of(len(body)) + body
    with served(answering(answer, answer)) as server:
        for _ in range(2):
            response = session.get(server.base_url, stream=True, timeout=10)
            look(response, streamed=True)
            assert short_text(response) == body.decode()
            assert response._content is False
            assert WAYS[way](response) == body
        assert server.connections == 1


def what_is_read(response: requests.Response) -> tuple[bytes, type[BaseException] | None]:
    found = bytearray()
    try:
        for piece in response.iter_content(1):
            found += piece
    except requests.RequestException as error:
        return bytes(found), type(error)
    return bytes(found), None


def cut_off(connection: socket.socket, closing: threading.Event) -> None:
    connection.sendall(head_of(100, status=401) + b'{"a": 1')


def stalled(connection: socket.socket, closing: threading.Event) -> None:
    cut_off(connection, closing)
    closing.wait(30)


@pytest.mark.parametrize("converse", [cut_off, stalled])
def test_what_breaks_is_handed_to_the_reader_at_that_place(
    session: requests.Session, converse: Converse
) -> None:
    """A stream that ends early or stalls gives its bytes and then its error, as it does unlooked at."""
    with served(converse) as server:
        plain = what_is_read(session.get(server.base_url, stream=True, timeout=1))
        response = session.get(server.base_url, stream=True, timeout=1)
        look(response, streamed=True)
        assert json_object(response) is None
        assert short_text(response) is None
        assert what_is_read(response) == plain
    assert plain[0] == b'{"a": 1'
    assert plain[1] is not None


def test_a_stream_that_comes_slowly_is_not_waited_for(session: requests.Session) -> None:
    """What has not come after two seconds is not looked into; its reader gets it when it comes."""
    looked = threading.Event()

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(head_of(12) + b'{"a": ')
        looked.wait(60)
        connection.sendall(b'"bcd"}')

    with served(converse) as server:
        response = session.get(server.base_url, stream=True, timeout=60)
        look(response, streamed=True)
        assert json_object(response) is None
        looked.set()
        assert response.content == b'{"a": "bcd"}'


ZIPPED = gzip.compress(b'{"ex": "x"}')
LEFT_UNREAD = {
    "no JSON": head_of(2, kind="text/plain") + b"{}",
    "encoded": head_of(len(ZIPPED), "Content-Encoding: gzip") + ZIPPED,
    "chunked": head_of(None, "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n",
    "large": head_of(65_537) + b"{}" + b" " * 65_535,
    "no length": head_of("many") + b"{}",
    "a length of 5,000 digits": head_of("1" * 5000) + b"{}",
    "a length that is a digit elsewhere": head_of("\u00b2") + b"{}",
    "wide": head_of(6, kind="application/json; charset=utf-16") + "{}".encode("utf-16"),
    "punycode": head_of(2, kind="application/json; charset=punycode") + b"{}",
}


@pytest.mark.parametrize("what", LEFT_UNREAD)
@pytest.mark.parametrize("status", [b"200", b"401"])
def test_what_is_left_unread(session: requests.Session, what: str, status: bytes) -> None:
    """Of a stream that may not be looked into, whatever its headers say, nothing is read and nothing seen."""
    # Promise: stream
    if (what, status) == ("no JSON", b"401"):
        return

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(LEFT_UNREAD[what].replace(b"200", status, 1))

    with served(converse) as server:
        response = session.get(server.base_url, stream=True, timeout=10)
        before = response.raw._fp.fp
        look(response, streamed=True)
        assert (json_object(response), short_text(response)) == (None, None)
        assert response.raw._fp.fp is before
        response.close()


def test_what_nobody_asks_for_is_left_unread(session: requests.Session) -> None:
    """Where the status is all that a partner judges by, a stream is not touched; else it is waited for."""
    looked = threading.Event()

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(head_of(2, status=401))
        looked.wait(60)
        wait_until(lambda: main_thread_is_in(wait_for_read))
        connection.sendall(b"{}")
        closing.wait(60)

    with served(converse) as server:
        response = session.get(server.base_url, stream=True, timeout=10)
        before = response.raw._fp.fp
        look(response, streamed=True)
        assert response.raw._fp.fp is before
        looked.set()
        assert json_object(response) == {}
        assert response.raw._fp.fp is not before
        assert response.content == b"{}"


def test_what_came_with_its_head_is_seen_where_it_lies(session: requests.Session) -> None:
    """A small body that has come whole is looked at without being taken from its reader."""
    with served(answering(head_of(2, status=401) + b"{}")) as server:
        response = session.get(server.base_url, stream=True, timeout=10)
        reader = response.raw._fp.fp
        look(response, streamed=True)
        assert json_object(response) == {}
        assert response.raw._fp.fp is reader
        assert response.raw.read() == b"{}"


def reply_of(
    body: bytes, kind: str = "application/json", status: int = 200, **headers: str
) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content, response._content_consumed = status, body, True
    response.headers.update({"Content-Type": kind, **headers})
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.request = requests.Request("GET", "https://home.example/").prepare()
    return response


@pytest.mark.parametrize(
    ("reply", "is_seen"),
    [
        (reply_of(b'{"ex": "x"}'), True),
        (reply_of(b'\xef\xbb\xbf{"ex": "x"}'), True),
        (reply_of(b' \n{"ex": "x"}', "text/html"), True),
        (reply_of(b'{"ex": "x"}', "application/json; charset=windows-1252"), True),
        (reply_of(b'{"ex": "x"}', "application/json; charset=utf-7"), False),
        (reply_of(b'{"ex": "x"}', "application/json; charset=punycode"), False),
        (reply_of(b'{"ex": "x"}', **{"Content-Length": "65537"}), False),
        (reply_of(b'{"ex": "x"}', **{"Content-Length": "1" * 5000}), False),
        (reply_of(b'{"ex": "x"}' + b" " * 65_525), True),
        (reply_of(b'{"ex": "x"}' + b" " * 65_526), False),
        (reply_of(b'{"why": "x"}'), False),
        (reply_of(b'{"why": "x"}', status=401), True),
        (reply_of(b'["ex"]'), False),
        (reply_of(b""), False),
    ],
)
def test_what_is_seen_of_a_body_that_was_read(reply: requests.Response, is_seen: bool) -> None:
    """A JSON object of 64 KiB or less in which a marker stands, in an encoding that leaves ASCII as it is."""
    look(reply, (b'"never"', b'"ex"'), streamed=False)
    assert (json_object(reply) is not None) is is_seen


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"", "text/plain", ""),
        (b" Invalid authentication token. ", "text/html", "Invalid authentication token."),
        ("Ungültig".encode(), "text/plain", "Ungültig"),
        ("Ungültig".encode("latin-1"), "text/plain", "Ungültig"),
        ("Недействителен".encode("cp1251"), "text/plain; charset=windows-1251", "Недействителен"),
        (b"Invalid", "text/plain; charset=utf-16", None),
        (b"x" * 65_537, "text/plain", None),
    ],
)
def test_the_words_of_a_401(body: bytes, kind: str, text: str | None) -> None:
    """They are seen whatever markers there are, decoded without guessing; None where status has to do."""
    reply = reply_of(body, kind, 401)
    look(reply, (b"never",), streamed=False)
    assert short_text(reply) == text


def test_the_caller_sees_all_of_it_afterwards() -> None:
    """What was not seen for lack of a marker is there once the look is over."""
    reply = reply_of(b'{"a": 1}')
    look(reply, (b"never",), streamed=False)
    assert json_object(reply) is None
    look_away(reply)
    assert json_object(reply) == {"a": 1}


def test_the_reply_to_a_login_is_seen_whatever_its_size() -> None:
    """A login's reply of 200 kB is read; any other response of that size is not."""
    reply = reply_of(b'{"value": "' + b"x" * 200_000 + b'"}')
    assert json_object(reply) is None
    let_through(reply)
    assert json_object(reply) == {"value": "x" * 200_000}


@pytest.mark.parametrize("escaped_beyond_ascii", [True, False])
def test_no_encoder_escapes_what_markers_are_made_of(escaped_beyond_ascii: bool) -> None:
    """Letters, digits, blanks, dots and the quotes around a name stand in JSON as they are."""
    for cls in AUTH_CLASSES.values():
        for marker in cls.expiry_markers:
            core = marker.decode("ascii").strip('"')
            assert core.replace(" ", "").replace(".", "").replace("_", "").replace("-", "").isalnum()
            assert marker in json.dumps({core: core}, ensure_ascii=escaped_beyond_ascii).encode()


BROKEN = {
    "cut off": head_of(100, status=401) + b"abc",
    "no last chunk": head_of(None, "Transfer-Encoding: chunked", status=401),
    "no chunk": head_of(None, "Transfer-Encoding: chunked", status=401) + b"zz\r\n",
    "no gzip": head_of(3, "Content-Encoding: gzip", status=401) + b"abc",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_refusal_whose_body_cannot_be_read(session: requests.Session, how: str) -> None:
    """A 401 is a refusal all the same, with an empty body; any other status raises what requests raises."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        answer = BROKEN[how]
        connection.sendall(answer if server.connections == 1 else answer.replace(b"401", b"200", 1))

    with served(converse) as server:
        refused = session.get(server.base_url, stream=True, timeout=10)
        read_refused(refused)
        look(refused, streamed=False)
        assert (refused.content, short_text(refused)) == (b"", "")
        # What was read to its end may be kept for the next request, and the server is about to hang up.
        session.close()
        other = session.get(server.base_url, stream=True, timeout=10)
        with pytest.raises(requests.RequestException):
            read_refused(other)
    assert server.connections == 2


def test_a_refusal_that_stalls(session: requests.Session) -> None:
    """A 401 whose body does not come within the caller's own timeout is judged by its status."""
    with served(stalled) as server:
        refused = session.get(server.base_url, stream=True, timeout=0.5)
        assert Background(lambda: read_refused(refused)).result() is None
        assert refused.content == b""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("size", [20, 60_000])
def test_a_stream_over_tls(
    session: requests.Session, authority: trustme.CA, context: ssl.SSLContext, size: int
) -> None:
    """What lies in TLS records is looked into and read as what comes in the open."""
    body = b'{"a": "' + b"x" * size + b'"}'
    with recording_server(context) as server, authority.cert_pem.tempfile() as bundle:
        session.trust_env = False
        server.answer = Answer(headers={"Content-Type": "application/json"}, body=body)
        for _ in range(2):
            response = session.get(server.url, stream=True, verify=bundle, timeout=10)
            look(response, streamed=True)
            assert short_text(response) == body.decode()
            assert response.raw.read() == body


@pytest.mark.parametrize("size", [1_000, 20_000, 60_000])
@pytest.mark.parametrize("is_tls", [False, True])
def test_a_body_that_comes_in_two_parts(
    session: requests.Session, authority: trustme.CA, context: ssl.SSLContext, is_tls: bool, size: int
) -> None:
    """The part that came with the head is there as well as the one that is waited for."""
    body = b'{"a": "' + random.randbytes(size // 2).hex().encode() + b'"}'

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(head_of(len(body)) + body[:500])
        wait_until(lambda: main_thread_is_in(wait_for_read))
        connection.sendall(body[500:])
        closing.wait(60)

    server = OddServer(converse, context if is_tls else None)
    with contextlib.closing(server), authority.cert_pem.tempfile() as bundle:
        session.trust_env = False
        response = session.get(server.base_url, stream=True, verify=bundle, timeout=10)
        look(response, streamed=True)
        assert short_text(response) == body.decode()
        assert response.content == body
