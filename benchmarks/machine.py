"""The machine and the versions, without anything that names the one or the other's owner."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .peers import PEERS

_MORE = ("urllib3", "attrs", "oauthlib", "httpx", "requests-toolbelt")


def described() -> dict[str, Any]:
    """Processors, Python, and the versions of all that was measured."""
    names = {peer.distribution for peer in PEERS.values()} | set(_MORE)
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.system(),
        "versions": {name: version(name) for name in sorted(names, key=str.lower)},
    }


def load() -> float | None:
    """How much else is going on: the load average of the last minute."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
