"""Forks children while eight threads log in, wait and forget: ``python tests/forks_under_load.py 20``.

A program of its own, so that nothing of a test runner's is forked along. Ends with 0 if all children do.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading

from requests_partnerauth import BexAuth
from requests_partnerauth.simulator import PartnerSimulator


def main(children: int) -> int:
    """How many of the children did not finish their request within twenty seconds."""
    with PartnerSimulator() as simulator:
        simulator.bex.login_delay = 0.01
        auth = BexAuth(**simulator.bex.credentials)
        done = threading.Event()

        def churn() -> None:
            while not done.is_set():
                auth.forget()
                auth.token()

        threads = [threading.Thread(target=churn) for _ in range(8)]
        for thread in threads:
            thread.start()
        lost = sum(not _finishes(auth) for _ in range(children))
        done.set()
        for thread in threads:
            thread.join()
    return lost


def _finishes(auth: BexAuth) -> bool:
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(20, exit=True)
        os._exit(0 if auth.token().value else 1)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
