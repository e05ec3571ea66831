"""``partnerauth token``: print the token, for curl and its like."""

from __future__ import annotations

import argparse

from .ending import GOOD, USAGE, CommandFailed
from .logging_in import log_in
from .options import auth_of, settings_of
from .screen import Screen


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Print the token alone, or the header that carries it."""
    auth = auth_of(options, settings_of(options))
    if options.header and auth.placement.header("") is None:
        raise CommandFailed(USAGE, f"{auth.partner} takes its token in body or query, not in a header")
    token, _ = log_in(auth, options)
    header = auth.placement.header(token.value) if options.header else None
    screen.line(": ".join(header) if header else token.value)
    return GOOD
