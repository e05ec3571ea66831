"""One of the four processes of the case `processes`: 8 threads with 5 requests each."""

from __future__ import annotations

import sys

from .cases._rounds import failed, herd, outcome
from .home import Account
from .peers import PEERS


def main(name: str, server: str, directory: str, *accounts: str) -> None:
    def five() -> int:
        return failed(outcome(client.get) for _ in range(5))

    print("ready", flush=True)
    for account in accounts:
        client = PEERS[name](Account(server, account), directory=directory or None)
        sys.stdin.readline()
        print(sum(herd(8, five)[0]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
