"""``partnerauth forget``: drop an account's token and remembered refusal from a shared cache."""

from __future__ import annotations

import argparse

from .complaints import Complaints
from .ending import GOOD, UNAVAILABLE, USAGE, CommandFailed
from .options import auth_of, settings_of, shared_cache_of
from .screen import Screen


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Forget, and say so."""
    settings = settings_of(options)
    if shared_cache_of(settings) is None:
        raise CommandFailed(
            USAGE,
            "nothing to forget: tokens in memory end with the command that got them; "
            "name the shared cache with --cache or PARTNERAUTH_CACHE",
        )
    auth = auth_of(options, settings)
    with Complaints() as complaints:
        auth.forget()
    if complaints.came:
        raise CommandFailed(UNAVAILABLE, f"{auth.partner}: the cache can't be used, nothing was forgotten")
    screen.line(f"{auth.partner}: nothing is kept any more for {auth.who()}, neither token nor refusal")
    return GOOD
