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
from ..errors import InvalidLoginResponse, LoginRejected, LoginUnavailable
from .ending import REFUSED, UNAVAILABLE, CommandFailed
from .options import forget_command, in_users_words
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
    try:
        with Waiting(auth):
            return auth.token(), timed.took
    except LoginRejected as error:
        advice = _to_check(type(auth)) if timed.took is not None else _to_forget(options)
        raise CommandFailed(REFUSED, f"{_refusal(auth, error)}; {advice}") from None
    except (InvalidLoginResponse, LoginUnavailable) as error:
        why = in_users_words(str(error), options)
        if str(origin_of(auth.base_url)) not in why:
            why += f" ({auth.base_url})"
        if timed.took is None:
            why += f"; {_to_forget(options)}"
        elif isinstance(error, LoginUnavailable) and "REQUESTS_CA_BUNDLE" not in why:
            why += "; check the address, the network and any proxy, or try again later"
        raise CommandFailed(UNAVAILABLE, why) from None
    except requests.RequestException as error:
        why = f"{auth.partner}: the login could not be sent ({type(error).__name__})"
        raise CommandFailed(UNAVAILABLE, why) from None


def _refusal(auth: PartnerAuth, error: LoginRejected) -> str:
    said = ": ".join(part for part in (error.code, error.partner_message) if part) or "no reason given"
    return f"{auth.partner} refused the login of {auth.who()} ({said})"


def _to_check(cls: type[PartnerAuth]) -> str:
    """The arguments that say who logs in, those that only some accounts need too, and where."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
    names = [
        name
        for name, argument in arguments_of(cls).items()
        if argument.form is not None and defaults.get(name, "") in (inspect.Parameter.empty, None)
    ]
    # Many a partner refuses what it is asked under a wrong path, too.
    return f"check {', '.join([*(name for name in names if name != 'base_url'), 'base_url'])}"


def _to_forget(options: argparse.Namespace) -> str:
    return (
        "remembered from an earlier try, nothing was sent; "
        f"`{forget_command(options)}` lets it be tried again"
    )
