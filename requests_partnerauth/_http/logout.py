"""A logout over the wire: one request, and what it answers in the log."""

from __future__ import annotations

import logging

import requests

from .._engine.thrown import is_thrown_in
from .._token import Token, secrets_of
from .answers import Answers
from .body import Unreadable
from .frames import let_go
from .origins import Origins
from .outage import Outage
from .request import prepared
from .telling import Telling
from .wire import Wire

logger = logging.getLogger(__name__)


def log_out(answers: Answers, wire: Wire, origins: Origins, token: Token) -> None:
    """Send `logout_request`, the token placed in it, once; nothing where the partner has no logout.

    Args:
        answers: Whose token it is.
        wire: What carries it.
        origins: Where it may go.
        token: What is to end.
    """
    telling = Telling(answers, 0.0, secrets_of(token))
    try:
        request: object = answers.logout_request(token)
        if request is None:
            return
        if not isinstance(request, requests.Request):
            raise TypeError(f"logout_request: a requests.Request is wanted, not {type(request).__name__}")
        for name, value in token.cookies.items():
            wire.cookies.set(name, value)
        ready = prepared(request, wire.cookies)
        is_home = origins.and_granted(answers.granted_origins(token)).include(ready.url or "")
        if is_home:
            answers.placement.place(ready, token.value)
    except Exception as error:
        if is_thrown_in(error):
            raise
        telling.place_of(error)
        let_go(error)
        return
    why = _sent(wire, ready, telling) if is_home else telling.foreign(ready.url or "", "logout").message
    if why is None:
        logger.info("%s: logged out %s, token %s", answers.partner, answers.who(), token.fingerprint)
    else:
        logger.warning("%s: no logout for %s: %s", answers.partner, answers.who(), why)


def _sent(wire: Wire, request: requests.PreparedRequest, telling: Telling) -> str | None:
    """Why the partner did not take it; None where it did."""
    telling.sends(request, wire.left)
    try:
        answer = wire.send(request)
    except Unreadable:
        return None
    if isinstance(answer, Outage):
        return answer.told(telling.safe)
    return None if answer.status_code < 400 else f"HTTP {answer.status_code}"
