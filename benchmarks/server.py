"""The server that everyone talks to: token endpoints and an API for any number of accounts, and a stranger.

Runs as a process of its own with a thread for each connection; prints its address and serves until its
standard input ends. An account is the first part of a path and exists as soon as it is asked for:

    POST /<account>/token           an OAuth2 token endpoint
    ANY  /<account>/api/...         wants a token (Bearer or X-Token), Basic or Digest
    ANY  /<account>/api/refuse      HTTP 401, whatever comes
    ANY  /<account>/api/redirect/<code>/<status>   to the foreign host, which answers with that status
    GET  /<account>/size/<bytes>/<json or binary>  a body of that size, for everybody
    POST /<account>/control         changes settings, ends tokens; the answer is what was counted
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import socketserver
import sys
import threading
import time
from functools import lru_cache
from http.client import responses as phrases
from typing import Any
from urllib.parse import parse_qs

USER, SECRET = "bench-client", "a-secret-of-usual-length"
_BODY_SECONDS = 1.5


class Account:
    """One account: what it has been told to do, the tokens that are good, and what was counted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.settings: dict[str, Any] = {
            "login_delay": 0.0, "expires_in": 3600, "later_expires_in": None, "one_session": False,
            "scheme": "Bearer", "revoke_every": None,
        }  # fmt: skip
        self.counts = {
            "started": 0,
            "logins": 0,
            "refused": 0,
            "ok": 0,
            "denied": 0,
            "requests": 0,
            "ended": 0,
        }
        self.tokens: set[str] = set()
        self.nonce = secrets.token_hex(8)
        self.bodies: list[dict[str, Any]] = []
        self.foreign: list[list[str]] = []


