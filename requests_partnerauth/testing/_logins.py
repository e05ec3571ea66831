"""Which requests log in, refresh or log out, and the tokens that come of them: told without sending any."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import get_encoding_from_headers
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from .._auth import PartnerAuth
from .._http.answers import Answers
from .._http.origins import origin_of
from .._placement.cookies import CookiePlacement
from .._token import Token

_MADE_UP = "***"
_OUTAGES = (408, 425, 429)
_LONG = 6
_SECRET_FROM = 16
_MOST_FLOWS = 32

Place = tuple[str, str]


def place_of(url: str) -> Place:
    """Origin and path of a URL, in the one spelling in which they can be compared."""
    try:
        path = parse_url(url).path or "/"
    except LocationParseError:
        path = urlsplit(url).path or "/"
    return str(origin_of(url) or urlsplit(url).netloc), path


class Flow:
    """A login flow, as far as the replies that are known have led it. Nothing is sent.

    Raises:
        StopIteration: The flow has no first request.
    """

    def __init__(self, auth: PartnerAuth, previous: Token | None) -> None:
        self._flow = auth.login_flow(previous)
        self.awaits: Place | None = None
        self.token: Token | None = None
        self.request = requests.Request()
        self._take(next(self._flow))

    def advance(self, reply: requests.Response) -> None:
        """Lead it on with the reply to the request that it waits for; an outage or its own error ends it."""
        self.awaits = None
        if reply.status_code >= 500 or reply.status_code in _OUTAGES:
            return
        try:
            self._take(self._flow.send(reply))
        except StopIteration as end:
            self.token = end.value
        except Exception:
            # What a flow raises is for whoever logs in to see.
            return

    def _take(self, request: requests.Request) -> None:
        self.request = request
        self.awaits = place_of(request.prepare().url or "")


class Logins:
    """The logins, refreshes and logouts of one auth. Threads share it.

    An auth with a login of one request is asked once what that looks like; a login flow of the auth's own is
    begun, and led on with the replies that come by.

    Args:
        auth: Whose they are.

    Attributes:
        cookies: Names of the cookies that are no business of a cassette's.
    """

    def __init__(self, auth: PartnerAuth) -> None:
        self._auth = auth
        self.cookies = {auth.placement.name} if isinstance(auth.placement, CookiePlacement) else set()
        self._lock = threading.Lock()
        self._flows: list[Flow] = []
        self._has_steps = type(auth).login_flow is not Answers.login_flow
        made_up = Token(_MADE_UP, refresh_token=_MADE_UP)
        first = (
            Flow(auth, None).awaits if self._has_steps else place_of(auth.login_request().prepare().url or "")
        )
        self._places = {first}
        # Asked with a made-up token, an author's answer may miss what a real one has.
        with suppress(Exception):
            if self._has_steps:
                self._places.add(Flow(auth, made_up).awaits)
        with suppress(Exception):
            if (refresh := auth.refresh_request(made_up)) is not None:
                self._places.add(place_of(refresh.prepare().url or ""))
        self._logouts = set()
        with suppress(Exception):
            if (logout := auth.logout_request(made_up)) is not None:
                self._logouts.add(place_of(logout.prepare().url or ""))

    def include(self, place: Place) -> bool:
        """Whether a request to this place logs in, refreshes or logs out."""
        with self._lock:
            waiting = any(flow.awaits == place for flow in self._flows)
        return waiting or place in self._places or place in self._logouts

    def read(self, place: Place, reply: requests.Response) -> list[str]:
        """The secrets that the reply to such a request brings: tokens, cookies, and what a flow hands on."""
        with self._lock:
            # What a login sets may travel with its token; before that it is the flow's own.
            self.cookies.update(reply.cookies.keys())
            secrets = [value for value in reply.cookies.values() if value and is_long(value)]
            if place in self._logouts and place not in self._places:
                return secrets
            if not self._has_steps:
                with suppress(Exception):
                    secrets += self._secrets_of(self._auth.parse_login(reply))
            for flow in self._waiting_for(place) if self._has_steps else ():
                flow.advance(reply)
                secrets += self._secrets_of(flow.token)
                if flow.awaits is not None:
                    self._flows = [*self._flows, flow][-_MOST_FLOWS:]
                    secrets += _handed_on(flow.request, reply)
        return secrets

    def current(self) -> list[str]:
        """The secrets of the auth, and of the tokens that it has or had lately."""
        current = self._auth._shared_account().current
        with self._lock:
            return [*self._auth._hidden(), *self._secrets_of(None if current is None else current.token)]

    def _secrets_of(self, token: Token | None) -> list[str]:
        """Under the lock. What of a token a cassette may not hold."""
        if token is None:
            return []
        self.cookies.update(token.cookies)
        cookies = [value for value in token.cookies.values() if is_long(value)]
        return [token.value, *([token.refresh_token] if token.refresh_token else []), *cookies]

    def _waiting_for(self, place: Place) -> list[Flow]:
        """Under the lock. The oldest that waits for it, else one that begins with it."""
        for flow in self._flows:
            if flow.awaits == place:
                self._flows.remove(flow)
                return [flow]
        begun: list[Flow] = []
        for previous in (None, self._previous()):
            with suppress(Exception):
                begun.append(Flow(self._auth, previous))
        return [flow for flow in begun if flow.awaits == place]

    def _previous(self) -> Token:
        current = self._auth._shared_account().current
        return Token(_MADE_UP, refresh_token=_MADE_UP) if current is None else current.token


def is_long(value: str) -> bool:
    """Whether a cookie's value is looked for everywhere; "1", say, is taken out of cookie headers alone."""
    return len(value) >= _LONG


def reply_of(response: Mapping[str, Any], content: bytes, url: str) -> requests.Response:
    """What vcrpy has of a response, as a flow or `parse_login` gets it."""
    reply = requests.Response()
    reply.status_code = response["status"]["code"]
    reply.reason = response["status"].get("message") or ""
    reply.url = url
    reply._content = content
    for name, values in response["headers"].items():
        reply.headers[name] = ", ".join(values)
        for value in values if name.lower() == "set-cookie" else ():
            cookie, _, rest = value.partition("=")
            reply.cookies.set(cookie.strip(), rest.partition(";")[0].strip())
    reply.encoding = get_encoding_from_headers(reply.headers)
    return reply


def _handed_on(request: requests.Request, reply: requests.Response) -> Iterator[str]:
    """What a flow's next request repeats of a reply: a nonce or one-time code, not a word or two."""
    brought = "\n".join([reply.text, *reply.headers.values()])
    for text in _texts_in([request.headers, request.json, request.data, request.params, request.cookies]):
        if len(text) >= _SECRET_FROM and text in brought:
            yield text


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts_in(part)
