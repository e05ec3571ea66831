"""requests' own test suite, from its sdist, with an auth of ours beneath every session that has none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

MODES = ("header", "kept", "once")

# What fails with an auth that merely sets a header.
WITH_ANY_AUTH = {
    "TestRequests::test_basicauth_with_netrc": "who has an auth is not looked up in .netrc",
    "TestRequests::test_basicauth_with_netrc_leak": "who has an auth is not looked up in .netrc",
}
# What fails with any auth that has to see the response, such as HTTPDigestAuth.
WITH_A_HOOK = {
    "TestRequests::test_session_hooks_are_used_with_no_request_hooks": "counts a prepared request's hooks",
    "TestRequests::test_session_hooks_are_overridden_by_request_hooks": "counts a prepared request's hooks",
}
# What cannot do with a token that is good for a single request.
WITH_A_USED_UP_TOKEN = {
    "test_urllib3_retries": "urllib3 repeats a request as it was, with the token that its first try used up",
}
# They connect to an address that swallows what it is sent; there is none on loopback.
LEFT_OUT = ("TestTimeout::test_connect_timeout", "TestTimeout::test_total_timeout_connect")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of the suite of the installed requests, in each mode of `beneath`, all three at once."""
    folder = tmp_path_factory.mktemp("requests")
    wanted = [f"requests=={requests.__version__}", "--no-binary", "requests", "--no-deps", "--dest", folder]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *wanted], check=True)
    (sdist,) = folder.glob("requests-*.tar.gz")

    def run(mode: str) -> dict[str, Any]:
        place = folder / mode
        with tarfile.open(sdist) as archive:
            archive.extractall(place, filter="data")
        (source,) = place.iterdir()
        environment = {
            **os.environ,
            "PARTNERAUTH_BENEATH": mode,
            "PARTNERAUTH_OUTCOMES": str(place / "outcomes.json"),
            "PYTHONPATH": str(Path(__file__).parent),
        }
        left_out = [f"--deselect=tests/test_requests.py::{name}" for name in LEFT_OUT]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "beneath", "-p", "no:cacheprovider", *left_out]
        ended = subprocess.run(
            [*command, "tests"], cwd=source, env=environment, capture_output=True, text=True
        )
        assert ended.returncode in (0, 1), ended.stdout[-3000:] + ended.stderr[-3000:]
        print(mode, ended.stdout[-20_000:])
        return json.loads((place / "outcomes.json").read_text(encoding="utf-8"))

    with ThreadPoolExecutor(len(MODES)) as pool:
        return dict(zip(MODES, pool.map(run, MODES), strict=True))


def unexpected(outcome: dict[str, Any], *listed: dict[str, str]) -> set[str]:
    """What failed and is in none of the lists."""
    known = {name for names in listed for name in names}
    return {name for name in outcome["failed"] if name.partition("::")[2] not in known}


def test_the_lists_name_what_fails_with_any_auth(outcomes: dict[str, dict[str, Any]]) -> None:
    """With an auth that sets a header, the suite runs as a whole, and what fails is listed."""
    assert unexpected(outcomes["header"], WITH_ANY_AUTH) == set()
    assert outcomes["header"]["passed"] > 500


@pytest.mark.parametrize("mode", ["kept", "once"])
def test_nothing_else_fails_with_ours(outcomes: dict[str, dict[str, Any]], mode: str) -> None:
    """With ours nothing fails but what fails with any auth, and what is listed with its reason."""
    more = WITH_A_USED_UP_TOKEN if mode == "once" else {}
    assert unexpected(outcomes[mode], WITH_ANY_AUTH, WITH_A_HOOK, more) == set()
    assert outcomes[mode]["passed"] + len(more) + len(WITH_A_HOOK) >= outcomes["header"]["passed"]


def test_the_server_looked_at_the_tokens(outcomes: dict[str, dict[str, Any]]) -> None:
    """A token that stays good is never refused; one for a single use is, a hundred times and more."""
    assert outcomes["kept"]["refused"] == 0
    assert outcomes["kept"]["logins"] < 20
    assert outcomes["once"]["refused"] > 100
    assert outcomes["once"]["logins"] > 100
