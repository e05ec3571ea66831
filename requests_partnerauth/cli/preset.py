"""``partnerauth preset``: leave a token that a person got by hand in a shared cache."""

from __future__ import annotations

import argparse
import time

from ..caches._base import shown
from .check import span
from .ending import GOOD, UNAVAILABLE, USAGE, CommandFailed
from .options import auth_of, settings_of
from .screen import Screen
from .secret import has_terminal, line_of_stdin, typed
from .sharing import Complaints, check_shares, wanted_cache

_ELSE = "nothing would keep it"


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Keep the token, and say where and for how long."""
    settings = settings_of(options)
    cache = wanted_cache(settings, _ELSE)
    auth = auth_of(options, settings)
    check_shares(auth, _ELSE)
    value = _token(options)
    expires_at = None if options.expires_in is None else time.time() + options.expires_in
    try:
        with Complaints() as complaints:
            auth.preset(value, expires_at)
    except ValueError as error:
        raise CommandFailed(USAGE, f"the token can't be used: {error}") from None
    if complaints.came:
        raise CommandFailed(UNAVAILABLE, f"{auth.partner}: the cache can't be used, nothing was kept")
    end = "the partner refuses it" if options.expires_in is None else f"its end in {span(options.expires_in)}"
    screen.line(f"{auth.partner}: this token is kept for {auth.who()} until {end}, in {shown(cache)}")
    return GOOD


def _token(options: argparse.Namespace) -> str:
    if options.stdin:
        return line_of_stdin("token", "--stdin").strip()
    partner = options.auth_class.partner
    if not has_terminal():
        raise CommandFailed(USAGE, f"{partner}: no token: use --stdin")
    return typed(f"{partner}, token: ", f"{partner}: no token was given: use --stdin").strip()
