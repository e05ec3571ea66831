"""One login over the wire, and what its failure means."""

from __future__ import annotations

import logging
import socket
import ssl
from functools import partial
from typing import NamedTuple, Protocol

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from .._engine.bounded import bounded
from .._engine.clock import Clock
from .._engine.flying import Lease
from .._engine.outcome import Failure
from .._token import Token, counted_from
from ..errors import InvalidLoginResponse, LoginRejected, LoginUnavailable
from .scrub import one_line
from .transport import in_headers_of, sends_by_itself, transport

logger = logging.getLogger(__name__)

_LARGEST_REPLY = 256 * 1024
_RETRY = Retry(total=2, backoff_factor=0.3)
_NOT_ABOUT_CREDENTIALS = (404, 405, 407, 408, 410, 425)
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)  # in OpenSSL's verify codes; an expired certificate has another


class Answers(Protocol):
    """What a partner says about its login: the pure half of `PartnerAuth`."""

    partner: str

    def login_request(self) -> requests.Request: ...

    def parse_login(self, response: requests.Response) -> Token: ...

    def who(self) -> str: ...

    def _hidden(self) -> list[str]: ...


class _Outage(NamedTuple):
    """An attempt that may be worth another: why it failed, and when the partner wants to be asked again."""

    why: str
    retry_after: str | None = None
    final: bool = False


class Login:
    """How one auth logs in. Holds no token; every call is one login, with its retries.

    Args:
        answers: What the partner says about its login.
        session: The user's transport for logins; None makes one for each login.
        timeouts: Seconds to connect and to read; together they bound the whole login.
        rejection_cooldown: Seconds in which refused credentials are not tried again.
        clock: What tells the time.
    """

    __slots__ = ("_answers", "_clock", "_session", "_timeouts", "limit", "rejection_cooldown")

    def __init__(
        self,
        answers: Answers,
        session: requests.Session | None,
        timeouts: tuple[float, float],
        rejection_cooldown: float,
        clock: Clock,
    ) -> None:
        self.limit = sum(timeouts)
        self.rejection_cooldown = rejection_cooldown
        self._answers = answers
        self._session = session
        self._timeouts = timeouts
        self._clock = clock

    def of(self, answers: Answers) -> Login:
        """The same for a copy of whoever gave the answers."""
        return Login(answers, self._session, self._timeouts, self.rejection_cooldown, self._clock)

    def __call__(
        self, reason: str, previous: Token | None = None, lease: Lease | None = None
    ) -> Token | Failure:
        """Log in, trying again twice after an outage as long as the time allows. `reason` is for the log."""
        answers, clock = self._answers, self._clock
        started = clock.monotonic()
        request = _prepared(answers)
        if isinstance(request, _Outage):
            return self._unavailable(request)
        with transport(self._session) as session:
            outcome = self._attempts(session, request, started + self.limit)
        took = clock.monotonic() - started
        if isinstance(outcome, Token):
            logger.info(
                "%s: logged in %s in %.2f s (%s), token %s",
                answers.partner, answers.who(), took, reason, outcome.fingerprint,
            )  # fmt: skip
        else:
            # A refusal is for a person to mend; an outage may pass, and whoever asked is told of both.
            logger.log(
                logging.WARNING if outcome.is_refusal else logging.INFO,
                "%s: no login for %s after %.2f s (%s): %s",
                answers.partner, answers.who(), took, reason, outcome.kind.__name__,
            )  # fmt: skip
        return outcome

    def _attempts(
        self, session: requests.Session, request: requests.PreparedRequest, deadline: float
    ) -> Token | Failure:
        retry = _RETRY
        while isinstance(outcome := self._attempt(session, request, deadline), _Outage):
            next_try = None if outcome.final else _next(retry, outcome)
            if next_try is None:
                return self._unavailable(outcome)
            retry, pause = next_try
            if self._clock.monotonic() + pause >= deadline:
                return self._unavailable(outcome)
            logger.debug("%s: %s; trying again in %.1f s", self._answers.partner, outcome.why, pause)
            if pause:
                self._clock.sleep(pause)
        return outcome

    def _attempt(
        self, session: requests.Session, request: requests.PreparedRequest, deadline: float
    ) -> Token | Failure | _Outage:
        left = deadline - self._clock.monotonic()
        if left <= 0:
            return _Outage(f"no answer within {self.limit:g} s", final=True)
        timeouts = (min(self._timeouts[0], left), min(self._timeouts[1], left))
        sent_at = self._clock.wall()
        try:
            exchange = partial(self._exchange, session, request, timeouts, deadline)
            response = bounded(exchange, left) if sends_by_itself(session) else exchange()
        except requests.RequestException as error:
            return self._why(error)
        except Exception as error:
            return _Outage(self._safe(f"{type(error).__name__}: {error}", request), final=True)
        if response is None:
            return _Outage(f"no whole answer within {self.limit:g} s", final=True)
        if isinstance(response, _Outage):
            return response
        if response.status_code == 429 or response.status_code >= 500:
            return _Outage(f"HTTP {response.status_code}", response.headers.get("Retry-After"))
        if 300 <= response.status_code < 400:
            return self._invalid("it was answered by a redirect, which logins do not follow; check base_url")
        outcome = self._parsed(response, request)
        return counted_from(outcome, sent_at, self._clock.wall()) if isinstance(outcome, Token) else outcome

    def _exchange(
        self,
        session: requests.Session,
        request: requests.PreparedRequest,
        timeouts: tuple[float, float],
        deadline: float,
    ) -> requests.Response | _Outage:
        settings = session.merge_environment_settings(request.url or "", {}, True, None, None)
        response = session.send(request, allow_redirects=False, timeout=timeouts, **settings)
        try:
            body = bytearray()
            # In small pieces: a thread that is left to itself with a partner that drips ends before long.
            for piece in response.iter_content(256):
                body += piece
                if len(body) > _LARGEST_REPLY:
                    # Longer than any login's reply: cut off it is no JSON, and told as such.
                    break
                if self._clock.monotonic() >= deadline:
                    return _Outage(f"no whole answer within {self.limit:g} s", final=True)
        finally:
            response.close()
        response._content = bytes(body)
        return response

    def _parsed(
        self, response: requests.Response, request: requests.PreparedRequest
    ) -> Token | Failure | _Outage:
        status = response.status_code
        try:
            token = self._answers.parse_login(response)
        except LoginRejected as rejected:
            return self._rejected(rejected.code, rejected.partner_message, request)
        except LoginUnavailable as outage:
            return _Outage(self._safe(outage, request), response.headers.get("Retry-After"))
        except InvalidLoginResponse as invalid:
            why = self._safe(invalid, request)
        except Exception as error:
            why = f"{type(error).__name__} in parse_login"
        else:
            if isinstance(token, Token) and status < 300:
                return token
            why = "no token was read from it"
        if status in (401, 403):
            return self._rejected(str(status), response.reason or "", request)
        what = f"HTTP {status} with a body that no login document describes ({why}); check base_url"
        if status < 400 or status in _NOT_ABOUT_CREDENTIALS:
            return self._invalid(what)
        # It may well be the password: trying it again with every request could lock the account.
        return self._invalid(f"{what} and the credentials{self._cooldown()}")._replace(is_refusal=True)

    def _safe(self, words: object, request: requests.PreparedRequest) -> str:
        return one_line(words, [*self._answers._hidden(), *in_headers_of(request)])

    def _rejected(self, code: str | None, partner_message: str, request: requests.PreparedRequest) -> Failure:
        code = None if code is None else self._safe(code, request)
        words = self._safe(partner_message, request)
        said = ": ".join(part for part in (code, words) if part) or "no reason given"
        message = self._message("refused the login", f" ({said}): check the credentials{self._cooldown()}")
        return Failure(LoginRejected, message, code, words, is_refusal=True)

    def _cooldown(self) -> str:
        if not self.rejection_cooldown:
            return ""
        return f"; they are not tried again for {self.rejection_cooldown:g} s, or until forget()"

    def _invalid(self, why: str) -> Failure:
        return Failure(InvalidLoginResponse, self._message("gave an unknown answer to the login", f": {why}"))

    def _unavailable(self, outage: _Outage) -> Failure:
        return Failure(LoginUnavailable, self._message("is not available for a login", f": {outage.why}"))

    def _message(self, what: str, more: str) -> str:
        return f"{self._answers.partner} {what} of {self._answers.who()}{more}"

    def _why(self, error: requests.RequestException) -> _Outage:
        causes = _causes(error)
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                why = f"its TLS certificate is not trusted ({cause.verify_message})"
                if cause.verify_code in _UNKNOWN_AUTHORITY:
                    why += "; if you trust its CA, set REQUESTS_CA_BUNDLE to its file"
                return _Outage(why, final=True)
        if isinstance(error, requests.exceptions.SSLError):
            return _Outage("no TLS connection could be made", final=True)
        if isinstance(error, requests.exceptions.ProxyError):
            return _Outage("the proxy could not be used")
        if isinstance(error, requests.ConnectTimeout):
            return _Outage(f"no connection within {self._timeouts[0]:g} s")
        if isinstance(error, requests.Timeout):
            return _Outage(f"no answer within {self._timeouts[1]:g} s")
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return _Outage("its host name could not be resolved")
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return _Outage("the connection was refused")
        if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            return _Outage("the connection broke")
        return _Outage(
            type(error).__name__, final=not isinstance(error, requests.exceptions.ContentDecodingError)
        )


