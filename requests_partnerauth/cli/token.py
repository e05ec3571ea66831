"""``partnerauth token``: print the token, for curl and its like."""

from __future__ import annotations

import argparse
import json

from .ending import GOOD, USAGE, CommandFailed
from .logging_in import log_in
from .options import auth_of, settings_of
from .screen import Screen


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Print the token alone, the header that carries it, or both and its end as JSON."""
    auth = auth_of(options, settings_of(options))
    if options.header and auth.placement.header("") is None:
        raise CommandFailed(USAGE, f"{auth.partner} takes its token in body or query, not in a header")
    token, took = log_in(auth, options)
    header = auth.placement.header(token.value)
    if options.json:
        entry = {
            "partner": auth.partner,
            "token": token.value,
            "header": dict([header]) if header else None,
            "from_cache": took is None,
            "issued_at": token.issued_at,
            "expires_at": token.expires_at,
        }
        screen.line(json.dumps(entry))
    else:
        screen.line(": ".join(header) if options.header and header else token.value)
    return GOOD
