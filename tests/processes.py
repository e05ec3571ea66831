"""Other Python processes that use an auth, and a partner that keeps them waiting."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from requests_partnerauth.simulator import Call, SimulatedPartner


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


class Held:
    """Holds the first login on the partner's side until it is let go."""

    def __init__(self, partner: SimulatedPartner) -> None:
        self._partner = partner
        self._let_go = threading.Event()
        partner.answer_logins(self._hold, times=1)

    def _hold(self, call: Call) -> None:
        self._let_go.wait(100)

    def wait(self) -> None:
        """Wait until it has begun."""
        wait_until(lambda: self._partner.login_attempts == 1)

    def let_go(self) -> None:
        """Let it end."""
        self._let_go.set()


LOG_IN = """
import pickle, sys
auth = pickle.loads(bytes.fromhex(sys.argv[1]))
print("asking", flush=True)
print(auth.token().issued_at, flush=True)
"""


def python(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, **options
    )


def pickled(auth: object) -> str:
    return pickle.dumps(auth).hex()