def _prepared(answers: Answers) -> requests.PreparedRequest | _Outage:
    request: object = answers.login_request()
    if not isinstance(request, requests.Request):
        raise TypeError(f"login_request: a requests.Request is wanted, not {type(request).__name__}")
    try:
        prepared = request.prepare()
    except Exception as error:
        # Not its text: requests quotes the header value or the URL that it does not like.
        return _Outage(f"its login request can't be sent ({type(error).__name__})", final=True)
    # requests reads the body of a redirect to its end, even one that is not followed.
    prepared.register_hook("response", _without_target)
    prepared.headers = CaseInsensitiveDict(
        {**default_headers(), "Accept": "application/json, */*;q=0.5", **prepared.headers}
    )
    return prepared


def _without_target(response: requests.Response, **_: object) -> None:
    response.headers.pop("Location", None)


def _next(retry: Retry, outage: _Outage) -> tuple[Retry, float] | None:
    """The retries that are left and the pause before the next one; None where none is left."""
    try:
        retry = retry.increment(error=ConnectionError(outage.why))
    except MaxRetryError:
        return None
    try:
        # A number of many digits fits into no float, and a date may be none.
        pause = float(retry.parse_retry_after(outage.retry_after or ""))
    except (InvalidHeader, ValueError, OverflowError):
        pause = retry.get_backoff_time()
    return retry, max(0.0, pause)


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
