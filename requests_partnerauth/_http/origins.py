"""Which hosts may see the token."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

logger = logging.getLogger(__name__)

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_NAME = r"[\x00-,/:-@\[-^`{-\x7f]"
_told_about_http: set[Origin] = set()


class Origin(NamedTuple):
    """Scheme, host and port of a URL, in the one spelling in which they can be compared."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def origin_of(url: str) -> Origin | None:
    """The origin of an http or https URL; None where there is none, or where two parsers disagree on it.

    urllib3 and the standard library are both asked: requests uses either, depending on where a URL comes
    from, and a URL that they read differently can be made to name one host here and another there.
    """
    try:
        parsed = parse_url(url)
        split = urlsplit(url)
        readings = {
            (parsed.scheme or "", _host(parsed.host), parsed.port),
            (split.scheme.lower(), _host(split.hostname), split.port),
        }
    except (LocationParseError, ValueError):
        return None
    if len(readings) != 1:
        return None
    scheme, host, port = readings.pop()
    if scheme not in _DEFAULT_PORTS or not host:
        return None
    return Origin(scheme, host, _DEFAULT_PORTS[scheme] if port is None else port)


def _host(host: str | None) -> str:
    host = (host or "").removeprefix("[").removesuffix("]")
    if not host.isascii():
        if re.search(_NO_NAME, host):
            raise ValueError("a host name with something in it that ends host names elsewhere")
        host = parse_url(f"http://{host}").host or ""
    return host.lower().removesuffix(".")


class Origins:
    """The origins that may see an auth's token: base_url's and those the user added."""

    __slots__ = ("_allow_http", "_others", "own", "prefixes")

    def __init__(self, base_url: str, origins: Iterable[str], *, allow_http: bool) -> None:
        if isinstance(origins, (str, bytes)) or not isinstance(origins, Iterable):
            raise ValueError('origins: a collection of URLs is wanted: origins=("https://...",)')
        known = [_checked("base_url", base_url, allow_http=allow_http)]
        for origin in origins:
            known.append(_checked("origins", origin, allow_http=allow_http))
            if urlsplit(origin).path not in ("", "/"):
                raise ValueError("origins: scheme, host and port are wanted, without a path")
        self._allow_http = allow_http
        self._know(known)

    def _know(self, known: list[Origin]) -> None:
        self.own, *others = dict.fromkeys(map(_shared, known))
        self._others = tuple(others)
        usual = tuple(map(_prefix, (self.own, *others)))
        self.prefixes: str | tuple[str, ...] = usual if others else usual[0]

    def and_granted(self, urls: Iterable[str]) -> Origins:
        """These, and the origins of URLs that a login named, but for those that no token may go to."""
        if isinstance(urls, (str, bytes)) or not isinstance(urls, Iterable):
            raise TypeError(f"granted_origins: a collection of URLs is wanted, not {type(urls).__name__}")
        granted = [origin_of(url) for url in urls if isinstance(url, str)]
        safe = [origin for origin in granted if origin is not None and self._is_safe(origin)]
        if not safe:
            return self
        more = object.__new__(type(self))
        more._allow_http = self._allow_http
        more._know([self.own, *self._others, *safe])
        return more

    def _is_safe(self, origin: Origin) -> bool:
        return origin.scheme == "https" or self._allow_http or _is_loopback(origin.host)

    def include(self, url: str) -> bool:
        """Whether what is sent to this URL may carry the token."""
        return url.startswith(self.prefixes) or origin_of(url) in (self.own, *self._others)


@lru_cache(maxsize=256)
def _shared(origin: Origin) -> Origin:
    """The first of all that are equal: many auths name one host, and each keeps it."""
    return origin


@lru_cache(maxsize=256)
def _prefix(origin: Origin) -> str:
    return f"{origin}/"


def _checked(argument: str, url: object, *, allow_http: bool) -> Origin:
    if not isinstance(url, str) or not url:
        raise ValueError(f"{argument}: a URL such as https://api.example.com is wanted")
    if any(character.isspace() or not character.isprintable() for character in url) or "\\" in url:
        raise ValueError(f"{argument}: a URL holds no blanks, control characters or backslashes")
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError(f"{argument}: a URL that begins with https:// is wanted")
    origin = origin_of(url)
    if origin is None or not origin.port:
        raise ValueError(f"{argument}: no host, or no port from 1 to 65535, could be read from this URL")
    split = urlsplit(url)
    if split.username is not None or split.password is not None:
        raise ValueError(f"{argument}: give credentials as arguments, not inside the URL")
    if split.query or split.fragment:
        raise ValueError(f"{argument}: a URL without query and fragment is wanted")
    if origin.scheme == "http" and not _is_loopback(origin.host):
        if not allow_http:
            raise ValueError(
                f"{argument}: plain http shows password and token to everyone on the way; "
                "use https, or pass allow_http=True if the partner has nothing else"
            )
        if origin not in _told_about_http:
            _told_about_http.add(origin)
            logger.warning("%s is plain http: password and token travel in clear", origin)
    return origin


def _is_loopback(host: str) -> bool:
    """By the name alone: another one under ``.localhost`` may be looked up anywhere."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None
