"""``partnerauth`` as a program: its help, its version, how it is installed and what it imports."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from command import Served, environment, partnerauth, served_settings

NAMES = (
    "bex, fiserv-boarding, fiserv-commerce-connect, fiserv-partner, rp-gateway is wanted, "
    "or module:Class for a class of your own"
)


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


@pytest.mark.parametrize("command", ["check", "token", "preset", "forget"])
def test_partner_that_nobody_knows(command: str) -> None:
    """A partner that there is not is one line: what was typed, the nearest, and those that there are."""
    for word, said in (
        ("fiserv_partnr", "fiserv_partnr is none, did you mean fiserv-partner? One of"),
        ("zzz", "zzz is none; one of"),
        ("https://user:s3cret@host", "that is none; one of"),
        ("a\x1b[31mb", "that is none; one of"),
        ("s" * 41, "that is none; one of"),
    ):
        done = partnerauth(command, word)
        assert done.stderr == f"partnerauth: PARTNER: {said} {NAMES}\n"
        assert (done.stdout, done.returncode) == ("", 2)


def test_value_of_an_unknown_option_is_no_partner() -> None:
    """Behind an option that nobody knows a word may be its value, and a secret: it is not repeated."""
    done = partnerauth("check", "--pasword", "s3cret", "bex")
    assert done.stderr == "partnerauth: check: no such option --pasword; see --help\n"


def test_version() -> None:
    """--version tells what is installed."""
    done = partnerauth("--version")
    assert done.stdout == f"partnerauth {metadata.version('requests-partnerauth')}\n"


@pytest.mark.parametrize("command", ["", "demo", "check", "token", "serve", "preset", "forget"])
def test_help(command: str) -> None:
    """Every help text has an example and the exit codes."""
    done = partnerauth(*filter(None, [command]), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: partnerauth {command}".rstrip())
    assert f"example:\n  {'export PARTNERAUTH_' if command == 'check' else 'partnerauth '}" in done.stdout
    assert "exit codes:\n  0  good\n" in done.stdout
    assert "\n  130  stopped by Ctrl-C" in done.stdout


def test_help_of_one_partner() -> None:
    """With a partner's name help has the options that it takes, and no others."""
    for words in (["check", "bex", "--help"], ["check", "--help", "bex"]):
        shown = partnerauth(*words).stdout
        assert "--login-via TEXT" in shown
        assert "--ain" not in shown
        assert "[bex" not in shown
    assert "read key and iv from standard input, a line each" in " ".join(
        partnerauth("token", "fiserv-commerce-connect", "-h").stdout.split()
    )
    assert "--ain TEXT" in partnerauth("check", "nobody", "--help").stdout


@pytest.mark.parametrize("columns", range(40, 121, 8))
def test_names_stay_whole_in_help(columns: int) -> None:
    """However narrow the terminal, no partner's name is broken across lines."""
    shown = partnerauth("check", "--help", settings={"COLUMNS": str(columns)}).stdout
    assert "fiserv-partner" in shown
    assert not [line for line in shown.splitlines() if line.endswith("-")]


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
    commands = {
        f"requests_partnerauth.cli.{name}" for name in ("check", "demo", "forget", "preset", "serve", "token")
    }
    assert commands.intersection(loaded) == {"requests_partnerauth.cli.check"}
    assert [name for name in loaded if not name.startswith("requests_partnerauth.cli.")] == []
