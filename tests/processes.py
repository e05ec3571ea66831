"""Other Python processes that use an auth."""

from __future__ import annotations

import pickle
import subprocess
import sys

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
