"""PartnerAuth: the life of a request.

session.get(url) -> auth(request) -> origin allowed? -> token -> place -> send -> expiry signal?
    -> no: the response
    -> yes: refresh -> place the new token -> resend once -> the response
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from ._engine.account import Account
from ._engine.memory import state_lock
from ._engine.outcome import Failure, Grant
from ._engine.registry import account_of, account_of_nobody_else
from ._http.authors import says
from ._http.by_hand import ByHand
from ._http.login import Login
from ._http.origins import Origins, origin_of
from ._http.resend import note_position
from ._http.sending import PLAIN_HEADERS, Stamp, unsigned
from ._settings import checks
from ._settings.cache_choice import cache_of, ready
from ._settings.common import Common
from .caches._base import TokenCache
from .errors import ForeignOrigin

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class PartnerAuth(ByHand):
    """Auth for one partner account: every request carries a valid token, logged in lazily and kept.

    Use one for as long as you like, in any number of threads and sessions; all objects of one account,
    secret and cache share a token. Building one does no I/O. A request whose token the partner says has
    expired is sent once more with a new one.

    To write your own, set `partner` and `placement`, write `login_request`, `parse_login` and, where HTTP
    401 is not the signal, `signals_expiry`. None of them does I/O. Set `account` and `secret` to share the
    token with other objects of the same account.

    Args:
        base_url: The partner's address; what the login document names is appended to its path.
        origins: Further origins, beside base_url's, that may see the token.
        cache: Where tokens live, or its name as in ``PARTNERAUTH_CACHE``; memory, one for the whole process,
            by default.
        login_session: Transport for logins: proxies, CA bundle, client certificate, adapters.
        login_timeout: Seconds to connect and to read; their sum bounds a whole login.
        keep_login_cookies: True: cookies that the login sets, a load balancer's say, travel with the token.
        rejection_cooldown: Seconds in which refused credentials are not tried again.
        refresh_cooldown: Seconds in which an endpoint that refuses a new token too starts no login.
        expired_when: A further expiry signal: called with a response, True means expired.
        resend: False: never send a request twice; the caller gets the refusal, the next request a new token.
        refresh_ahead: False: no login in the background; the first request after the end logs in.
        allow_http: Permit a plain-http base URL or origin that is not loopback.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    _shared: Account | None = None
    _stamp: Stamp | None = None
    # What a class that forgot super().__init__ has: no home, and then word of it.
    _home: str | tuple[str, ...] = ()
    base_url: str = checks.from_super()
    _origins: Origins = checks.from_super()
    _cache: TokenCache = checks.from_super()
    _log_in: Login = checks.from_super()

    def __init__(self, *, base_url: str, **common: Unpack[Common]) -> None:
        unknown = common.keys() - Common.__annotations__.keys()
        if unknown:
            raise TypeError(f"{', '.join(sorted(unknown))}: no argument of {type(self).__name__}")
        if not self.partner:
            raise ValueError(f"partner: {type(self).__name__} needs a short name in this class attribute")
        checks.placement("placement", self.placement)
        checks.markers("expiry_markers", self.expiry_markers)
        self._origins = Origins(
            base_url,
            common.get("origins", ()),
            allow_http=checks.flag("allow_http", common.get("allow_http", False)),
        )
        self._home = self._origins.prefixes
        self.base_url = base_url.rstrip("/")
        self._cache = cache_of("cache", common.get("cache"))
        self._refresh_cooldown = checks.seconds("refresh_cooldown", common.get("refresh_cooldown", 30.0))
        self._expired_when = common.get("expired_when")
        if self._expired_when is not None and not callable(self._expired_when):
            raise ValueError("expired_when: a callable that takes a response is wanted")
        self._may_refresh_ahead = checks.flag("refresh_ahead", common.get("refresh_ahead", True))
        self._may_resend = checks.flag("resend", common.get("resend", True))
        self._log_in = Login(
            self,
            checks.session("login_session", common.get("login_session")),
            checks.timeouts("login_timeout", common.get("login_timeout", (5.0, 30.0))),
            checks.seconds("rejection_cooldown", common.get("rejection_cooldown", 300.0)),
            self._clock,
            self._origins,
            keeps_cookies=checks.flag("keep_login_cookies", common.get("keep_login_cookies", False)),
        )

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:
        """An auth whose arguments come from the environment: ``PARTNERAUTH_<PARTNER>_<ARGUMENT>``.

        Both names in capitals, any ``-`` as ``_``. ``PARTNERAUTH_CACHE`` chooses the token cache: ``memory``,
        ``file``, ``file:/path``, ``redis://host``, ``keyring``. A number is a number of seconds, a list has
        commas, ``payload`` is JSON or ``@`` and the path of a JSON file. An empty variable is not set.

        Args:
            overrides: Constructor arguments, which win over the environment.

        Raises:
            ValueError: A variable is missing, or holds what it should not; the message names the variable.
            ModuleNotFoundError: The cache that is named needs a package; the message says which to install.
        """
        from ._settings.from_env import auth_from_env

        return auth_from_env(cls, overrides)

    def __repr__(self) -> str:
        username = f", username={self.username!r}" if self.username else ""
        return f"{type(self).__name__}(base_url={self.base_url!r}{username})"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Written out here, as much below is: each call to ask would cost a tenth of the whole.
        url = request.url or ""
        is_abroad = not url.startswith(self._home)
        if is_abroad and not self._may_be_home(url):
            raise self._foreign(url)
        account = self._shared or self._shared_account()
        grant = account.current
        if grant is None:
            grant = self._usable_grant(account)
        elif grant.timed:
            now, wall = account.now, account.wall
            if now() >= grant.due_at or wall() >= grant.due_at_wall:
                grant = self._usable_grant(account)
        stamp = self._stamp
        if stamp is None or stamp.grant is not grant:
            stamp = self._stamp = Stamp(self, grant)
        if is_abroad and not self._home_of(grant).include(url):
            raise self._foreign(url)
        sending = stamp.sending
        events = request.hooks
        hooks = events["response"]
        if hooks and hooks[0] is not sending:
            hooks = unsigned(request)
        if request.body is not None:
            note_position(request)
        if sending is None:
            sending = stamp.sign(request)
        else:
            headers = request.headers
            if type(headers) is PLAIN_HEADERS:
                headers._store[stamp.key] = stamp.entry
            else:
                name, value = stamp.entry
                headers[name] = value
        if not hooks or hooks[0] is not sending:
            # A new dict and a new list: others may hold the old ones.
            events = events.copy()
            events["response"] = [sending, *hooks] if hooks else [sending]
            request.hooks = events
        return request

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_shared", "_stamp")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if isinstance(log_in := state.get("_log_in"), Login):
            self._log_in = log_in.of(self)
            ready(self._cache)

    def _shared_account(self, *, anew: bool = False) -> Account:
        """What all auth objects of one account and secret share in this process.

        Anew: by the secret that there is now, which may have changed, or come from a vault.
        """
        shared = self._shared
        if shared is None:
            # Once more: a class may have set it after super().__init__().
            checks.placement("placement", self.placement)
        if shared is None or anew:
            account, secret = checks.own_text("account", self.account), checks.own_text("secret", self.secret)
            if account is not None and secret is not None:
                who = [self.partner, f"{self._origins.own}{urlsplit(self.base_url).path}", account]
                if self._log_in.keeps_cookies:
                    who.append("keep_login_cookies")
                shared = account_of(self._cache, who, secret, self._clock, keeps_ended=self._uses_previous)
            elif shared is None:
                shared = account_of_nobody_else(type(self), self._cache, self._clock)
            with state_lock():
                # Of threads that find an account that nobody else has, one is the first.
                if self._shared is None or anew:
                    self._shared = shared
                shared = self._shared
        return shared

    def _usable_grant(self, account: Account) -> Grant:
        grant = account.usable()
        if grant is None:
            outcome = self._shared_account(anew=True).obtain(self._log_in)
            if isinstance(outcome, Failure):
                raise outcome.error()
            return outcome
        if self._may_refresh_ahead and grant.is_due(self._clock):
            account.refresh_ahead(self._log_in)
        return grant

    @property
    def _uses_previous(self) -> bool:
        """Whether its login begins with the last token."""
        cls = type(self)
        return (
            cls.login_flow is not PartnerAuth.login_flow
            or cls.refresh_request is not PartnerAuth.refresh_request
        )

    def _home_of(self, grant: Grant) -> Origins:
        """The origins that may see this token: those the user named, and those its login named."""
        return self._origins.and_granted(self.granted_origins(grant.token))

    def _may_be_home(self, url: str) -> bool:
        """Whether a request there may start a login: the token that comes of it decides."""
        if self._origins.include(url):
            return True
        if type(self).granted_origins is PartnerAuth.granted_origins:
            return False
        last = self._shared_account().last()
        return last is not None and self._home_of(last).include(url)

    def _is_home(self, url: str) -> bool:
        """Whether what is sent to this URL may carry the current token."""
        current = self._shared_account().current
        return (self._origins if current is None else self._home_of(current)).include(url)

    def _says_expired(self, response: requests.Response) -> bool:
        """Whether a response from home is an expiry signal: the partner's or the user's own."""
        return says(self.signals_expiry, response) or (
            self._expired_when is not None and says(self._expired_when, response)
        )

    def _note_sent(self, values: Iterable[str]) -> None:
        self._shared_account().memory.sent(values)

    def _hidden(self) -> list[str]:
        """The secrets, and what the account's latest tokens held: a partner's words may repeat any."""
        return [*super()._hidden(), *self._shared_account().memory.hidden()]

    def _foreign(self, url: str, done: str = "sent") -> ForeignOrigin:
        origin = origin_of(url)
        return ForeignOrigin(
            f"{self.partner}: {origin or 'this URL'} may not see the token of {self._origins.own}; "
            f"nothing was {done}. If it is the partner's as well, name it in origins="
        )
