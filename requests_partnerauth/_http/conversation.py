"""One run of a login flow: its requests over the wire, its replies back to it, and how it ends."""

from __future__ import annotations

import logging
from types import GeneratorType

import requests

from .._engine.clock import Clock
from .._engine.outcome import Failure
from .._engine.thrown import is_thrown_in
from .._token import Token, counted_from
from ..errors import InvalidLoginResponse, LoginRejected, LoginUnavailable
from .answers import Answers
from .body import Unreadable
from .bugs import step_of
from .flow import LoginFlow
from .frames import let_go
from .origins import Origins
from .outage import Outage, named_time, outage_of, seconds_or_none
from .refreshing import Refreshing
from .request import prepared
from .sent import cookies_in
from .telling import Telling
from .wire import Wire

logger = logging.getLogger(__name__)

End = Token | Failure | Outage


class Conversation:
    """A login flow from its first request to its end; called once more, it begins anew.

    Args:
        answers: Whose flow it is.
        wire: What carries it.
        origins: Where it may go.
        refreshing: What it is told of the last token.
        telling: What its end is told as.
        clock: What tells the time.
        keeps_cookies: Whether the cookies of the flow stay with its token.
    """

    def __init__(
        self,
        answers: Answers,
        wire: Wire,
        origins: Origins,
        refreshing: Refreshing,
        telling: Telling,
        clock: Clock,
        *,
        keeps_cookies: bool,
    ) -> None:
        self._answers = answers
        self._wire = wire
        self._origins = origins
        self._refreshing = refreshing
        self._telling = telling
        self._clock = clock
        self._keeps_cookies = keeps_cookies

    def __call__(self) -> End:
        """What comes of it. What it raises was thrown in from outside."""
        while (end := self._run()) is None:
            logger.debug("%s: the refresh token may not be sent", self._answers.partner)
        if isinstance(end, Outage):
            self._refreshing.end_in(end)
            return end._replace(why=end.told(self._telling.safe), said="", hint="")
        return end

    def _run(self) -> End | None:
        """None: its refresh token may not be sent, and it has to begin anew without."""
        self._wire.drop_cookies()
        began = self._clock.wall()
        flow = self._begun()
        if isinstance(flow, (Failure, Outage)):
            return flow
        response: requests.Response | None = None
        try:
            while isinstance(step := self._step(flow, response), requests.Request):
                answer = self._sent(step, response)
                if not isinstance(answer, requests.Response):
                    return answer
                response = answer
        finally:
            self._close(flow)
        return counted_from(step, began, self._clock.wall()) if isinstance(step, Token) else step

    def _begun(self) -> LoginFlow | Failure | Outage:
        try:
            flow: object = self._answers.login_flow(self._refreshing.previous)
        except Exception as error:
            if is_thrown_in(error):
                raise
            return self._failed(error, None)
        if isinstance(flow, GeneratorType):
            return flow
        return self._telling.bug(TypeError(f"login_flow: a generator is wanted, not {type(flow).__name__}"))

    def _step(self, flow: LoginFlow, response: requests.Response | None) -> requests.Request | End:
        """What the flow makes of a reply: its next request, or the end."""
        try:
            request: object = next(flow) if response is None else flow.send(response)
        except StopIteration as end:
            granted: object = end.value
        except Exception as error:
            if is_thrown_in(error):
                raise
            return self._failed(error, response)
        else:
            if isinstance(request, requests.Request):
                return request
            where = step_of(flow, self._answers)
            mistake = f"login_flow: a requests.Request is wanted, not {type(request).__name__} ({where})"
            return self._mistaken(mistake, response)
        if isinstance(granted, Token):
            return self._granted(granted, response)
        where = f"{type(self._answers).__name__}.login_flow"
        mistake = f"login_flow: a Token is wanted, not {type(granted).__name__} ({where})"
        return self._mistaken(mistake, response)

    def _granted(self, token: Token, response: requests.Response | None) -> Token | Failure | Outage:
        """The token with the cookies that stay with it, where requests can carry both and are told where."""
        try:
            self._origins.and_granted(self._answers.granted_origins(token))
        except Exception as error:
            if is_thrown_in(error):
                raise
            return self._failed(error, response)
        placement = self._answers.placement
        if not placement.can_carry(token.value):
            return self._telling.documented(response, f"no {type(placement).__name__} can carry its token")
        if not self._keeps_cookies:
            return token
        cookies = {**cookies_in(self._wire.cookies), **token.cookies}
        try:
            return token.__replace__(cookies=cookies)
        except ValueError:
            return self._telling.documented(response, "no Cookie header can carry the cookies that it set")

    def _mistaken(self, mistake: str, response: requests.Response | None) -> Failure:
        if response is None:
            return self._telling.bug(TypeError(mistake))
        return self._telling.mistaken(response, mistake)

    def _failed(self, error: Exception, response: requests.Response | None) -> Failure | Outage:
        if isinstance(error, LoginRejected):
            return self._telling.rejected(error.code, error.partner_message)
        if isinstance(error, LoginUnavailable):
            seconds = seconds_or_none(error.retry_after)
            if seconds is None and response is not None:
                seconds = named_time(response)
            return Outage("", str(error), retry_after=seconds)
        if isinstance(error, InvalidLoginResponse):
            judged = self._telling.documented if error.documented else self._telling.undescribed
            return judged(response, str(error))
        if response is None:
            return self._telling.bug(error)
        place = self._telling.place_of(error)
        let_go(error)
        return self._telling.mistaken(response, place)

    def _sent(
        self, request: requests.Request, last: requests.Response | None
    ) -> requests.Response | Failure | Outage | None:
        try:
            ready = prepared(request, self._wire.cookies)
        except Exception as error:
            if is_thrown_in(error):
                raise
            # Not its text: requests quotes the header value or the URL that it does not like.
            cls = type(self._answers)
            method = "login_request" if cls.login_flow is Answers.login_flow else "login_flow"
            maker = f"{cls.__name__}.{method}"
            why = f"its login request can't be sent ({type(error).__name__}; {maker} makes it)"
            logger.warning("%s: %s", self._answers.partner, why)
            return Outage(why, is_final=True) if last is None else self._telling.undescribed(last, why)
        if not self._origins.include(ready.url or ""):
            return self._telling.foreign(ready.url or "")
        if not self._refreshing.allows(ready):
            return None
        self._telling.sends(ready, self._wire.left)
        try:
            answer = self._wire.send(ready)
        except Unreadable as unreadable:
            return self._telling.undescribed(unreadable.response, str(unreadable))
        self._telling.learn(cookies_in(self._wire.cookies).values())
        return answer if isinstance(answer, Outage) else outage_of(answer) or answer

    def _close(self, flow: LoginFlow) -> None:
        try:
            flow.close()
        except Exception as error:
            if is_thrown_in(error):
                raise
            self._telling.place_of(error)
            let_go(error)
