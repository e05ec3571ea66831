"""``partnerauth forget``: drop an account's token and remembered refusal from a shared cache, and log out."""

from __future__ import annotations

import argparse

from .ending import GOOD, UNAVAILABLE, CommandFailed
from .options import auth_of, settings_of
from .screen import Screen
from .sharing import Complaints, check_shares, wanted_cache

_ELSE = "nothing to forget"


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Forget, and say so."""
    settings = settings_of(options)
    wanted_cache(settings, _ELSE)
    auth = auth_of(options, settings)
    check_shares(auth, _ELSE)
    with Complaints() as complaints:
        # The logout needs the token; forget() drops what it leaves, the refusal too.
        auth.logout()
        auth.forget()
    if complaints.came:
        raise CommandFailed(UNAVAILABLE, f"{auth.partner}: the cache can't be used, nothing was forgotten")
    screen.line(f"{auth.partner}: nothing is kept any more for {auth.who()}, neither token nor refusal")
    return GOOD
