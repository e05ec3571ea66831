"""What README.md and docs/ say is so: commands, options, variables, argument tables, links, contents."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from conftest import AUTH_CLASSES
from doc_pages import ROOT, TEXTS, blocks_of, links_of, name_of, tables_of

from requests_partnerauth._settings.common import Common
from requests_partnerauth._settings.from_env import variable
from requests_partnerauth._settings.textual import arguments_of
from requests_partnerauth.simulator import PartnerSimulator

DOCS = ROOT / "docs"
HELP = {"curl": ("--help", "all"), "gunicorn": ("--help",), "http": ("--help",), "tox": ("--help",)}
PLAIN = {
    ".",
    "cd",
    "export",
    "git",
    "pre-commit",
    "pyinstaller",
    "pytest",
    "python",
    "python3",
    "sphinx-build",
}

WIDTH = 84

every_text = pytest.mark.parametrize("page", TEXTS, ids=name_of)


@every_text
def test_links_lead_somewhere(page: Path) -> None:
    """Every link inside the project leads to a file."""
    assert [target for target in links_of(page) if not (page.parent / target).exists()] == []


def test_every_page_is_in_the_contents() -> None:
    """Every page of docs/ stands in the contents of the index, and nothing else does."""
    listed = [
        line.strip()
        for block in blocks_of(DOCS / "index.md")
        if block.language == "{toctree}"
        for line in block.text.splitlines()
    ]
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")}
    assert {line for line in listed if line and not line.startswith(":")} == pages - {"index"}


@pytest.mark.parametrize("name", sorted(AUTH_CLASSES))
def test_argument_tables_are_complete(name: str) -> None:
    """A partner's page lists its own arguments in order, each with its real default."""
    parameters = list(inspect.signature(AUTH_CLASSES[name].__init__).parameters.values())[1:]
    own = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    assert argument_rows(DOCS / "partners" / f"{name}.md") == [
        (f"`{parameter.name}`", default_of(parameter)) for parameter in own
    ]


def test_common_arguments_are_complete() -> None:
    """The table of common arguments lists every one of them."""
    rows = argument_rows(DOCS / "partners" / "common.md")
    assert [name for name, _ in rows] == [f"`{name}`" for name in Common.__annotations__]


def test_controls_of_the_simulator_exist() -> None:
    """Every control that the page about tests names is one that a simulated partner has."""
    (table,) = [table for table in tables_of(DOCS / "how-to" / "testing.md") if table[0][0] == "control"]
    named = {name for row in table[1:] for name in re.findall(r"`(\w+)", row[0])}
    assert named <= set(dir(PartnerSimulator().bex))


def argument_rows(page: Path) -> list[tuple[str, str]]:
    """Names and defaults from the table whose first column is headed "argument"."""
    (table,) = [table for table in tables_of(page) if table[0][0] == "argument"]
    return [(row[0], row[1]) for row in table[1:]]


def default_of(parameter: inspect.Parameter) -> str:
    """How a table writes a default; nothing where there is none."""
    if parameter.default is parameter.empty:
        return ""
    if parameter.default == timedelta(minutes=1):
        return "`timedelta(minutes=1)`"
    return f"`{parameter.default!r}`".replace("'", '"')


def test_recordings_are_true() -> None:
    """The commands print what the recordings show, apart from times, dates and fingerprints."""
    script = runpy.run_path(str(DOCS / "record.py"))
    for name, text in script["recordings"]().items():
        recorded = (script["FOLDER"] / f"{name}.txt").read_text(encoding="utf-8")
        assert without_numbers(text) == without_numbers(recorded), "run python docs/record.py"


def without_numbers(text: str) -> str:
    """What stays the same from one run to the next."""
    text = re.sub(r"\b[0-9a-f]{8} is its fingerprint", "it has a fingerprint", text)
    return re.sub(r"[\d.]+", "0", text)


def test_the_map_of_the_house_is_true() -> None:
    """Every file and folder that CONTRIBUTING.md sends a reader to is there."""
    (table,) = [table for table in tables_of(ROOT / "CONTRIBUTING.md") if table[0][1] == "look into"]
    for _, places in table[1:]:
        for place in re.findall(r"`([\w/]+(?:\.py|/))`", places):
            assert (ROOT / "requests_partnerauth" / place.removeprefix("requests_partnerauth/")).exists(), (
                place
            )


def test_code_fits_the_page() -> None:
    """No line of code in docs/ is wider than the page shows without scrolling."""
    for page in DOCS.rglob("*.md"):
        for block in blocks_of(page):
            if block.language in ("python", "sh"):
                wide = [line for line in block.text.splitlines() if len(line) > WIDTH]
                assert wide == [], f"{name_of(page)}:{block.line}"


@every_text
def test_variables_exist(page: Path) -> None:
    """Every PARTNERAUTH_ variable that a page names is one that is read; Acme is the made-up partner."""
    known = {variable(cls, name) for cls in AUTH_CLASSES.values() for name in arguments_of(cls)}
    named = set(re.findall(r"PARTNERAUTH_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    unknown = named - known - {"PARTNERAUTH_CACHE", "PARTNERAUTH_CLASS"}
    assert {name for name in unknown if not name.startswith("PARTNERAUTH_ACME_")} == set()


@pytest.mark.parametrize("name", sorted(AUTH_CLASSES))
def test_variables_are_complete(name: str) -> None:
    """The page about the environment lists each argument that a text can stand for."""
    cls = AUTH_CLASSES[name]
    wanted = {argument.name for argument in arguments_of(cls).values() if argument.form is not None}
    page = (ROOT / "docs" / "how-to" / "environment.md").read_text(encoding="utf-8")
    assert {name for name in wanted if f"_{name.upper()}`" not in page} == set()


@every_text
def test_shell_blocks_name_real_commands(page: Path) -> None:
    """Every command of a shell block is known, and each of its long options stands in its help."""
    for block in blocks_of(page):
        if block.language == "sh":
            for words in commands_of(block.text):
                assert_is_real(words, f"{name_of(page)}:{block.line}: {shlex.join(words)}")


def commands_of(script: str) -> Iterator[list[str]]:
    """The simple commands of a shell script, without assignments and what they read or write."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if not set(word) <= set(";|&"):
                words.append(word)
                continue
            while words and re.match(r"\w+=", words[0]):
                del words[0]
            if words:
                yield words
            words = []


def assert_is_real(words: list[str], where: str) -> None:
    """A command exists, and so do its long options as far as its help can be had here."""
    command, rest = Path(words[0]).name or words[0], words[1:]
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    if command == "partnerauth":
        subcommand = [word for word in rest if not word.startswith("-")][:1]
        assert options <= options_of(sys.executable, "-m", "requests_partnerauth", *subcommand, "--help"), (
            where
        )
    elif command == "pip":
        extras = importlib.metadata.metadata("requests-partnerauth").get_all("Provides-Extra") or []
        named = {
            extra for word in rest for part in re.findall(r"\[(.*?)\]", word) for extra in part.split(",")
        }
        assert named <= set(extras), where
    elif command in HELP:
        if options and shutil.which(command):
            assert options <= options_of(command, *HELP[command]), where
    else:
        assert command in PLAIN, where


@cache
def options_of(*command: str) -> set[str]:
    """The long options that a command's help names."""
    run = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True)
    return set(re.findall(r"--[a-z][a-z-]*", run.stdout))
