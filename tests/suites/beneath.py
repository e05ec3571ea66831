"""A pytest plugin: an auth beneath every session that has none, for another library's own test suite.

`PARTNERAUTH_BENEATH` says which: ``header`` merely sets a header, as anybody's auth would; ``kept`` is ours,
with a token that stays good; ``once`` is ours, with a token that is good for a single request. A middleware
before httpbin holds the token against those that were granted. `PARTNERAUTH_OUTCOMES` is the file for what
came of it.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpbin
import pytest
import requests
from requests.auth import AuthBase

from requests_partnerauth import HeaderPlacement, PartnerAuth, Token

HEADER = "X-Suite"
MODE = os.environ["PARTNERAUTH_BENEATH"]
# httpbin has endpoints that answer 401 for reasons of their own. Where every token is refused sooner or
# later, they are not to keep the others from a new one.
PAUSES = {"refresh_cooldown": 0.001} if MODE == "once" else {}


class Granted:
    """The tokens that are good, and how many logins gave them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.good: set[str] = set()
        self.logins = 0
        self.refused = 0

    def grant(self) -> str:
        token = secrets.token_hex(16)
        with self.lock:
            self.good.add(token)
            self.logins += 1
        return token

    def takes(self, token: str) -> bool:
        """Whether a request with this token may pass; uses up what is good for one."""
        with self.lock:
            taken = token in self.good
            if MODE == "once":
                self.good.discard(token)
            self.refused += not taken
        return taken


GRANTED = Granted()


class LoginHandler(BaseHTTPRequestHandler):
    """Logs in whoever asks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"session": GRANTED.grant()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class SuiteAuth(PartnerAuth):
    """One account at the loopback server; an object for each origin that the suite talks to."""

    partner = "suite"
    placement = HeaderPlacement(HEADER)
    account, secret = "suite", "made-up-password"

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/login", data={"password": self.secret})

    def parse_login(self, response: requests.Response) -> Token:
        return Token.lasting(response.json()["session"], None)


class Beneath(AuthBase):
    """Signs a request for whatever origin it goes to: a suite's servers are not known beforehand."""

    auths: dict[tuple[str, str], PartnerAuth] = {}  # noqa: RUF012  # shared on purpose, so that sessions pickle
    login_url = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = urlsplit(request.url or "")
        if url.scheme not in ("http", "https"):
            return request
        origin = url.scheme, url.netloc.rpartition("@")[2]
        auth = self.auths.get(origin)
        if auth is None:
            auth = self.auths[origin] = SuiteAuth(
                base_url=self.login_url, origins=["://".join(origin)], allow_http=True, **PAUSES
            )
        return auth(request)


class SetsHeader(AuthBase):
    """What any auth does at least."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[HEADER] = "set"
        return request


class Guard:
    """Before httpbin: a token that is not good is refused. Who brings none has an auth of its own."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        token = environ.get("HTTP_" + HEADER.upper().replace("-", "_"))
        if token is None or GRANTED.takes(token):
            return self.app(environ, start_response)
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"].read(length)
        body = b'{"message": "token has ended"}'
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("401 UNAUTHORIZED", headers)
        return [body]


def pytest_configure(config: pytest.Config) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), LoginHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Beneath.login_url = f"http://127.0.0.1:{server.server_port}"
    if MODE != "header":
        httpbin.app.wsgi_app = Guard(httpbin.app.wsgi_app)
    build = requests.Session.__init__

    def with_auth(session: requests.Session) -> None:
        build(session)
        session.auth = SetsHeader() if MODE == "header" else Beneath()

    requests.Session.__init__ = with_auth  # type: ignore[method-assign]
    config.pluginmanager.register(Outcomes(), "outcomes")


class Outcomes:
    """Writes down what failed, how much passed, and what the servers counted."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.passed and report.when == "call":
            self.passed += 1

    def pytest_sessionfinish(self) -> None:
        outcomes = {
            "failed": sorted(self.failed),
            "passed": self.passed,
            "logins": GRANTED.logins,
            "refused": GRANTED.refused,
        }
        Path(os.environ["PARTNERAUTH_OUTCOMES"]).write_text(json.dumps(outcomes), encoding="utf-8")
