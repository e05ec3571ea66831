"""What README.md and docs/ show runs: every Python block, and it prints what the page says it prints."""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import responses
from doc_pages import PAGES, Block, blocks_of, name_of

from requests_partnerauth._engine.registry import forget_all
from requests_partnerauth.caches.memory import process_wide
from requests_partnerauth.simulator import PartnerSimulator

BASE_URLS = {
    "bex": "https://api.bex.co.za",
    "fiserv-boarding": "https://www.uat.fdmerchantservices.com",
    "fiserv-partner": "https://www.uat.fdmerchantservices.com/boardinggateway",
    "fiserv-commerce-connect": "https://test.fdconnect.com/FirstPayL2Services",
    "rp-gateway": "http://msg.rpdata.com/ttsvr",
}
PASSWORD = "a password"
ENVIRONMENT = {
    "PARTNER_PASSWORD": PASSWORD,
    "PARTNERAUTH_FISERV_PARTNER_USERNAME": "partneruser1",
    "PARTNERAUTH_FISERV_PARTNER_PASSWORD": PASSWORD,
    "PARTNERAUTH_FISERV_PARTNER_BASE_URL": BASE_URLS["fiserv-partner"],
    "PARTNERAUTH_FISERV_PARTNER_AIN": "4700000",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
OTHER_LIBRARIES = {"cachecontrol", "requests_cache", "requests_futures", "requests_mock", "vcr"}
NOT_RUN = "# Not run as a test: "

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@pytest.fixture
def world(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PartnerSimulator]:
    """The partners under their real addresses, with the password of the docs; no other host is reached."""
    simulator = PartnerSimulator()
    for name, partner in simulator.partners.items():
        partner.base_url = BASE_URLS[name]
        if partner.secret_field == "password":
            partner.change_password(PASSWORD)
    # These two share a host; a page shows one of them.
    hidden = simulator.fiserv_partner if page.stem == "fiserv-boarding" else simulator.fiserv_boarding
    hidden.base_url = "https://hidden.invalid"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in os.environ if name.startswith("PARTNERAUTH_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    forget_all(process_wide())
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru("http://127.0.0.1:")
        yield simulator.register(mock)
    forget_all(process_wide())


@every_page
def test_python_blocks_run(page: Path, world: PartnerSimulator, tmp_path: Path) -> None:
    """The Python blocks of a page run from top to bottom as one script; the test files it shows pass."""
    names: dict[str, Any] = {"__name__": "__main__"}
    lacking: set[str] = set()
    for block in python_blocks_of(page):
        if missing := missing_libraries(block):
            lacking |= missing
            continue
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        if not is_for_pytest(block):
            assert_runs(block, page, names)
    if any(is_for_pytest(block) for block in python_blocks_of(page)):
        assert_tests_pass(tmp_path)
    if lacking:
        pytest.skip(f"all but the blocks that need {', '.join(sorted(lacking))}; see tox -e libraries")


@every_page
def test_blocks_that_do_not_run_say_why(page: Path) -> None:
    """Every block names its language, and a Python block that is not run gives its reason on top."""
    for block in blocks_of(page):
        assert block.language, f"{name_of(page)}:{block.line}"
        if NOT_RUN in block.text:
            assert block.text.startswith(NOT_RUN), f"{name_of(page)}:{block.line}"


def python_blocks_of(page: Path) -> list[Block]:
    """The blocks that run."""
    return [block for block in blocks_of(page) if block.language == "python" and NOT_RUN not in block.text]


def missing_libraries(block: Block) -> set[str]:
    """Which of the libraries that only some pages show a block needs, and are not installed here."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    return {name for name in imported & OTHER_LIBRARIES if importlib.util.find_spec(name) is None}


def is_for_pytest(block: Block) -> bool:
    """Whether a block is a file that pytest runs."""
    return block.file is not None and block.file.startswith(("test_", "conftest"))


def assert_runs(block: Block, page: Path, names: dict[str, Any]) -> None:
    """Run a block, and compare what it prints; `...` stands for anything."""
    printed = io.StringIO()
    code = compile("\n" * block.line + block.text, str(page), "exec")
    with redirect_stdout(printed):
        exec(code, names)
    if block.output is not None:
        pattern = re.escape(block.output.strip()).replace(re.escape("..."), ".*")
        text = printed.getvalue().strip()
        assert re.fullmatch(pattern, text, re.DOTALL), f"{name_of(page)}:{block.line} prints:\n{text}"


def assert_tests_pass(folder: Path) -> None:
    """The test files that a page shows pass under pytest, in a process of their own."""
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    run = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=100, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
