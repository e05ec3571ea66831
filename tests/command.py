"""``partnerauth`` run as a user runs it: in a process of its own, with nothing but a test's settings."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from requests_partnerauth.simulator import SimulatedPartner

Served = dict[str, dict[str, Any]]

COMMAND = [sys.executable, "-m", "requests_partnerauth"]


def hear_interrupts() -> None:
    """In a child before its program starts: Ctrl-C is heard even where these tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


IN_CHILD: dict[str, Any] = {} if os.name == "nt" else {"preexec_fn": hear_interrupts}


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without proxies, settings and colours, and these settings."""
    unwanted = ("PARTNERAUTH_", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "PYTHONUNBUFFERED")
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONWARNINGS": "error", "COLUMNS": "100", **settings}


def settings_for(partner: str, credentials: Mapping[str, Any]) -> dict[str, str]:
    """A partner's settings as environment variables."""
    prefix = f"PARTNERAUTH_{partner.upper().replace('-', '_')}_"
    return {
        prefix + name.upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in credentials.items()
    }


def served_settings(served: Served, partner: str, **changed: Any) -> dict[str, str]:
    """Settings for a partner that ``partnerauth serve`` serves."""
    entry = served[partner]
    return settings_for(partner, {"base_url": entry["base_url"], **entry["credentials"], **changed})


def settings_of(partner: SimulatedPartner, **changed: Any) -> dict[str, str]:
    """Settings for a partner of the test's own simulator."""
    return settings_for(partner.name, {**partner.credentials, **changed})


def partnerauth(
    *arguments: str, settings: Mapping[str, str] | None = None, stdin: str | bytes = b"", **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**(settings or {})),
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        timeout=60,
        check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
    )
    out, err = ((stream or b"").decode() for stream in (done.stdout, done.stderr))
    assert "Traceback" not in out + err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@contextmanager
def running(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A command that is under way, ended with the block at the latest."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        **{"env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **IN_CHILD, **options},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def bare(text: str) -> str:
    """Output without what differs from run to run: ports, times, dates, fingerprints."""
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    text = re.sub(r"\b[0-9a-f]{8}\b is its", "FINGERPRINT is its", text)
    text = re.sub(r"\d+\.\d\d s", "N s", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE", text)
