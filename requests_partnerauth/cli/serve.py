"""``partnerauth serve``: the simulated partners, for people and for clients in other languages."""

from __future__ import annotations

import argparse
import json
import shlex
import time
from typing import Any

from .._settings.from_env import variable
from ..simulator import PartnerSimulator, SimulatedPartner
from .ending import USAGE, CommandFailed
from .partner import AUTHS
from .screen import Screen


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Serve until Ctrl-C; first say where and for which credentials."""
    simulator = PartnerSimulator(port=options.port)
    try:
        simulator.start()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CommandFailed(USAGE, f"port {options.port} can't be used: {why}") from None
    try:
        if options.json:
            screen.line(json.dumps({name: _entry(partner) for name, partner in simulator.partners.items()}))
        else:
            _tell(simulator, screen)
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return 0
    finally:
        simulator.stop()


def _entry(partner: SimulatedPartner) -> dict[str, Any]:
    credentials = partner.credentials
    return {"base_url": credentials.pop("base_url"), "credentials": credentials}


def _tell(simulator: PartnerSimulator, screen: Screen) -> None:
    screen.line("# Five simulated partners with made-up credentials, on this machine only, until Ctrl-C.")
    screen.line("# Paste a block into another shell, then: partnerauth check PARTNER")
    for name, partner in simulator.partners.items():
        screen.line()
        screen.line(f"# {name}")
        for argument, value in partner.credentials.items():
            text = value if isinstance(value, str) else json.dumps(value)
            screen.line(f"export {variable(AUTHS[name], argument)}={shlex.quote(text)}")
