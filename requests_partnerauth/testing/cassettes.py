"""What keeps passwords and tokens out of a vcrpy cassette."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from .._auth import PartnerAuth
from .._http.scrub import scrub, scrub_bytes
from .._placement import HeaderPlacement, SessionFieldsPlacement

_SCRUBBED = scrub("secret", ["secret"])


def vcr_filters(*auths: PartnerAuth) -> dict[str, Any]:
    """Settings for `vcr.VCR` that keep these auths' passwords and tokens out of its cassettes.

    ``vcr.VCR(**vcr_filters(auth))``; a dict of its own for each call, which further settings may join. A
    login is recorded without its query, headers and body, so that a cassette replays with any made-up
    credentials for the same base URL. Every spelling of a password or token, in any request or reply, is
    recorded as ``***``, and as that token the replayed login hands it out. The reply to a login keeps what
    is neither token nor refresh token. Logins at one base URL replay in the order of the recording. Each auth
    is asked once what its login request looks like; nothing is sent.

    Args:
        auths: The auths whose requests are recorded. A token that was preset, or that another process got,
            is known by its place in the request.

    Raises:
        ValueError: No auth was given.
    """
    if not auths:
        raise ValueError("auths: at least one auth is wanted")
    scrubber = _Scrubber(auths)
    return {
        "before_record_request": scrubber.request,
        "before_record_response": scrubber.response,
        "decode_compressed_response": True,
    }


class _Scrubber:
    """Scrubs what vcrpy is about to record or to look up, and learns tokens on the way."""

    def __init__(self, auths: Iterable[PartnerAuth]) -> None:
        self._auths = [(auth, _without_query(auth.login_request().prepare().url or "")) for auth in auths]
        self._secrets = {secret for auth, _ in self._auths for secret in auth.secrets() if secret}
        # vcrpy hands over a reply without its request, right after the request and in the same thread.
        self._last = threading.local()

    def request(self, request: Any) -> Any:
        url = _without_query(request.uri)
        self._last.logs_in = [auth for auth, login_url in self._auths if login_url == url]
        if self._last.logs_in:
            request.uri, request.body, request.headers = url, None, {}
            return request
        body = _body_of(request)
        for auth, _ in self._auths:
            if auth._is_home(request.uri):
                self._learn(*_tokens_in(request, body, auth))
        request.uri = self._text(request.uri)
        request.headers = {name: self._text(value) for name, value in request.headers.items()}
        if body is not None:
            scrubbed = self._bytes(body)
            request.body = [scrubbed] if request._was_iter else scrubbed
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        response = copy.deepcopy(response)
        content = response["body"]["string"]
        content = content.encode() if isinstance(content, str) else content or b""
        for auth in getattr(self._last, "logs_in", ()):
            self._learn(*_tokens_granted(response, content, auth))
        response["headers"] = {
            name: [self._text(value) for value in values] for name, values in response["headers"].items()
        }
        scrubbed = self._bytes(content)
        if scrubbed != content:
            response["body"]["string"] = scrubbed
            for name in response["headers"]:
                if name.lower() == "content-length":
                    response["headers"][name] = [str(len(scrubbed))]
        return response

    def _learn(self, *tokens: str | None) -> None:
        self._secrets.update(token for token in tokens if token and token != _SCRUBBED)

    def _text(self, value: Any) -> Any:
        return self._bytes(value) if isinstance(value, bytes) else scrub(str(value), self._secrets)

    def _bytes(self, content: bytes) -> bytes:
        return scrub_bytes(content, self._secrets)


def _without_query(url: str) -> str:
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _body_of(request: Any) -> bytes | None:
    body = request.body
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    chunks = [body.read()] if hasattr(body, "read") else list(body)
    return b"".join(chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in chunks)


def _tokens_in(request: Any, body: bytes | None, auth: PartnerAuth) -> Iterator[str | None]:
    """The token that a request carries, wherever it came from, and the one that its auth has now."""
    current, placement = auth._shared_account().current, auth.placement
    yield current.value if current is not None else None
    if isinstance(placement, HeaderPlacement):
        value = request.headers.get(placement.name, "")
        value = value.decode("latin-1") if isinstance(value, bytes) else value
        yield value.removeprefix(placement.prefix)
    elif isinstance(placement, SessionFieldsPlacement):
        kind, text = str(request.headers.get("Content-Type", "")), (body or b"").decode(errors="replace")
        yield dict(parse_qsl(urlsplit(request.uri).query)).get(placement.token_field)
        if "form-urlencoded" in kind:
            yield dict(parse_qsl(text)).get(placement.token_field)
        elif "json" in kind:
            with suppress(ValueError, RecursionError):
                members = json.loads(text)
                value = members.get(placement.token_field) if isinstance(members, dict) else None
                yield value if isinstance(value, str) else None


def _tokens_granted(response: dict[str, Any], content: bytes, auth: PartnerAuth) -> Iterator[str | None]:
    """Token and refresh token of a login's reply; none where it refuses."""
    reply = requests.Response()
    reply.status_code = response["status"]["code"]
    reply._content = content
    for name, values in response["headers"].items():
        reply.headers[name] = ", ".join(values)
    with suppress(Exception):
        token = auth.parse_login(reply)
        yield from (token.value, token.refresh_token)
