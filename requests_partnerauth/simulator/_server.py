"""The socket door: the partners behind one loopback port, a path prefix for each."""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from http.client import responses as reason_phrases
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

from ._messages import Call, Reply

_BODY_SECONDS = 5.0
_POLL_SECONDS = 0.02
_LINE_BYTES = 65536
_BODILESS = (204, 304)


class _BadBody(Exception):
    """The body did not arrive as it was announced."""


class PartnerServer(ThreadingHTTPServer):
    """Serves each brain under its prefix, in real threads, with connections kept alive."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, address: tuple[str, int], brains: Mapping[str, Callable[[Call], Reply]]) -> None:
        self.brains = dict(brains)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Conversation)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), name="partner-simulator", daemon=True
        )

    def server_bind(self) -> None:
        """Bind without HTTPServer's reverse name lookup, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and hang up on everybody."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._connections_lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection while it is open."""
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ends."""
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about a client that hung up; show any other error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self) -> None:
        try:
            body = self._read_body()
        except _BadBody as bad:
            self.close_connection = True
            self._send(Reply.of_text(str(bad), 400))
            return
        self._send(self._ask(body))

    def _ask(self, body: bytes) -> Reply:
        server, url = cast(PartnerServer, self.server), self.path
        if url.startswith("/"):
            url = f"http://{self.headers.get('Host', server.server_name)}{url}"
        path = urlsplit(url).path
        for prefix, brain in server.brains.items():
            if path == prefix or path.startswith(prefix + "/"):
                return brain(Call.of_url(self.command, url, self.headers.items(), body, prefix))
        return Reply.of_text("no such partner", 404)

    def _read_body(self) -> bytes:
        self.connection.settimeout(_BODY_SECONDS)
        try:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                return self._read_chunks()
            return self._read_exactly(int(self.headers.get("Content-Length", "0")))
        except (TimeoutError, ValueError) as failure:
            raise _BadBody("the body did not arrive as announced") from failure
        finally:
            self.connection.settimeout(None)

    def _read_exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) != length:
            raise _BadBody("the body is shorter than announced")
        return body

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self.rfile.readline(_LINE_BYTES).split(b";")[0], 16):
            chunks.append(self._read_exactly(size))
            self._read_exactly(2)
        while self.rfile.readline(_LINE_BYTES).strip():
            pass
        return b"".join(chunks)

    def _send(self, reply: Reply) -> None:
        if reply.reset:
            self._reset()
            return
        body = b"" if reply.status in _BODILESS or self.command == "HEAD" else reply.body
        headers = dict(reply.headers)
        if reply.truncate:
            body = body[: len(body) // 2]
            self.close_connection = True
        if reply.chunked and body:
            headers["Transfer-Encoding"] = "chunked"
            end = b"" if reply.truncate else b"0\r\n\r\n"
            body = b"%x\r\n%s\r\n%s" % (len(body), body, end)
        elif reply.status not in _BODILESS:
            headers["Content-Length"] = str(len(reply.body))
        if self.close_connection:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {reply.status} {reason_phrases.get(reply.status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A plain close would wait for the files over the socket, and shut it down in peace.
        os.close(self.connection.detach())
