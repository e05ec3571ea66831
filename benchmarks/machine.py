"""The machine and the versions, without anything that names the one or the other's owner."""

from __future__ import annotations

import os
import platform
import time
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


class Others:
    """What else goes on: the share of all processor time that others take, from now on."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = time.perf_counter(), _busy(), _own()

    def share(self) -> float | None:
        """From 0 to 1, what a hypervisor took away included; None where the system does not tell."""
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        spent = (time.perf_counter() - self._began) * (os.cpu_count() or 1)
        return round(max(0.0, busy - self._busy - (_own() - self._own)) / spent, 3)


def _busy() -> float | None:
    """Seconds in which the processors ran processes, or were taken away."""
    try:
        user, nice, system, _, _, _, _, stolen, *_ = Path("/proc/stat").read_text().split()[1:]
    except (OSError, ValueError):
        return None
    return sum(map(int, (user, nice, system, stolen))) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Seconds that this process and its children have used, of the children once they are over."""
    return sum(os.times()[:4])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
