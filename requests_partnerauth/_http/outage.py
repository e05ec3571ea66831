"""No usable answer to a login: what a status or an exception of the transport means."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

import requests
from urllib3 import exceptions as urllib3_errors
from urllib3.util import Retry

from ..errors import LoginTimeout, LoginUnavailable

_PAUSE_AFTER_429 = 10.0
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)  # in OpenSSL's verify codes; an expired certificate has another
_PLAIN_HTTP = ("wrong version number", "record layer failure", "packet length too long", "http request")
_NO_PEM = ("no certificate or crl found", "no start line", "pem lib")
_IS_PLAIN_HTTP = ": plain http on this port?"
_NO_BUNDLE = ": is the CA bundle a file of PEM certificates?"
_NO_CLIENT_CERTIFICATE = (
    ": is the client certificate a file of PEM certificates, with its key in it or beside it?"
)
_NO_TLS = "no TLS connection could be made"
_NO_NAME = "its host name could not be resolved"
_REFUSED = "the connection was refused"
_NO_PROXY = "the proxy could not be used"
_PROXY_WANTS_CREDENTIALS = "the proxy could not be used: it wants credentials (HTTP 407)"
_UNSENT = (
    urllib3_errors.NewConnectionError,
    urllib3_errors.ConnectTimeoutError,
    urllib3_errors.ProxyError,
    socket.gaierror,
    ConnectionRefusedError,
    ssl.SSLCertVerificationError,
)


class Outage(NamedTuple):
    """No usable answer: why, in other people's words where they said something, and what to do about it.

    `retry_after` are the seconds that the partner named. `is_final`: another try is of no use now.
    `is_unused`: the request was not taken up, so that a refresh token in it is as good as before.
    """

    why: str
    said: str = ""
    hint: str = ""
    kind: type[LoginUnavailable] = LoginUnavailable
    retry_after: float | None = None
    is_final: bool = False
    is_unused: bool = False

    def told(self, safe: Callable[[str], str]) -> str:
        """All of it in one text. Only what others said can hold a secret, and is made `safe`."""
        said = safe(self.said)
        said = f" ({said})" if said and self.why else said
        return f"{self.why}{said}{self.hint}"


def is_outage(status: int) -> bool:
    """Whether this status says that there is no answer for now; the body that comes with it is not read."""
    return status in (407, 408, 425, 429) or status >= 500


def outage_of(response: requests.Response) -> Outage | None:
    """What a reply's status says of an outage; None where it is an answer."""
    status = response.status_code
    if not is_outage(status):
        return None
    if status == 407:
        return Outage(_PROXY_WANTS_CREDENTIALS, is_final=True, is_unused=True)
    seconds = named_time(response)
    if status == 429 and seconds is None:
        return Outage("HTTP 429", retry_after=_PAUSE_AFTER_429, is_final=True, is_unused=True)
    return Outage(f"HTTP {status}", retry_after=seconds, is_unused=status == 429)


def named_time(response: requests.Response) -> float | None:
    """The seconds in which the partner wants to be asked again; None where its Retry-After names none."""
    try:
        # A number of many digits fits into no float, and a date may be none.
        return max(0.0, float(Retry().parse_retry_after(response.headers.get("Retry-After", ""))))
    except (urllib3_errors.InvalidHeader, ValueError, OverflowError):
        return None


def seconds_or_none(seconds: object) -> float | None:
    """What an author gave as `retry_after`, where that is a number of seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    return max(0.0, float(seconds)) if math.isfinite(seconds) else None


def late(limit: float) -> Outage:
    """The login's limit is over."""
    return Outage(f"no whole answer within {limit:g} s", kind=LoginTimeout, is_final=True)


def outage_from(error: Exception, timeouts: tuple[float, float]) -> Outage:
    """What an exception of the transport means."""
    causes = _causes(error)
    outage = _at_the_proxy(_tls_outage(causes), error, causes) or _network_outage(error, causes, timeouts)
    return outage._replace(is_unused=any(isinstance(cause, _UNSENT) for cause in causes))


