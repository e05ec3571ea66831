"""What a refused response leads to: a login that is shared, and the one resend."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import requests

from .._engine.account import Verdict
from .._engine.outcome import Failure, Grant
from .draining import drain
from .guard import Guard, guards_of, handing_over, may_be_handed_a_token
from .looking import look, look_away, read_refused
from .redirects import redirect_target
from .resend import resend, rewind, take_cookies

if TYPE_CHECKING:
    from .sending import Sender, Sending

logger = logging.getLogger(__name__)

_ROUNDS = 3


def endpoint_of(request: requests.PreparedRequest) -> str:
    """Method and URL of a request, without the query."""
    return f"{request.method} {(request.url or '').partition('?')[0]}"


def is_refused(auth: Sender, response: requests.Response, sent_with: dict[str, Any]) -> bool:
    """Whether a response from home refuses its token. One that came from a cache refuses nothing."""
    if getattr(response, "connection", None) is None:
        return False
    streamed = bool(sent_with.get("stream"))
    try:
        if not streamed and not 300 <= response.status_code < 400:
            read_refused(response)  # requests would read it next: now the partner may look into it
        # The user's own signal may be in other words than the partner's.
        markers = () if auth._expired_when else auth.expiry_markers
        look(response, markers, streamed=streamed)
        is_lost = response.status_code == 401 and _lacks_token(response.request)
        is_refused = is_lost or auth._says_expired(response)
        look_away(response)
        return is_refused
    except BaseException:
        # Nobody will get this response: its connection may not be lost to the pool with it.
        response.close()
        raise


def sent_again(sending: Sending, response: requests.Response, sent_with: dict[str, Any]) -> requests.Response:
    """The response to the one resend of a refused request; the refusal itself where nothing is resent."""
    auth, request = sending.auth, response.request
    account, endpoint, seconds = auth._shared_account(anew=True), endpoint_of(request), auth._refresh_cooldown
    refused = _carried_by(sending, request)
    if refused is not None and _ends_here(auth, account.refuse(refused, endpoint, seconds), refused):
        return response
    is_shaken = account.is_shaken
    for _ in range(_ROUNDS):
        if not auth._may_resend or not rewind(request):
            if auth._may_resend:
                why = "a body that can't be replayed is not resent"
                logger.warning("%s: token %s refused; %s", auth.partner, _named(refused), why)
            return response
        drain(response)
        fresh = account.usable(refused) or account.obtain(auth._log_in, refused)
        if isinstance(fresh, Failure):
            from .scrub import bare_response

            raise fresh.error(bare_response(response, auth._hidden()))
        if not auth._home_of(fresh).include(request.url or ""):
            raise auth._foreign(request.url or "", "resent")
        logger.info(
            "%s: token %s refused, resending with %s",
            auth.partner, _named(refused), fresh.token.fingerprint,
        )  # fmt: skip
        again = request.copy()
        take_cookies(again, response)
        response = resend(again, response, sent_with, sending.sign_again(again, fresh))
        _hand_over(again, request, is_redirected=redirect_target(response) is not None)
        if not is_refused(auth, response, sent_with):
            if account.endpoints and response.status_code < 500:
                account.accept(endpoint, resent=True)
            return response
        verdict = account.refuse(fresh, endpoint, seconds, resent=True)
        # A login that was due elsewhere may have ended the token while it was on its way, where an account
        # has one session; and what came from a cache may have ended there. Neither says anything about this
        # request, which takes part in the next login.
        is_judged = verdict is Verdict.TOKEN and fresh.is_own and not is_shaken
        if is_judged or _ends_here(auth, verdict, fresh):
            return response
        refused = fresh
    return response


def _ends_here(auth: Sender, verdict: Verdict, refused: Grant) -> bool:
    if verdict is Verdict.COOLS:
        logger.warning(
            "%s: token %s refused, though new; for %g s that starts no further login",
            auth.partner, refused.token.fingerprint, auth._refresh_cooldown,
        )  # fmt: skip
    return verdict in (Verdict.COOLS, Verdict.COOLING)


def _named(grant: Grant | None) -> str:
    return grant.token.fingerprint if grant is not None else "none"


def _lacks_token(request: requests.PreparedRequest) -> bool:
    """Whether its token was dropped on the way to this hop, and with it what else home wants to see."""
    return any(not _is_carried(guard, request) for guard in guards_of(request))


def _is_carried(guard: Guard, request: requests.PreparedRequest) -> bool:
    return guard.placement.carries(request, guard.values[0])


def _carried_by(sending: Sending, request: requests.PreparedRequest) -> Grant | None:
    """The token that a refused request was sent with; None where requests dropped it on the way to a hop.

    What the request holds now may be newer: another thread that sends the same one has signed it anew.
    """
    is_as_signed = any(guard is sending for guard in guards_of(request))
    return None if is_as_signed and not _is_carried(sending, request) else sending.grant


def _hand_over(
    again: requests.PreparedRequest, request: requests.PreparedRequest, *, is_redirected: bool
) -> None:
    """The original request gets the new token too: a redirect is built from it, and it may be sent again.

    Other threads may be sending it: where its body would get another length, only a redirect is worth that.
    """
    lengths = {message.headers.get("Content-Length") for message in (again, request)}
    with handing_over():
        if may_be_handed_a_token(request) and (is_redirected or len(lengths) == 1):
            request.hooks, request.url, request.body = again.hooks, again.url, again.body
            request.headers, request._cookies = again.headers.copy(), again.copy()._cookies
