"""Runs the cases, each in a process with a time limit, so that a deadlock is a cell and not a hang."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from .cases import EACH, NO_LOGIN, SIDE_BY_SIDE, UNTIMED
from .home import serving
from .peers import PEERS, VARIANTS

ROUNDS, SECONDS, LIMIT = 15, 10.0, 120.0
SLOW_SECONDS = {"ahead": 66.0, "processes": 10.0}
QUICK_ROUNDS, QUICK_SECONDS = 3, 0.0


def run(case: str, *, quick: bool) -> dict[str, Any]:
    """The figures of this case, by peer or by what was measured."""
    with serving() as server:
        if case in SIDE_BY_SIDE:
            return _cell(case, "", server, quick=quick)
        names = _peers(case)
        with ThreadPoolExecutor(2 if case in UNTIMED else 1) as pool:
            cells = pool.map(partial(_cell, case, server=server, quick=quick), names)
            return dict(zip(names, cells, strict=True))


def _peers(case: str) -> list[str]:
    names = [name for name, peer in PEERS.items() if peer.logs_in or case not in NO_LOGIN]
    if case == "ahead":
        names.insert(1, "HTTPBasicAuth")  # nothing of it is refreshed: what the machine itself does
    if case == "bodies":
        names.remove("HTTPBasicAuth")  # nothing of it ever expires
    return [*names, *VARIANTS] if case == "ahead" else names


def _cell(case: str, peer: str, server: str, *, quick: bool) -> dict[str, Any]:
    """What one process measured; `{"verdict": ...}` where it came to no end or failed."""
    number = QUICK_ROUNDS if quick else ROUNDS
    seconds = QUICK_SECONDS if quick else SLOW_SECONDS.get(case, SECONDS)
    limit = LIMIT * (1 if peer else 5) + seconds
    command = [sys.executable, "-m", f"{__package__}.run", case, peer, server, str(number), str(seconds)]
    print(f"{case}: {peer or 'everyone'}", file=sys.stderr, flush=True)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"verdict": f"no end within {limit:.0f} s"}
    if process.returncode:
        print(errors, file=sys.stderr)
        return {"verdict": "could not be measured"}
    return dict(json.loads(output.splitlines()[-1]))


def main(case: str, peer: str, server: str, number: str, seconds: str) -> None:
    if case in SIDE_BY_SIDE:
        figures = SIDE_BY_SIDE[case](server, int(number))
    else:
        figures = EACH[case]({**PEERS, **VARIANTS}[peer], server, int(number), float(seconds))
    print(json.dumps(figures), flush=True)
    # A peer's threads that hang would keep the process: it is done.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
