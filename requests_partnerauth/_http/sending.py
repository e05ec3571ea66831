"""One sending of a request: what its response says about the token, the one resend, the way out of the house.

All that a sending has to know rides on its request, as a response hook: nothing is kept on the auth or per
thread, so one prepared request may be sent by many threads, any number of times.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import requests

from .._engine.account import Account, LogIn
from .._engine.locks import ForkSafeLock
from .._engine.outcome import Failure, Grant
from .._placement import Placement
from .redirects import redirect_target
from .resend import drain, resend, rewind
from .scrub import bare_response, erase_from_url

logger = logging.getLogger(__name__)

_LEAVES = "_partnerauth_leaves"
_handing_over = ForkSafeLock()


class Sender(Protocol):
    """What a sending asks the auth that signed it."""

    partner: str
    placement: Placement
    _may_resend: bool
    _refresh_cooldown: float

    @property
    @abstractmethod
    def _log_in(self) -> LogIn:
        """How the account logs in."""

    @abstractmethod
    def _shared_account(self) -> Account:
        """What all auth objects of the account share."""

    @abstractmethod
    def _is_home(self, url: str) -> bool:
        """Whether what is sent to this URL may carry the token."""

    @abstractmethod
    def _says_expired(self, response: requests.Response) -> bool:
        """Whether a response from home is an expiry signal."""

    @abstractmethod
    def secrets(self) -> list[str]:
        """All that may stand in no message."""


class Sending:
    """The hook that goes along with a signed request. It stays in this process: a pickle takes none along."""

    __slots__ = ("auth", "grant", "mark")

    def __init__(self, auth: Sender, grant: Grant, mark: object) -> None:
        self.auth = auth
        self.grant = grant
        self.mark = mark

    def __call__(self, response: requests.Response, **sent_with: Any) -> requests.Response:
        return _answered(self.auth, self.grant, response, sent_with)

    def remove(self, request: requests.PreparedRequest) -> None:
        """Make the request what it was before this token was placed."""
        self.auth.placement.remove(request, self.mark)

    def __reduce__(self) -> Any:
        return _no_sending, ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Sending:
        return self


class Stamp:
    """What all requests of one grant have in common, made once: where the token is a header, all there is.

    `sending` is None where each request needs one of its own.
    """

    __slots__ = ("grant", "name", "sending", "text")

    def __init__(self, auth: Sender, grant: Grant) -> None:
        self.grant = grant
        self.name, self.text = auth.placement.header(grant.value) or ("", "")
        self.sending = Sending(auth, grant, None) if self.name else None


def _no_sending() -> Callable[..., None]:
    return _leave_alone


def _leave_alone(response: requests.Response, **_: Any) -> None:
    """What stands for a `Sending` in a request that came out of a pickle."""


def unsign(auth: Sender, request: requests.PreparedRequest) -> list[Any]:
    """Take off any token that would remain once `auth` signs anew; gives the hooks that are not ours."""
    hooks = request.hooks["response"]
    for hook in hooks:
        if isinstance(hook, Sending) and (hook.auth is not auth or hook.mark is not None):
            hook.remove(request)
    return _not_ours(hooks)


def _not_ours(hooks: Iterable[Any]) -> list[Any]:
    return [hook for hook in hooks if not isinstance(hook, Sending)]


def _answered(
    auth: Sender, grant: Grant, response: requests.Response, sent_with: dict[str, Any]
) -> requests.Response:
    """What the caller gets for the response to a signed request: it, or that of the one resend."""
    request = response.request
    if not auth._is_home(request.url or ""):
        return response
    if _is_refused(auth, response, sent_with):
        # requests-cache runs the hooks once more, on what came out of them: that is no second refusal.
        if not hasattr(response, "_is_final"):
            response = _sent_again(auth, grant, response, sent_with)
            vars(response)["_is_final"] = True
    elif not grant.accepted and response.status_code < 400:
        grant.accepted = True
    if 300 <= response.status_code < 400:
        _keep_from_foreigners(auth, request, response, grant)
    return response


def _is_refused(auth: Sender, response: requests.Response, sent_with: dict[str, Any]) -> bool:
    if getattr(response, "connection", None) is None:
        return False
    if not sent_with.get("stream") and not 300 <= response.status_code < 400:
        response.content  # noqa: B018  # requests would read it next: now the partner may look into it
    try:
        return auth._says_expired(response) or (
            response.status_code == 401 and _lacks_token(response.request)
        )
    except BaseException:
        # Nobody will get this response: its connection may not be lost to the pool with it.
        response.close()
        raise


def _sent_again(
    auth: Sender, grant: Grant, response: requests.Response, sent_with: dict[str, Any]
) -> requests.Response:
    account, request = auth._shared_account(), response.request
    refused = _carried_by(auth, request, grant)
    if refused is not None:
        account.await_verdict(refused)
        if account.finds_nothing_newer(refused):
            return response
    if not auth._may_resend or not rewind(request):
        if auth._may_resend:
            why = "a body that can't be replayed is not resent"
            logger.warning("%s: token %s refused; %s", auth.partner, grant.token.fingerprint, why)
        if refused is not None:
            _give_up(auth, account, refused)
        return response
    drain(response)
    with account.resending():
        if refused is not None:
            account.reject(refused)
        newer = account.usable(refused)
        fresh = newer or account.obtain(auth._log_in, refused)
        if isinstance(fresh, Failure):
            raise fresh.error(bare_response(response, [*auth.secrets(), grant.value]))
        old = refused.token.fingerprint if refused else "none"
        logger.info("%s: token %s refused, resending with %s", auth.partner, old, fresh.token.fingerprint)
        response = resend(_signed_again(auth, request, fresh), response, sent_with)
        if not _is_refused(auth, response, sent_with):
            fresh.accepted = fresh.accepted or response.status_code < 400
            return response
        if newer is None and fresh.after_refusal:
            _cool(auth, account, fresh)
            return response
    account.await_verdict(fresh)
    _give_up(auth, account, fresh, elsewhere=refused is None)
    return response


def _lacks_token(request: requests.PreparedRequest) -> bool:
    """Whether its token was dropped on the way to this hop, and with it what else home wants to see."""
    hooks = [hook for hook in request.hooks["response"] if isinstance(hook, Sending)]
    return any(not hook.auth.placement.carries(request, hook.grant.value) for hook in hooks)


def _carried_by(auth: Sender, request: requests.PreparedRequest, grant: Grant) -> Grant | None:
    """The token that a refused request was sent with; None where requests dropped it on the way to a hop.

    What the request holds now may be newer: another thread that sends the same one has signed it anew.
    """
    hooks = request.hooks["response"]
    is_as_signed = any(isinstance(hook, Sending) and hook.grant is grant for hook in hooks)
    return None if is_as_signed and not auth.placement.carries(request, grant.value) else grant


def _give_up(auth: Sender, account: Account, refused: Grant, *, elsewhere: bool = False) -> None:
    """Nothing more is resent: the next request logs in, unless a refresh has just been of no help.

    That is so for a refreshed token that was never accepted, or that is refused `elsewhere`, after a
    redirect, while it is good where the redirect came from; once, then it is refreshed again.
    """
    if account.is_cooling(refused):
        return
    unhelpful = refused.after_refusal and (elsewhere or not refused.accepted)
    if unhelpful and not refused.has_cooled:
        _cool(auth, account, refused)
    else:
        account.reject(refused)


def _cool(auth: Sender, account: Account, refused: Grant) -> None:
    if account.cool(refused, auth._refresh_cooldown):
        logger.warning(
            "%s: token %s refused, though new; for %g s that starts no further login",
            auth.partner, refused.token.fingerprint, auth._refresh_cooldown,
        )  # fmt: skip


def _signed_again(auth: Sender, request: requests.PreparedRequest, fresh: Grant) -> requests.PreparedRequest:
    """A copy with the fresh token. The request gets it as well, for redirects and later sendings."""
    again = request.copy()
    hooks = unsign(auth, again)
    mark = auth.placement.place(again, fresh.value)
    # A new dict: the old one is being walked through, and the request of a redirect shares it.
    again.hooks = {**request.hooks, "response": [Sending(auth, fresh, mark), *hooks]}
    with _handing_over():
        if not hasattr(request, _LEAVES):
            request.hooks, request.url, request.body = again.hooks, again.url, again.body
            request.headers = again.headers.copy()
    return again


def _keep_from_foreigners(
    auth: Sender, request: requests.PreparedRequest, response: requests.Response, grant: Grant
) -> None:
    """The next hop is built from this request: where it leaves the partner, it takes no token along.

    It gets none back: another thread that sends the same request could place one before the hop is built.
    """
    target = redirect_target(response)
    if target is None or auth._is_home(target):
        return
    tokens = [grant.value]
    with _handing_over():
        setattr(request, _LEAVES, True)
        for hook in request.hooks["response"]:
            if isinstance(hook, Sending):
                tokens.append(hook.grant.value)
                hook.remove(request)
    # What was resent may carry a newer one: a request that led abroad before is given none.
    resent = response.request.hooks["response"]
    tokens += [hook.grant.value for hook in resent if isinstance(hook, Sending)]
    location = erase_from_url(response.headers.pop("location"), tokens)
    if location is not None:
        response.headers["location"] = location
