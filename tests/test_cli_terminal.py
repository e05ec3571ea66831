"""``partnerauth`` with a person before it: the prompt, colour and Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from command import COMMAND, IN_CHILD, environment, running, settings_of

from requests_partnerauth.simulator import PartnerSimulator, Reply

ON_A_TERMINAL = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


class Terminal:
    """A command on a terminal of its own, which is a process between it and the test."""

    def __init__(self, *arguments: str, settings: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, *COMMAND, *arguments],
            env=environment(TERM="xterm", **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **IN_CHILD,
        )
        self.shown = b""

    def __enter__(self) -> Terminal:
        self.process.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.process.kill()
        self.process.__exit__(*error)

    def until(self, text: bytes) -> None:
        """Wait until this is shown."""
        assert self.process.stdout is not None
        while text not in self.shown:
            piece = self.process.stdout.read1()
            assert piece, self.shown
            self.shown += piece

    def end(self, typed: bytes = b"") -> int:
        """Type this, wait for the end; the exit code."""
        out, _ = self.process.communicate(typed, timeout=60)
        self.shown += out
        assert b"Traceback" not in self.shown
        return self.process.returncode


def test_prompt_without_echo(simulator: PartnerSimulator) -> None:
    """On a terminal a missing password is asked for, and what is typed is not shown."""
    with Terminal("check", "bex", settings=settings_of(simulator.bex, password="")) as terminal:
        terminal.until(b"bex, password of user123: ")
        code = terminal.end(b"pass1234\n")
    assert (code, b"logged in" in terminal.shown) == (0, True)
    assert b"pass1234" not in terminal.shown


@pytest.mark.parametrize(("typed", "code"), [(b"\n", 2), (b"\x04", 2), (b"\x03", 130)])
def test_prompt_left(simulator: PartnerSimulator, typed: bytes, code: int) -> None:
    """Return, end of input and Ctrl-C at the prompt end the command in peace, without a login."""
    with Terminal("token", "bex", settings=settings_of(simulator.bex, password="")) as terminal:
        terminal.until(b"bex, password of user123: ")
        assert terminal.end(typed) == code
    assert simulator.bex.login_attempts == 0


@pytest.mark.parametrize(
    ("settings_", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour(simulator: PartnerSimulator, settings_: dict[str, str], coloured: bool) -> None:
    """There is colour on a terminal, unless NO_COLOR or the terminal says no; a pipe never gets any."""
    variables = environment(**{"TERM": "xterm", **settings_of(simulator.bex), **settings_})
    done = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL, *COMMAND, "check", "bex"],
        env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=True,
    )  # fmt: skip
    assert (b"\x1b[" in done.stdout) == coloured
    assert b"logged in" in done.stdout


def test_interrupted_login(simulator: PartnerSimulator) -> None:
    """Ctrl-C during a login ends with 130, without a traceback."""
    came = threading.Event()

    def hang(_: object) -> Reply:
        came.set()
        return Reply(delay=5.0)

    simulator.bex.answer_logins(hang)
    with running("check", "bex", env=environment(**settings_of(simulator.bex))) as process:
        assert came.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == (b"", b"", 130)
