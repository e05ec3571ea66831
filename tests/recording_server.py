"""A server that records everything that reaches it, and answers what a test says."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """One request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        """All of it in one text, to look for secrets in."""
        lines = [f"{self.method} {self.target}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\n".join([*lines, "", self.body.decode("latin-1")])

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


class Answer(NamedTuple):
    """What to answer; a status of 0 hangs up without a word."""

    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed
    body: bytes = b""


class RecordingServer(ThreadingHTTPServer):
    """Hears everything and answers `answer`, or what `answer(heard)` makes of a request."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.heard: list[Heard] = []
        self.answer: Answer | Callable[[Heard], Answer] = Answer(body=b"{}")
        self.scheme = "http"

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up or does not like the certificate is none of a test's concern."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    @property
    def everything(self) -> str:
        return "\n\n".join(heard.text for heard in self.heard)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RecordingServer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._converse
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _converse(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        heard = Heard(self.command, self.path, self.headers.items(), body)
        self.server.heard.append(heard)
        answer = self.server.answer if isinstance(self.server.answer, Answer) else self.server.answer(heard)
        if not answer.status:
            self.close_connection = True
            return
        lines = [f"HTTP/1.1 {answer.status} Said", f"Content-Length: {len(answer.body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)


@contextmanager
def recording_server(tls: ssl.SSLContext | None = None) -> Iterator[RecordingServer]:
    """A recording server on a loopback port, over TLS where a context is given."""
    server = RecordingServer()
    if tls is not None:
        server.scheme = "https"
        # Not shaken hands in accept(), where one bad client would keep all others waiting.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