def _tls_outage(causes: list[BaseException]) -> Outage | None:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            unknown = cause.verify_code in _UNKNOWN_AUTHORITY
            hint = "; if you trust its CA, set REQUESTS_CA_BUNDLE to its file" if unknown else ""
            return Outage("its TLS certificate is not trusted", cause.verify_message, hint, is_final=True)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            # An end in the middle has no reason, only words, and then where in Python's wrapper it was seen.
            # One of pyOpenSSL's has no reason at all.
            reason = getattr(cause, "reason", None) or str(cause.strerror or "").partition(" (")[0]
            reason = reason.lower().replace("_", " ")
            return Outage(_NO_TLS, reason, _tls_hint(cause, reason), is_final=True)
    if any(isinstance(cause, requests.exceptions.SSLError) for cause in causes):
        return Outage(_NO_TLS, is_final=True)
    if type(causes[0]) is OSError and "TLS" in str(causes[0]):
        # requests' own, of a file that is not there: a CA bundle, a client certificate.
        return Outage(_NO_TLS, str(causes[0]), is_final=True)
    return None


def _tls_hint(error: ssl.SSLError, reason: str) -> str:
    if reason.endswith(_PLAIN_HTTP):
        return _IS_PLAIN_HTTP
    if not reason.endswith(_NO_PEM):
        return ""
    # OpenSSL reads a bundle in its part X509, a client certificate in its part SSL.
    return _NO_CLIENT_CERTIFICATE if getattr(error, "library", "") == "SSL" else _NO_BUNDLE


def _at_the_proxy(outage: Outage | None, error: Exception, causes: list[BaseException]) -> Outage | None:
    """What failed over TLS, told of the proxy where it was not the partner that was spoken to."""
    is_of_proxy = isinstance(error, requests.exceptions.ProxyError)
    if outage is None or not is_of_proxy or outage.hint in (_NO_BUNDLE, _NO_CLIENT_CERTIFICATE):
        return outage
    said = ": ".join(filter(None, [*_proxies(causes), outage.why, outage.said]))
    return outage._replace(why=_NO_PROXY, said=said)


def _proxies(causes: list[BaseException]) -> list[str]:
    """The proxy's address, if an error knows it, without the password in its URL."""
    pools = [cause.pool for cause in causes if isinstance(cause, urllib3_errors.PoolError)]
    urls = [url for url in (getattr(pool, "proxy", None) for pool in pools) if url is not None]
    return [f"{url.scheme}://{url.netloc}" for url in urls[:1]]


def _proxy_outage(error: Exception, causes: list[BaseException]) -> Outage | None:
    """What is wrong with the proxy, and at which address; its URL may hold a password."""
    if isinstance(error, requests.exceptions.InvalidURL):
        # The login's own URL was read before.
        return Outage(_NO_PROXY, "its URL can't be read", is_final=True)
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        return Outage(_NO_PROXY, 'it speaks SOCKS: pip install "requests[socks]"', is_final=True)
    if not isinstance(error, requests.exceptions.ProxyError):
        return None
    refusals = [str(cause) for cause in causes if str(cause).startswith("Tunnel connection failed")]
    if refusals and " 407 " in refusals[0]:
        return Outage(_PROXY_WANTS_CREDENTIALS, is_final=True)
    if refusals:
        why = refusals[:1]
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        why = [_NO_NAME]
    else:
        why = [_REFUSED] if any(isinstance(cause, ConnectionRefusedError) for cause in causes) else []
    return Outage(_NO_PROXY, ": ".join([*_proxies(causes), *why]))


def _network_outage(error: Exception, causes: list[BaseException], timeouts: tuple[float, float]) -> Outage:
    outage = _proxy_outage(error, causes)
    if outage is not None:
        return outage
    if isinstance(error, requests.ConnectTimeout):
        return Outage(f"no connection within {timeouts[0]:g} s", kind=LoginTimeout)
    if any(isinstance(cause, (requests.Timeout, urllib3_errors.ReadTimeoutError)) for cause in causes):
        return Outage(f"no answer within {timeouts[1]:g} s", kind=LoginTimeout)
    if isinstance(error, urllib3_errors.LocationParseError):
        return Outage(_NO_NAME, str(error), is_final=True)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Outage(_NO_NAME)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Outage(_REFUSED)
    if isinstance(
        error,
        (
            requests.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            urllib3_errors.ProtocolError,
            urllib3_errors.IncompleteRead,
        ),
    ):
        return Outage("the connection broke")
    if isinstance(error, requests.RequestException):
        return Outage(type(error).__name__, is_final=True)
    return Outage(type(error).__name__, str(error), is_final=True)


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        # ssl's errors have a text as their reason, urllib3's another error.
        if isinstance(cause, BaseException) and cause not in causes:
            causes.append(cause)
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return causes
