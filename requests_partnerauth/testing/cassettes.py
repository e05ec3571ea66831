"""What keeps passwords and tokens out of a vcrpy cassette."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from .._auth import PartnerAuth
from .._http.scrub import scrub, scrub_bytes, scrub_in
from ._logins import Logins, place_of, reply_of

_SCRUBBED = scrub("secret", ["secret"])


def vcr_filters(*auths: PartnerAuth) -> dict[str, Any]:
    """Settings for `vcr.VCR` that keep these auths' passwords and tokens out of its cassettes.

    ``vcr.VCR(**vcr_filters(auth))``; a dict of its own for each call, which further settings may join. A
    login is recorded without its query, headers and body, and so is every step of a login flow, a refresh
    and a logout: a cassette replays with any made-up credentials for the same base URL. Every spelling of a
    password or token, in any request or reply, is recorded as ``***``, and as that token the replayed login
    hands it out. The reply to a login keeps what is neither token, refresh token nor cookie, nor what the
    flow sends on. Logins at one base URL replay in the order of the recording. Each auth is asked once what
    its login looks like, one with a flow of its own for each login; nothing is sent.

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
        self._auths = [(auth, Logins(auth)) for auth in auths]
        self._secrets = {secret for auth, _ in self._auths for secret in auth.secrets() if secret}
        # vcrpy hands over a reply without its request, right after the request and in the same thread.
        self._last = threading.local()

    def request(self, request: Any) -> Any:
        place = place_of(request.uri)
        body = _body_of(request)
        for auth, logins in self._auths:
            if auth._is_home(request.uri):
                self._learn(*logins.current(), *auth.placement._values(_prepared(request, body)))
        self._last.url, self._last.place = request.uri, place
        self._last.logins = [logins for _, logins in self._auths if logins.include(place)]
        if self._last.logins:
            request.uri, request.body, request.headers = self._text(_without_query(request.uri)), None, {}
            return request
        request.uri = self._text(request.uri)
        request.headers = {name: self._header(name, value) for name, value in request.headers.items()}
        if body is not None:
            scrubbed = self._bytes(body)
            request.body = [scrubbed] if request._was_iter else scrubbed
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        response = copy.deepcopy(response)
        content = response["body"]["string"]
        content = content.encode() if isinstance(content, str) else content or b""
        reply = reply_of(response, content, self._last.url)
        for logins in getattr(self._last, "logins", ()):
            self._learn(*logins.read(self._last.place, reply))
        response["status"]["message"] = self._text(response["status"]["message"] or "")
        response["headers"] = {
            self._text(name): [self._header(name, value) for value in values]
            for name, values in response["headers"].items()
        }
        scrubbed = self._bytes(scrub_in(reply.encoding, content, self._secrets))
        if scrubbed != content:
            response["body"]["string"] = scrubbed
            for name in response["headers"]:
                if name.lower() == "content-length":
                    response["headers"][name] = [str(len(scrubbed))]
        return response

    def _learn(self, *secrets: str) -> None:
        self._secrets.update(secret for secret in secrets if secret and secret != _SCRUBBED)

    def _header(self, name: str, value: Any) -> Any:
        if name.lower() in ("cookie", "set-cookie"):
            ours = {cookie for _, logins in self._auths for cookie in logins.cookies}
            return "; ".join(self._cookie(pair, ours) for pair in _of_header(value).split("; "))
        return self._text(value)

    def _cookie(self, pair: str, ours: set[str]) -> str:
        name, is_pair, _ = pair.partition("=")
        return f"{name}={_SCRUBBED}" if is_pair and name in ours else scrub(pair, self._secrets)

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


def _prepared(request: Any, body: bytes | None) -> requests.PreparedRequest:
    """The request as a placement knows it."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, request.uri, body
    prepared.headers = CaseInsensitiveDict(
        {name: _of_header(value) for name, value in request.headers.items()}
    )
    return prepared


def _of_header(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
