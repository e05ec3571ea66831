"""Whoever looks a message up in the page about troubleshooting finds it there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from doc_pages import ROOT

PACKAGE = ROOT / "requests_partnerauth"
PAGE = ROOT / "docs" / "how-to" / "troubleshooting.md"
FOR_TESTS = {"simulator", "testing"}
COMMANDS = {"cli", "httpie.py"}
# Functions of commands that word what others raise.
WORDING = {"_advice", "_complaint", "_run", "_token", "_turn_down", "_unknown", "_why", "auth_of"}
QUIET = {"debug", "info", "compile"}
# Caught where it is raised, or looked for in what others say.
NOT_TOLD = {
    "__init__.py": {"module ... has no attribute ..."},
    "_engine/account.py": {"no usable token"},
    "_engine/entries.py": {"issued_at or generation"},
    "_engine/registry.py": {"requests_partnerauth's accounts"},
    "_http/draining.py": {"a body without an end", "another length than announced, or too long"},
    "_http/line.py": {"the login is over"},
    "_http/origins.py": {"a host name with something in it that ends host names elsewhere"},
    "_http/outage.py": {
        "wrong version number",
        "record layer failure",
        "packet length too long",
        "no certificate or crl found",
        "no start line",
    },
    "_token/__init__.py": {"...(issued_at=..., expires_at=...)"},
    "_token/moments.py": {"no three parts", "no number of seconds"},
    "caches/_redis_client.py": {"unexpected keyword argument"},
    "caches/redis.py": {"DB index is out of range", "HELLO must be called"},
    "partners/_fiserv.py": {"Token not found", "token not found", "Token Not Found", "TOKEN NOT FOUND"},
    "partners/rp_gateway.py": {"invalid authentication token"},
}


def part_of(path: Path) -> str:
    """The part of the package that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0]


def name_of(path: Path) -> str:
    """The module's path as a test's name shows it."""
    return path.relative_to(PACKAGE).as_posix()


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if part_of(path) not in FOR_TESTS]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_text_stands_in_the_page(path: Path) -> None:
    """Each text of three words or more that a module raises, warns with or makes a message of is there."""
    told = {text for text in texts_of(path) if len(words_of(text)) > 2 and " " in text}
    hidden = NOT_TOLD.get(name_of(path), set())
    assert hidden <= told
    assert {text for text in told - hidden if text.strip(".:;= ") not in shown()} == set()


def test_no_text_of_the_page_is_gone() -> None:
    """Each piece of a text that the page lists still comes from the code."""
    told = {piece for path in MODULES for text in texts_of(path) for piece in pieces_of(text)}
    rows = re.findall(r"^\| (`.+?`) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = [span for row in rows for span in re.findall("`([^`]+)`", row)]
    assert len(listed) > 100
    pieces = {piece for text in listed for piece in pieces_of(text) if len(words_of(piece)) > 2}
    known = tuple(piece for piece in told if len(words_of(piece)) > 2)
    assert {piece for piece in pieces if not piece.startswith(known)} == set()


@cache
def shown() -> str:
    """What stands between backticks in the page."""
    return "\n".join(re.findall("`([^`\n]+)`", PAGE.read_text(encoding="utf-8")))


def words_of(text: str) -> list[str]:
    """Its words of two letters or more."""
    return re.findall("[A-Za-z']{2,}", text)


def pieces_of(text: str) -> set[str]:
    """What is left of a text without what differs from case to case, and between what may be put together."""
    return {piece.strip(" .") for piece in re.split(r"\.\.\.|[;:()]", text)}


def texts_of(path: Path) -> Iterator[str]:
    """Texts that a module tells; `...` stands for what differs. Of commands, whose output is more, errors."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    untold = {id(node) for parent in ast.walk(tree) for node in untold_of(parent)}
    roots: list[ast.AST] = [tree]
    if part_of(path) in COMMANDS:
        roots = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) or is_wording(node)]
    for root in roots:
        for node in ast.walk(root):
            text = None if id(node) in untold else template_of(node)
            # No message has these two, and patterns do.
            if text is not None and not {"|", "\\"} & set(text):
                yield text


def is_wording(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name in WORDING


def untold_of(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, members of enumerations, patterns, log lines below WARNING, and parts of longer texts."""
    if isinstance(node, ast.ClassDef) and "Enum" in map(ast.unparse, node.bases):
        yield from ast.walk(node)
    elif isinstance(node, ast.Expr):
        yield from [node.value] if isinstance(node.value, ast.Constant) else []
    elif isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in QUIET:
        yield from ast.walk(node)


def template_of(node: ast.AST) -> str | None:
    """The text of a literal, or None where it is none."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%(\.\d)?[a-z]", "...", node.value)
    return None
