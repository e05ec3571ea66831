"""Real redis-servers on free loopback ports, for tests of caches."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis


class RedisServer:
    """One redis-server process, which may be stopped and started again on its port. It keeps nothing.

    Args:
        program: The redis-server to run.
        directory: Where it runs.
        options: Further options of its command line.
        port: Where it listens; a free one by default.
    """

    def __init__(self, program: str, directory: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._directory = directory
        self._command = [
            program, *("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."), *options,
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._command, cwd=self._directory, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with redis.Redis.from_url(self.url, retry=None) as client:
                    client.ping()
            except redis.exceptions.RedisError:
                assert self._process.poll() is None, "redis-server did not start"
                time.sleep(0.02)
            else:
                return
        pytest.fail("redis-server does not answer")

    def do(self, *words: Any) -> Any:
        """What it answers to a command of an administrator's."""
        with redis.Redis.from_url(self.url, socket_timeout=20) as client:
            return client.execute_command(*words)

    def freeze(self) -> None:
        """Let it stand still: it takes connections and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, with all that it was sent meanwhile."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stored(self) -> dict[str, bytes]:
        """All that it holds, by key."""
        with redis.Redis.from_url(self.url) as client:
            return {key.decode(): client.get(key) for key in client.scan_iter()}

    def ttl(self, key: str) -> float | None:
        """Seconds that a key has left, None where it has no end."""
        with redis.Redis.from_url(self.url) as client:
            milliseconds = client.pttl(key)
        return None if milliseconds < 0 else milliseconds / 1000


def free_port() -> int:
    """A port that nobody listens on, nor on the one that a cluster adds to it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


def program(name: str) -> str:
    """Where the program is. Without it the test fails in CI, else it is skipped."""
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not installed (Debian: apt-get install redis-server redis-sentinel)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def running_redis(directory: Path, *options: str) -> Iterator[RedisServer]:
    """A redis-server while the block lasts."""
    server = RedisServer(program("redis-server"), directory, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
