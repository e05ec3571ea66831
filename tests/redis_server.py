"""A real redis-server on a free loopback port, for tests of caches."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis


class RedisServer:
    """One redis-server process, which may be stopped and started again on its port. It keeps nothing."""

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
        )
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


@contextmanager
def running_redis(directory: Path) -> Iterator[RedisServer]:
    """A redis-server while the block lasts. Without the program the test fails in CI, else it is skipped."""
    program = shutil.which("redis-server")
    if program is None:
        missing = "redis-server is not installed (Debian: apt-get install redis-server)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    server = RedisServer(program, directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()
