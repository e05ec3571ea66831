"""One request of a login over the wire and back, within the login's limit."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import requests
from requests.cookies import RequestsCookieJar
from urllib3.exceptions import HTTPError

from .._engine.bounded import bounded
from .._engine.clock import Clock
from .._engine.thrown import is_thrown_in
from .body import Unreadable, body_of
from .frames import let_go
from .line import Line
from .looking import let_through
from .outage import Outage, is_outage, late, outage_from
from .transport import sends_by_itself, transport


class Wire:
    """What carries one login: the user's transport, with connections, cookies and a limit of its own.

    On leaving it, for whatever reason, its connections are cut.

    Args:
        session: The user's transport for logins; None makes one.
        timeouts: Seconds to connect and to read; their sum is the limit, which counts from here.
        clock: What tells the time.
    """

    def __init__(self, session: requests.Session | None, timeouts: tuple[float, float], clock: Clock) -> None:
        self.limit = sum(timeouts)
        self.deadline = clock.monotonic() + self.limit
        self._clock = clock
        self._timeouts = timeouts
        self._line = Line()
        self._session = transport(session, self._line)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._line.cut()

    @property
    def cookies(self) -> RequestsCookieJar:
        """The flow's own, those that its replies set among them."""
        return self._session.cookies

    @property
    def left(self) -> float:
        """Seconds until the limit."""
        return self.deadline - self._clock.monotonic()

    def drop_cookies(self) -> None:
        """A flow begins."""
        self._session.cookies = RequestsCookieJar()

    def send(self, request: requests.PreparedRequest) -> requests.Response | Outage:
        """The reply, whole and decoded, with redirects as they came; or why there is none.

        The status of a refusal, a redirect or an outage says all there is to know: where the body that comes
        with it breaks off or can't be read, the reply has none.

        Raises:
            Unreadable: Its body is not to be read, and its status leaves open what it says.
        """
        left = self.left
        if left <= 0:
            return late(self.limit)
        timeouts = (min(self._timeouts[0], left), min(self._timeouts[1], left))
        exchange = _Exchange(self._session, request, timeouts, self._is_over)
        outcome: requests.Response | Exception | None
        if sends_by_itself(self._session):
            outcome = bounded(exchange.outcome, left)
        else:
            try:
                outcome = exchange()
            except (OSError, HTTPError, Unreadable) as error:
                if is_thrown_in(error):
                    raise
                outcome = error
        if outcome is None:
            self._line.cut()
            refused = exchange.response
            if refused is None or not _decides(refused.status_code):
                return late(self.limit)
            outcome = _with_content(refused, b"")
        if isinstance(outcome, Unreadable):
            raise outcome
        if isinstance(outcome, Exception):
            outage = outage_from(outcome, self._timeouts)
            let_go(outcome)
            return outage
        return outcome

    def _is_over(self) -> bool:
        return self._line.is_cut or self.left <= 0


class _Exchange:
    """One request and its reply. `response` is there as soon as its headers are."""

    def __init__(
        self,
        session: requests.Session,
        request: requests.PreparedRequest,
        timeouts: tuple[float, float],
        is_over: Callable[[], bool],
    ) -> None:
        self.response: requests.Response | None = None
        self._session = session
        self._request = request
        self._timeouts = timeouts
        self._is_over = is_over
        self._target: str | None = None

    def outcome(self) -> requests.Response | Exception:
        """The reply, or what went wrong, for another thread to judge."""
        try:
            return self()
        except Exception as error:
            return error

    def __call__(self) -> requests.Response:
        session, request = self._session, self._request
        settings = session.merge_environment_settings(request.url or "", {}, True, None, None)
        # requests reads the body of a redirect to its end, even one that is not followed.
        request.register_hook("response", self._take_target)
        try:
            response = session.send(request, allow_redirects=False, timeout=self._timeouts, **settings)
        finally:
            request.deregister_hook("response", self._take_target)
        if self._target is not None:
            response.headers["Location"] = self._target
        self.response = response
        status = response.status_code
        try:
            content = b"" if is_outage(status) else body_of(response, self._is_over)
        except Exception as error:
            # urllib3 lets some of http.client's through: a chunk of negative length is a ValueError.
            if not _decides(status) or is_thrown_in(error):
                if isinstance(error, Unreadable):
                    error.response = response
                raise
            let_go(error)
            content = b""
        finally:
            # Before it counts as consumed: what was not read to its end may not go back to the pool.
            response.close()
        return _with_content(response, content)

    def _take_target(self, response: requests.Response, **_: object) -> None:
        if response.is_redirect:
            self._target = response.headers.pop("Location")


def _decides(status: int) -> bool:
    return status in (401, 403) or 300 <= status < 400


def _with_content(response: requests.Response, content: bytes) -> requests.Response:
    response._content = content
    response._content_consumed = True
    let_through(response)
    return response
