"""The token as a cookie, and cookies that go along with a token, beside all other cookies of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookiejar import Cookie, CookieJar
from typing import Any, NamedTuple

import requests
from requests.cookies import RequestsCookieJar, create_cookie, get_cookie_header

from .._settings import checks
from .._token.arguments import is_cookie
from ._base import Placement, text_of


class CookiePlacement(Placement):
    """The token as a cookie: ``CookiePlacement("JSESSIONID")``.

    It goes beside the session's cookies and beside a ``Cookie`` header that was written by hand, and along on
    redirects at home. Any other cookie of its name gives way to it.

    Args:
        name: The cookie's name.

    Raises:
        ValueError: `name` is none that a cookie can have.
    """

    def __init__(self, name: str) -> None:
        self.name = checks.text("name", name)
        if not is_cookie(name, ""):
            raise ValueError("name: the name of a cookie is wanted")

    def __repr__(self) -> str:
        return f"CookiePlacement({self.name!r})"

    def place(self, request: requests.PreparedRequest, value: str) -> Any:
        if not self.can_carry(value):
            raise ValueError("value: a token with a semicolon in it can't be a cookie")
        return _place(request, {self.name: value})

    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        _remove(request, (self.name,), mark)

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return value in self._values(request)

    def can_carry(self, value: str) -> bool:
        return is_cookie(self.name, value)

    def _values(self, request: requests.PreparedRequest) -> Iterable[str]:
        pairs = [pair.partition("=") for pair in _pairs(text_of(request.headers.get("Cookie")))]
        return [value for name, _, value in pairs if name == self.name]


class WithCookies(Placement):
    """A placement, and beside it the cookies that travel with one token.

    Args:
        placement: Where the token itself goes.
        cookies: Names and values; of a name that the token has as well, the token is what goes.
    """

    def __init__(self, placement: Placement, cookies: Mapping[str, str]) -> None:
        self._placement = placement
        self._cookies = dict(cookies)

    def __repr__(self) -> str:
        return f"WithCookies({self._placement!r}, {sorted(self._cookies)})"

    def place(self, request: requests.PreparedRequest, value: str) -> Any:
        cookies = _place(request, self._cookies)
        return cookies, self._placement.place(request, value)

    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        cookies, inner = mark or (None, None)
        self._placement.remove(request, inner)
        _remove(request, self._cookies, cookies)

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return self._placement.carries(request, value)

    def can_carry(self, value: str) -> bool:
        return self._placement.can_carry(value)


class _Mark(NamedTuple):
    """The Cookie header as it was, and as it went out."""

    unsigned: str | bytes | None
    signed: str

    def __repr__(self) -> str:
        return "Mark(...)"


class _Jar(RequestsCookieJar):
    """A request's cookies, of which some are ours: nothing that comes in gets into their place.

    A redirect's request has a copy, into which requests puts the session's cookies and what the redirect
    itself sets. They stay ours once they are taken out: a session that the partner gave the token as a
    cookie would else take it along to another port of the same host, ports being nothing to a cookie jar.
    """

    ours: frozenset[str] = frozenset()

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        if cookie.name not in self.ours:
            super().set_cookie(cookie, *args, **kwargs)

    def put(self, cookie: Cookie) -> None:
        # As it is: requests would take quotes out of the value.
        CookieJar.set_cookie(self, cookie)

    def copy(self) -> _Jar:
        return _with(self, {}, ())


def _place(request: requests.PreparedRequest, cookies: Mapping[str, str]) -> _Mark:
    before = request.headers.get("Cookie")
    is_written = before is not None and text_of(before) != _header_of(request)
    request._cookies = _with(request._cookies, cookies, cookies)
    signed = None if is_written else _header_of(request)
    ours = [f"{name}={value}" for name, value in cookies.items()]
    # A jar whose policy lets nothing out is asked in vain: the token goes all the same.
    if signed is None or not set(ours) <= set(_pairs(signed)):
        signed = "; ".join([*_others(text_of(before), cookies), *ours])
    request.headers["Cookie"] = signed
    return _Mark(before, signed)


def _remove(request: requests.PreparedRequest, names: Iterable[str], mark: _Mark | None) -> None:
    names = frozenset(names)
    if request._cookies is not None:
        request._cookies = _with(request._cookies, {}, names)
    present = request.headers.get("Cookie")
    if present is None:
        return
    if mark is not None and text_of(present) == mark.signed:
        left = mark.unsigned
    else:
        left = "; ".join(_others(text_of(present), names)) or None
    if left is None:
        del request.headers["Cookie"]
    else:
        request.headers["Cookie"] = left


def _with(jar: CookieJar | None, cookies: Mapping[str, str], names: Iterable[str]) -> _Jar:
    """A new jar, without those names but with these cookies: the old one may be shared."""
    new = _Jar(policy=None if jar is None else jar._policy)  # type: ignore[attr-defined]
    names = frozenset(names)
    for cookie in () if jar is None else list(jar):
        if cookie.name not in names:
            new.put(cookie)
    for name, value in cookies.items():
        # For any host: which hosts are home is asked before each sending and each redirect.
        new.put(create_cookie(name, value))
    new.ours = names | (jar.ours if isinstance(jar, _Jar) else frozenset())
    return new


def _header_of(request: requests.PreparedRequest) -> str | None:
    """The Cookie header that the request's jar makes."""
    jar = request._cookies
    if jar is None or not len(jar):
        return None
    written = request.headers.pop("Cookie", None)
    try:
        return get_cookie_header(jar, request)
    finally:
        if written is not None:
            request.headers["Cookie"] = written


def _pairs(header: str) -> list[str]:
    return [pair.strip() for pair in header.split(";")]


def _others(header: str, names: Iterable[str]) -> list[str]:
    return [pair for pair in _pairs(header) if pair and pair.partition("=")[0].strip() not in names]
