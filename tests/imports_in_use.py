"""Prints what an auth in use imports: ``python tests/imports_in_use.py bex file:/path < arguments.json``.

A program of its own, as a test runner has imported much already. The JSON holds the auth's arguments.
"""

from __future__ import annotations

import contextlib
import json
import sys

import requests
from conftest import AUTH_CLASSES

from requests_partnerauth import PartnerAuthError


def main(partner: str, cache: str) -> None:
    """Log in, call, be refused, forget, log in at a wrong place; then print what was imported meanwhile."""
    auth_class, arguments = AUTH_CLASSES[partner], json.load(sys.stdin)
    auth = auth_class(**arguments, cache=cache)
    astray = auth_class(**{**arguments, "base_url": f"{auth.base_url}/nowhere"}, cache=cache)
    # requests has imports of its own in a session's first request.
    requests.get(f"{auth.base_url}/echo")
    before = set(sys.modules)
    for path in ("echo", "always-refuse", "echo"):
        requests.get(f"{auth.base_url}/{path}", auth=auth)
    auth.forget()
    with contextlib.suppress(PartnerAuthError):
        astray.token()
    print(*sorted(set(sys.modules) - before), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
