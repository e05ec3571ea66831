"""One sending of a request: the hook that goes along with it, and what all requests of a token share.

All that a sending has to know rides on its request, as a response hook: nothing is kept on the auth or per
thread, so one prepared request may be sent by many threads, any number of times.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, cast

import requests
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from .._engine.account import Account
from .._engine.flying import LogIn
from .._engine.outcome import Grant
from .._placement._base import Placement
from ..errors import ForeignOrigin, InvalidLoginResponse
from . import refusal
from .guard import Guard, Home, guards_of, keep_from_foreigners, not_ours

Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


def _plain_headers() -> type[CaseInsensitiveDict[str]] | None:
    """The headers whose `_store` is `{name.lower(): (name, value)}`; None where requests has no such."""
    headers = CaseInsensitiveDict({"Name": "value"})
    return CaseInsensitiveDict if getattr(headers, "_store", None) == {"name": ("Name", "value")} else None


# Past its __setitem__ an auth call takes a tenth less.
PLAIN_HEADERS = _plain_headers()


class Sender(Protocol):
    """What a sending asks the auth that signed it."""

    partner: str
    placement: Placement
    expiry_markers: tuple[bytes, ...]
    _expired_when: Callable[[requests.Response], bool] | None
    _may_resend: bool
    _refresh_cooldown: float

    @property
    @abstractmethod
    def _log_in(self) -> LogIn:
        """How the account logs in."""

    @abstractmethod
    def _shared_account(self, *, anew: bool = False) -> Account:
        """What all auth objects of the account share; anew: by the secret that it has now."""

    @abstractmethod
    def _home_of(self, grant: Grant) -> Home:
        """The origins that may see this token."""

    @abstractmethod
    def _foreign(self, url: str, done: str = ...) -> ForeignOrigin:
        """The error of a request that may not carry the token."""

    @abstractmethod
    def _says_expired(self, response: requests.Response) -> bool:
        """Whether a response from home is an expiry signal."""

    @abstractmethod
    def _hidden(self) -> list[str]:
        """All that may stand in no message."""


class Sending(Guard):
    """The hook that goes along with a signed request. It stays in this process: a pickle has its guard alone.

    Args:
        stamp: What it has in common with others of its token.
        mark: What undoes the placing.
        chain: The auths that sign such a request in turn, this one among them; none: it is alone.
    """

    __slots__ = ("account", "auth", "chain", "grant", "stamp")

    def __init__(self, stamp: Stamp, mark: Any, chain: tuple[Auth, ...] = ()) -> None:
        super().__init__(stamp.placement, stamp.values, mark, stamp.home)
        self.stamp = stamp
        self.auth = stamp.auth
        self.account = stamp.account
        self.grant = stamp.grant
        self.chain = chain

    def __call__(self, response: requests.Response, **sent_with: Any) -> requests.Response:
        request = response.request
        if not self.home.include(request.url or ""):
            return response
        if refusal.is_refused(self.auth, response, sent_with):
            # requests-cache runs the hooks once more, on what came out of them: that is no second refusal.
            if not hasattr(response, "_is_final"):
                response = refusal.sent_again(self, response, sent_with)
                vars(response)["_is_final"] = True
        elif self.account.endpoints and response.status_code < 500:
            self.account.accept(refusal.endpoint_of(request), resent=False)
        if 300 <= response.status_code < 400:
            # What was resent has another token, and that one's home.
            homes = (hook.home for hook in guards_of(response.request) if self._is_of_same_auth(hook))
            home = next(homes, self.home)
            keep_from_foreigners(request, response, home, self._carried_lately)
        return response

    def _is_of_same_auth(self, hook: object) -> bool:
        return isinstance(hook, Sending) and hook.auth is self.auth

    def _carried_lately(self) -> list[str]:
        return self.auth._shared_account().memory.carried()

    def sign_again(self, request: requests.PreparedRequest, grant: Grant) -> list[Any]:
        """Sign a copy of this request with another token; the other auths sign it anew.

        Gives the others' hooks: what they are asked in answer is to be answered as before.
        """
        hooks, kept = request.hooks, unsigned(request)
        stamp = Stamp(self.auth, grant)
        new = sign_in_turn(request, self.chain or (cast(Auth, self.auth),), stamp)
        # A new dict and a new list: the old ones are being walked through, or others hold them.
        request.hooks = {**hooks, "response": [*new, *(hook for hook in kept if hook not in new)]}
        return [hook for hook in new if not self._is_of_same_auth(hook)]

    def among(self, chain: tuple[Auth, ...]) -> Sending:
        """The same, where other auths sign too."""
        return Sending(self.stamp, self.mark, chain)

    def __reduce__(self) -> Any:
        return Guard, (self.placement, self.values, self.mark, self.home)

    def __deepcopy__(self, memo: dict[int, Any]) -> Sending:
        return self


class Stamp:
    """What all requests of one grant have in common, made once: where the token is a header, all there is.

    `sending` is None where each request needs one of its own.
    """

    __slots__ = ("account", "auth", "entry", "grant", "home", "key", "placement", "sending", "values")

    def __init__(self, auth: Sender, grant: Grant) -> None:
        self.auth = auth
        self.account = auth._shared_account()
        self.grant = grant
        self.home = auth._home_of(grant)
        self.placement = placement_of(auth, grant)
        self.values = grant.carried
        if not self.placement.can_carry(grant.value):
            kind = type(auth.placement).__name__
            why = f"no {kind} can carry the token that was kept; forget() drops it"
            raise InvalidLoginResponse(f"{auth.partner}: {why}")
        header = self.placement.header(grant.value)
        self.entry = header or ("", "")
        self.key = self.entry[0].lower()
        self.sending = Sending(self, None) if header else None

    def sign(self, request: requests.PreparedRequest, chain: tuple[Auth, ...] = ()) -> Sending:
        """Place the token; gives what is to go along."""
        return Sending(self, self.placement.place(request, self.grant.value), chain)


def placement_of(auth: Sender, grant: Grant) -> Placement:
    """Where this token goes, and the cookies that go along with it."""
    cookies = grant.token.cookies
    if not cookies:
        return auth.placement
    from .._placement.cookies import WithCookies

    return WithCookies(auth.placement, cookies)


def sign_in_turn(
    request: requests.PreparedRequest, chain: tuple[Auth, ...], stamp: Stamp | None = None
) -> list[Any]:
    """Let auths sign a request one after the other; gives their hooks, those that know a token last.

    Another auth's challenge, Digest's say, is so answered first: it is no expiry signal.

    Args:
        request: What they sign. It is left without hooks.
        chain: The auths.
        stamp: The token that one of them is to sign with, and whose that is.
    """
    theirs: list[Any] = []
    ours: list[Any] = []
    for auth in chain:
        request.hooks = default_hooks()
        if stamp is not None and cast(object, auth) is stamp.auth:
            ours.append(stamp.sign(request, chain if len(chain) > 1 else ()))
        else:
            vars(request).update(vars(auth(request)))
            ours += [hook.among(chain) for hook in guards_of(request) if isinstance(hook, Sending)]
            theirs += not_ours(request.hooks["response"])
    return [*theirs, *ours]


def unsigned(request: requests.PreparedRequest) -> list[Any]:
    """Remove any token that was placed in a request; gives the hooks that are not ours."""
    for guard in guards_of(request):
        guard.remove(request)
    return not_ours(request.hooks["response"])
