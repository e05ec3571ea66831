"""``partnerauth`` where its output can't go: a reader that left, a full disk, letters that are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command import Served, partnerauth, served_settings, settings_of

from requests_partnerauth.simulator import PartnerSimulator


@pytest.mark.parametrize("arguments", [["token", "bex"], ["check", "bex"], ["serve", "--json"]])
def test_reader_that_left(served: Served, arguments: list[str]) -> None:
    """A closed pipe on standard output ends the command silently, with what shells give for it."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = partnerauth(*arguments, settings=served_settings(served, "bex"), stdout=writing)
    finally:
        os.close(writing)
    assert (done.stderr, done.returncode) == ("", 141)


def test_help_for_a_reader_that_left() -> None:
    """Help for a closed pipe is silent too; argparse may have taken the failure for itself."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = partnerauth("--help", stdout=writing)
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_full_disk(served: Served) -> None:
    """Output that can't be written is told in one line."""
    with open("/dev/full", "wb") as full:
        done = partnerauth("token", "bex", settings=served_settings(served, "bex"), stdout=full)
    words = "partnerauth: the output can't be written: No space left on device\n"
    assert (done.stderr, done.returncode) == (words, 2)


def test_name_that_the_stream_lacks(simulator: PartnerSimulator) -> None:
    """A user name that an ASCII terminal can't show is shown escaped, and is no error."""
    simulator.bex.add_account(username="jürgen")
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    # In the last of them Python can't read the variable itself.
    for locale in ({}, {"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}):
        given = {**settings_of(simulator.bex, username="jürgen"), **ascii_only, **locale}
        done = partnerauth("check", "bex", settings=given)
        assert r"  user      'j\xfcrgen'" in done.stdout
        assert done.returncode == 0
