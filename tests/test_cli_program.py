"""``partnerauth`` as a program: its help, its version, how it is installed and what it imports."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from command import Served, environment, partnerauth, served_settings


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["check"],
        ["serve", "--port", "99999"],
        ["serve", "--port", "x"],
    ],
)
def test_usage_of_the_parser(arguments: list[str]) -> None:
    """What can't be a command at all is told with the usage, as every program does. Exit code 2."""
    done = partnerauth(*arguments)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.startswith("usage: partnerauth")


@pytest.mark.parametrize("command", ["check", "token", "forget"])
def test_partner_that_nobody_knows(command: str) -> None:
    """A partner that there is not is one line with those that there are, and not what was typed."""
    done = partnerauth(command, "s3cret")
    names = "bex, fiserv-boarding, fiserv-commerce-connect, fiserv-partner, rp-gateway"
    assert done.stderr == f"partnerauth: PARTNER: one of {names} is wanted\n"
    assert (done.stdout, done.returncode) == ("", 2)


def test_version() -> None:
    """--version tells what is installed."""
    done = partnerauth("--version")
    assert done.stdout == f"partnerauth {metadata.version('requests-partnerauth')}\n"


@pytest.mark.parametrize("command", ["", "demo", "check", "token", "serve", "forget"])
def test_help(command: str) -> None:
    """Every help text has an example and the exit codes."""
    done = partnerauth(*filter(None, [command]), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: partnerauth {command}".rstrip())
    assert f"example:\n  {'export PARTNERAUTH_' if command == 'check' else 'partnerauth '}" in done.stdout
    assert "exit codes:\n  0  good\n" in done.stdout
    assert "\n  130  stopped by Ctrl-C" in done.stdout


def test_installed_command(served: Served) -> None:
    """The console script is the same program."""
    script = Path(sys.executable).with_name("partnerauth")
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run(
        [script, "check", "bex"],
        env=environment(**served_settings(served, "bex")),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_only_what_is_needed_is_imported(served: Served) -> None:
    """check has no use for the simulator, the other commands or the libraries behind other caches."""
    code = (
        "import sys; from requests_partnerauth.cli import main; code = main(['check', 'bex']); "
        "print(*sorted(name for name in sys.modules if 'simulator' in name or name.startswith("
        "('requests_partnerauth.cli.', 'redis', 'keyring', 'filelock', 'cryptography', 'responses'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(**served_settings(served, "bex")),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded = done.stdout.splitlines()[-1].split()
    commands = {f"requests_partnerauth.cli.{name}" for name in ("check", "demo", "forget", "serve", "token")}
    assert commands.intersection(loaded) == {"requests_partnerauth.cli.check"}
    assert [name for name in loaded if not name.startswith("requests_partnerauth.cli.")] == []
