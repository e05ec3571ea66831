"""A service on loopback, run in its own environment, and a door before it that counts who comes."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from recording_server import Answer, Heard, RecordingServer, recording_server

PASSWORD = "a made-up password"

_OF_ONE_HOP = {"connection", "content-length", "transfer-encoding"}


def program(service: str, name: str = "python") -> str:
    """A program of the environment that `install.py` made for this service."""
    path = Path(os.environ["PARTNERAUTH_SERVICES"]) / service / "bin" / name
    assert path.exists(), f"{path} lacks: PARTNERAUTH_SERVICES names the folder that install.py filled"
    return str(path)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def run(home: Path, *command: str, **environment: str) -> None:
    """Run one of a service's own commands to its end."""
    done = subprocess.run(
        command, cwd=home, env=_environment(home, environment), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def serving(home: Path, alive: str, *command: str, **environment: str) -> Iterator[None]:
    """Run a service until the block ends; it is there as soon as it answers at `alive`."""
    log = home / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=home, env=_environment(home, environment), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for_answer(process, alive, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(home: Path, more: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **more}


def _wait_for_answer(process: subprocess.Popen[bytes], alive: str, log: Path) -> None:
    end = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < end:
        try:
            requests.get(alive, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service does not answer:\n" + log.read_text(errors="replace")[-4000:])


class Door:
    """Before a service: hands on what comes, and remembers it. `port` may change while it is open."""

    def __init__(self, server: RecordingServer, port: int) -> None:
        self.port = port
        self.url = server.url
        self._server = server
        server.answer = self._hand_on

    def count(self, method: str, path: str) -> int:
        """How many requests came with this method to this path."""
        came = [(heard.method, heard.target.partition("?")[0]) for heard in self._server.heard]
        return came.count((method, path))

    def forget(self) -> None:
        """Count from here on."""
        self._server.heard.clear()

    def _hand_on(self, heard: Heard) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(heard.method, heard.target, skip_host=True, skip_accept_encoding=True)
            for name, value in heard.headers:
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(heard.body or None)
            reply = connection.getresponse()
            headers = {name: value for name, value in reply.getheaders() if name.lower() not in _OF_ONE_HOP}
            return Answer(reply.status, headers, reply.read())
        finally:
            connection.close()


@contextmanager
def door_to(port: int) -> Iterator[Door]:
    """A door to the service on this port, open until the block ends."""
    with recording_server() as server:
        yield Door(server, port)
