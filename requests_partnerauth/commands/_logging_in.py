"""A login for a command: what it gave and how long it took, or why there is none, on one line."""

from __future__ import annotations

import time

import requests

from .._auth import PartnerAuth
from .._outcome import Failure
from .._refresh import LogIn
from .._textual import arguments_of
from .._token import Token
from ..errors import InvalidLoginResponse, LoginRejected, LoginUnavailable
from ._outcome import REFUSED, UNAVAILABLE, CommandFailed


class TimedLogIn:
    """An auth's way to log in, with a watch. `took` is None until it has been gone."""

    def __init__(self, log_in: LogIn) -> None:
        self.limit = log_in.limit
        self.rejection_cooldown = log_in.rejection_cooldown
        self.took: float | None = None
        self._log_in = log_in

    def __call__(self, reason: str) -> Token | Failure:
        started = time.monotonic()
        try:
            return self._log_in(reason)
        finally:
            self.took = time.monotonic() - started


def log_in(auth: PartnerAuth) -> tuple[Token, float | None]:
    """The token, and the seconds that its login took; None for those where it was in the cache."""
    timed = auth._log_in = TimedLogIn(auth._log_in)
    try:
        return auth.token(), timed.took
    except LoginRejected as error:
        raise CommandFailed(REFUSED, _refusal(auth, error, is_new=timed.took is not None)) from None
    except (InvalidLoginResponse, LoginUnavailable) as error:
        advice = "check the address, the network and any proxy, or try again later"
        raise CommandFailed(UNAVAILABLE, f"{error} ({auth.base_url}); {advice}") from None
    except requests.RequestException as error:
        why = f"{auth.partner}: the login could not be sent ({type(error).__name__})"
        raise CommandFailed(UNAVAILABLE, why) from None


def _refusal(auth: PartnerAuth, error: LoginRejected, *, is_new: bool) -> str:
    said = ": ".join(part for part in (error.code, error.partner_message) if part) or "no reason given"
    wanted = [
        argument.name
        for argument in arguments_of(type(auth)).values()
        if argument.required and argument.name != "base_url"
    ]
    if is_new:
        advice = f"check {', '.join(wanted)}"
    else:
        forget = f"`partnerauth forget {auth.partner}`"
        advice = f"remembered from an earlier try, nothing was sent; {forget} lets it be tried again"
    return f"{auth.partner} refused the login of {auth.who()} ({said}); {advice}"