class Conversation(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except OSError:
            return

    def _one(self) -> bool:
        line = self.rfile.readline(65536)
        if not line.strip():
            return False
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(65536)) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self._body(headers)
        name, _, rest = path.lstrip("/").partition("/")
        account = self.server.account(name)
        status, more, reply = self._answer(account, method, rest.partition("?")[0], path, headers, body)
        is_made = isinstance(reply, bytes)
        data = reply if is_made else json.dumps(reply).encode()
        kind = "application/octet-stream" if is_made and data[:1] != b"{" else "application/json"
        close = body is None or headers.get("connection", "").lower() == "close"
        lines = [f"HTTP/1.1 {status} {phrases.get(status, '')}", f"Content-Type: {kind}", *more]
        lines += [f"Content-Length: {len(data)}", *(["Connection: close"] if close else []), "", ""]
        head = "\r\n".join(lines).encode("latin-1")
        if is_made:
            self.wfile.write(head)
            self.wfile.write(data)
        else:
            self.wfile.write(head + data)
        return not close

    def _body(self, headers: dict[str, str]) -> bytes | None:
        """The body; None where fewer bytes came than were announced."""
        if "chunked" in headers.get("transfer-encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        wanted = int(headers.get("content-length", 0))
        if not wanted:
            return b""
        self.connection.settimeout(_BODY_SECONDS)
        try:
            return self.rfile.read(wanted)
        except TimeoutError:
            return None
        finally:
            self.connection.settimeout(None)

    def _answer(
        self, account: Account, method: str, rest: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, list[str], Any]:
        if rest == "control":
            return 200, [], self._control(account, json.loads(body or b"{}"))
        if rest.startswith("size/"):
            return 200, [], _of_size(*rest.split("/")[1:])
        if rest.startswith("land/"):
            with account.lock:
                account.foreign.append([headers.get("authorization", ""), headers.get("x-token", "")])
            return int(rest[5:]), [_challenge(account)], {}
        if rest == "token":
            return self._log_in(account, headers, (body or b"").decode())
        good = rest != "api/refuse" and _may(account, method, path, headers)
        with account.lock:
            account.counts["requests"] += 1
            account.counts["ok" if good and body is not None else "denied"] += 1
            every = account.settings["revoke_every"]
            if good and every and account.counts["ok"] % every == 0:
                account.tokens.clear()
                account.counts["ended"] += 1
            if method == "POST":
                size = -1 if body is None else len(body)
                account.bodies.append({"good": good, "size": size, "sha": _sha(body or b"")})
        if body is None:
            return 400, [], {"error": "the body did not come"}
        if not good:
            return 401, [_challenge(account)], {"error": "invalid_token"}
        if rest.startswith("api/redirect/"):
            _, _, code, status = rest.split("/")
            return int(code), [f"Location: {self.server.foreign}/{path.split('/')[1]}/land/{status}"], {}
        return 200, [], {"size": len(body)}

    def _log_in(self, account: Account, headers: dict[str, str], form: str) -> tuple[int, list[str], Any]:
        with account.lock:
            account.counts["started"] += 1
        time.sleep(account.settings["login_delay"])
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        given = (fields.get("client_id"), fields.get("client_secret"))
        if headers.get("authorization", "").startswith("Basic "):
            user, _, secret = base64.b64decode(headers["authorization"][6:]).decode().partition(":")
            given = (user, secret)
        with account.lock:
            if given != (USER, SECRET):
                account.counts["refused"] += 1
                return 401, [], {"error": "invalid_client"}
            lifetime = account.settings["expires_in"]
            if account.counts["logins"] and account.settings["later_expires_in"]:
                lifetime = account.settings["later_expires_in"]
            account.counts["logins"] += 1
            if account.settings["one_session"]:
                account.tokens.clear()
            token = secrets.token_hex(20)
            account.tokens.add(token)
        if lifetime < 3600:
            threading.Timer(lifetime, account.tokens.discard, (token,)).start()
        return 200, [], {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}

    def _control(self, account: Account, wanted: dict[str, Any]) -> dict[str, Any]:
        with account.lock:
            if wanted.pop("revoke", False):
                account.tokens.clear()
                account.nonce = secrets.token_hex(8)
            if wanted.pop("reset", False):
                account.counts = dict.fromkeys(account.counts, 0)
                account.bodies.clear()
                account.foreign.clear()
            account.settings.update(wanted)
            return {**account.counts, "bodies": list(account.bodies), "foreign": list(account.foreign)}


@lru_cache(maxsize=3)
def _of_size(size: str, kind: str) -> bytes:
    if kind == "binary":
        return (bytes(range(255, -1, -1)) * (int(size) // 256 + 1))[: int(size)]
    item = {"id": 17, "street": "17 Example Road", "price": 21.25, "when": "2026-01-31T12:00:00Z"}
    items = ", ".join([json.dumps(item)] * (int(size) // 84))
    body = f'{{"items": [{items}], "note": "'
    return f'{body}{"x" * max(0, int(size) - len(body) - 2)}"}}'.encode()


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _challenge(account: Account) -> str:
    if account.settings["scheme"] == "Digest":
        return f'WWW-Authenticate: Digest realm="bench", qop="auth", nonce="{account.nonce}", algorithm=MD5'
    return f"WWW-Authenticate: {account.settings['scheme']}"


def _may(account: Account, method: str, path: str, headers: dict[str, str]) -> bool:
    given, scheme = headers.get("authorization", ""), account.settings["scheme"]
    if scheme == "Basic":
        return given == "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
    if scheme == "Digest":
        return given.startswith("Digest ") and _digest_fits(account, method, given)
    return given.removeprefix("Bearer ") in account.tokens or headers.get("x-token") in account.tokens


def _digest_fits(account: Account, method: str, given: str) -> bool:
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
    first = hashlib.md5(f"{USER}:bench:{SECRET}".encode()).hexdigest()
    second = hashlib.md5(f"{method}:{fields.get('uri')}".encode()).hexdigest()
    middle = ":".join(fields.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
    wanted = hashlib.md5(f"{first}:{middle}:{second}".encode()).hexdigest()
    return fields.get("nonce") == account.nonce and fields.get("response") == wanted


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 512
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, accounts: dict[str, Account]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.accounts = accounts
        self.foreign = ""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def account(self, name: str) -> Account:
        return self.accounts.get(name) or self.accounts.setdefault(name, Account())

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> None:
    accounts: dict[str, Account] = {}
    home, foreign = Server(accounts), Server(accounts)
    home.foreign = f"http://localhost:{foreign.port}"
    for server in (home, foreign):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{home.port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
