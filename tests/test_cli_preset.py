"""``partnerauth preset``: a token that a person got by hand, left in a shared cache for whoever shares it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Served, partnerauth, served_settings, settings_of

from requests_partnerauth import FileTokenCache
from requests_partnerauth.simulator import PartnerSimulator


def test_left_for_others(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A token from standard input is what the next command finds, without a login."""
    given = {**settings_of(simulator.bex), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    done = partnerauth("preset", "bex", "--stdin", settings=given, stdin="by-hand-1234\r\n")
    words = (
        f"bex: this token is kept for 'user123' until the partner refuses it, in {FileTokenCache(tmp_path)}\n"
    )
    assert (done.stdout, done.stderr, done.returncode) == (words, "", 0)
    assert partnerauth("token", "bex", settings=given).stdout == "by-hand-1234\n"
    assert simulator.bex.login_attempts == 0


def test_life_that_is_named(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """--expires-in says how long it lives; password and token can both come from standard input."""
    given = {**settings_of(simulator.bex, password=""), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    options = ("--password-stdin", "--stdin", "--expires-in", "3600")
    done = partnerauth("preset", "bex", *options, settings=given, stdin="pass1234\nby-hand-1234\n")
    assert "until its end in 1 h, in" in done.stdout
    shown = partnerauth("check", "bex", "--password-stdin", settings=given, stdin="pass1234\n").stdout
    assert "a token from the cache" in shown
    assert re.search(r"  lifetime  (59 min|1 h)\b", shown), "an hour, but for what two commands take"


@pytest.mark.parametrize(
    ("options", "stdin", "words"),
    [
        (
            ["--cache", "memory", "--stdin"],
            "t\n",
            "nothing would keep it: tokens in memory end with the command",
        ),
        (["--stdin"], "t\n", "nothing would keep it: tokens in memory end with the command"),
        (["--cache", "file:kept"], "", "bex: no token: use --stdin\n"),
        (["--cache", "file:kept", "--stdin"], "", "--stdin: no token came, or it is no text in UTF-8\n"),
        (["--cache", "file:kept", "--stdin"], "s3cret\x07\n", "the token can't be used: value: "),
    ],
)
def test_nothing_to_keep(served: Served, tmp_path: Path, options: list[str], stdin: str, words: str) -> None:
    """Without a shared cache or a token that can be sent, nothing is kept, and one line says why."""
    given = served_settings(served, "bex")
    done = partnerauth("preset", "bex", *options, settings=given, stdin=stdin, cwd=tmp_path)
    assert done.stderr.startswith(f"partnerauth: {words}")
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 2)
    assert "s3cret" not in done.stderr
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize("seconds", ["0", "-5", "nan", "inf", "soon"])
def test_life_that_is_none(seconds: str) -> None:
    """A life that is no number of seconds above zero is told with the usage."""
    done = partnerauth("preset", "bex", "--stdin", f"--expires-in={seconds}")
    assert done.stderr.endswith("argument --expires-in: a number of seconds above zero is wanted\n")
    assert done.returncode == 2


def test_cache_that_is_down(served: Served, tmp_path: Path) -> None:
    """Where the cache can't be used, preset says that nothing was kept and ends with 3."""
    (tmp_path / "file").write_text("")
    given = {**served_settings(served, "bex"), "PARTNERAUTH_CACHE": f"file:{tmp_path}/file/below"}
    done = partnerauth("preset", "bex", "--stdin", settings=given, stdin="by-hand-1234\n")
    assert done.stderr.endswith("partnerauth: bex: the cache can't be used, nothing was kept\n")
    assert (done.stdout, done.returncode) == ("", 3)
