"""The first request of a process: import, login, call; and with a token that a cache has kept."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from requests_partnerauth.simulator import PartnerSimulator

BY_HAND = "requests, login by hand"
OURS, HOT_FILE, HOT_REDIS = "requests_partnerauth", "with a hot FileTokenCache", "with a hot RedisTokenCache"

_BY_HAND = """
import requests
session = requests.Session()
login = session.post("{url}/api/service/login", json={{"username": "{user}", "password": "{password}"}})
login.raise_for_status()
session.headers["token"] = login.json()["value"]
session.get("{url}/echo").raise_for_status()
"""
_WITH_AUTH = """
import requests
from requests_partnerauth import BexAuth{more}
session = requests.Session()
session.auth = BexAuth("{user}", "{password}", base_url="{url}"{cache})
session.get("{url}/echo").raise_for_status()
"""


def first_request(
    server: str, number: int, names: tuple[str, ...] = (BY_HAND, OURS, HOT_FILE, HOT_REDIS)
) -> dict[str, Any]:
    """Whole processes in random order: wall clock, and their processor time."""
    with ExitStack() as stack:
        bex = stack.enter_context(PartnerSimulator()).bex
        facts = {
            "url": bex.base_url, "user": bex.credentials["username"], "password": bex.credentials["password"],
        }  # fmt: skip
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        redis = stack.enter_context(_redis())
        caches = {
            OURS: ("", ""),
            HOT_FILE: (", FileTokenCache", f', cache=FileTokenCache("{directory}")'),
            HOT_REDIS: (", RedisTokenCache", f', cache=RedisTokenCache.from_url("{redis}")'),
        }
        every = {BY_HAND: _BY_HAND.format(**facts)}
        for name, (more, cache) in caches.items():
            every[name] = _WITH_AUTH.format(**facts, more=more, cache=cache)
        scripts = {name: every[name] for name in names if name != HOT_REDIS or redis is not None}
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in scripts}
        # Many: one process start differs from the next by more than the scripts do.
        for turn in range(number * 4 + 1):
            for name in random.sample(list(scripts), len(scripts)):
                span = _run(scripts[name])
                if turn:
                    took[name].append(span)
    result: dict[str, Any] = {name: _told(spans, took[BY_HAND]) for name, spans in took.items()}
    return result if redis is not None else {**result, HOT_REDIS: {"verdict": "no redis-server here"}}


def _told(spans: list[tuple[float, float]], floor: list[tuple[float, float]]) -> dict[str, Any]:
    pairs = list(zip(spans, floor, strict=True))
    return {
        "ms": statistics.median(wall for wall, _ in spans) * 1e3,
        "ratio": statistics.median(own / its for (own, _), (its, _) in pairs),
        "cpu_ratio": statistics.median(own / its for (_, own), (_, its) in pairs),
        "rounds": len(spans),
    }


def _run(script: str) -> tuple[float, float]:
    """Seconds by the wall, and of processor time."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-I", "-c", script])
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return took, used.ru_utime + used.ru_stime


@contextmanager
def _redis() -> Iterator[str | None]:
    """The address of a redis-server that keeps nothing; None where there is none on the PATH."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "redis.sock")
        server = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(path), "--save", ""],
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
        try:
            end = time.perf_counter() + 10
            while not path.exists() and time.perf_counter() < end:
                time.sleep(0.02)
            yield f"unix://{path}"
        finally:
            server.terminate()
            server.wait(10)
