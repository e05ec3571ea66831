"""A login for a command: what it gave and how long it took, or why there is none, on one line."""

from __future__ import annotations

import argparse
import inspect
import time
from typing import Any

import requests

from .._auth import PartnerAuth
from .._engine.flying import LogIn
from .._engine.outcome import Failure
from .._http.origins import origin_of
from .._settings.textual import arguments_of
from .._token import Token
from ..caches.memory import MemoryTokenCache
from ..errors import LoginRejected, LoginTimeout, LoginUnavailable, PartnerAuthError
from .ending import REFUSED, UNAVAILABLE, CommandFailed
from .options import in_users_words
from .sharing import shares
from .waiting import Waiting


class TimedLogIn:
    """An auth's way to log in, with a watch. `took` is None until it has been gone."""

    def __init__(self, log_in: LogIn) -> None:
        self.took: float | None = None
        self._log_in = log_in

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log_in, name)

    def __call__(self, *arguments: Any, **named: Any) -> Token | Failure:
        started = time.monotonic()
        try:
            return self._log_in(*arguments, **named)
        finally:
            self.took = time.monotonic() - started


def log_in(auth: PartnerAuth, options: argparse.Namespace) -> tuple[Token, float | None]:
    """The token, and the seconds that its login took; None for those where it was in the cache."""
    if options.fresh:
        auth.forget()
    timed: Any = TimedLogIn(auth._log_in)
    auth._log_in = timed
    auth._login_arguments = auth._login_arguments or _arguments_in_the_login(type(auth))
    try:
        with Waiting(auth):
            return auth.token(), timed.took
    except PartnerAuthError as error:
        code = REFUSED if isinstance(error, LoginRejected) else UNAVAILABLE
        raise CommandFailed(code, _why(error, auth, options, is_old=timed.took is None)) from None
    except requests.RequestException as error:
        raise CommandFailed(
            UNAVAILABLE, f"{auth.partner}: the login could not be sent ({type(error).__name__})"
        ) from None


def _why(error: PartnerAuthError, auth: PartnerAuth, options: argparse.Namespace, *, is_old: bool) -> str:
    """What the library says of it, in the user's words, and what to do; `is_old`: an earlier try met it."""
    why, not_again, how_long = str(error).rpartition("; they are not tried again for ")
    if not not_again:
        why, how_long = how_long, ""
    if isinstance(error, LoginTimeout):
        # Whose call has a timeout is at home in Python.
        why = why.removesuffix(", the timeout= of a call does not")
    if str(origin_of(auth.base_url)) not in why:
        why += f" ({auth.base_url})"
    if is_old:
        why += "; remembered from an earlier try, nothing was sent; forget() lets it be tried again"
        return in_users_words(why, options)
    says_what_to_do = "REQUESTS_CA_BUNDLE" in why or "makes it)" in why
    if isinstance(error, LoginUnavailable) and not says_what_to_do:
        why += "; check the address, the network and any proxy, or try again later"
    elif isinstance(error, LoginRejected) and "check base_url" not in why:
        # Many a partner refuses what it is asked under a wrong path, too.
        why += ", then base_url"
    if shares(auth) and not isinstance(auth._cache, MemoryTokenCache):
        why += not_again + how_long
    return in_users_words(why, options)


def _arguments_in_the_login(cls: type[PartnerAuth]) -> tuple[str, ...]:
    """Of a class that does not name them: those that it can't do without, and those that only some give."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
    return tuple(
        name
        for name, argument in arguments_of(cls).items()
        if argument.form is not None
        and name != "base_url"
        and defaults.get(name, "") in (inspect.Parameter.empty, None)
    )
