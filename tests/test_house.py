"""The house is as its plan says: imports point one way, rooms know what they may know, files stay small."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import requests_partnerauth

ROOT = Path(requests_partnerauth.__file__).parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}
FLOORS = [
    {"simulator", "errors"},
    {"_token"},
    {"caches"},
    {"_engine", "_settings"},
    {"_placement"},
    {"_http"},
    {"_auth"},
    {"partners"},
    {"testing", "httpie", "cli"},
    {"__main__"},
]
IO = {"socket", "http", "urllib3", "ssl", "subprocess", "threading", "os", "pathlib", "time"}


def imports_of(module: str, *, at_run_time: bool = True) -> Iterator[str]:
    """What a module imports, by full names; inside functions too, but not for type checkers alone."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in _walk(ast.parse(path.read_text(encoding="utf-8")), at_run_time=at_run_time):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = [part for part in package if part][: len(package) - node.level + 1] if node.level else []
            name = ".".join([*(["requests_partnerauth"] if node.level else []), *above, node.module or ""])
            name = name.strip(".")
            submodules = [f"{name}.{alias.name}" for alias in node.names]
            known = [each for each in submodules if each.removeprefix("requests_partnerauth.") in MODULES]
            yield from known or [name]


def _walk(node: ast.AST, *, at_run_time: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if at_run_time and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _walk(child, at_run_time=at_run_time)


def ours(names: Iterator[str]) -> set[str]:
    """Those of this package, by their names inside it."""
    prefix = "requests_partnerauth"
    return {name.removeprefix(prefix).lstrip(".") for name in names if name.partition(".")[0] == prefix}


def floor_of(module: str) -> int:
    room = module.partition(".")[0]
    (number,) = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    return number


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    """No module imports one of a higher floor, or of another room on its own."""
    if module == "":
        return
    for imported in ours(imports_of(module)) - {""}:
        if imported.partition(".")[0] != module.partition(".")[0]:
            assert floor_of(imported) < floor_of(module), f"{module} imports {imported}"


def test_no_circles() -> None:
    """Imports go in no circle, inside a folder either."""
    graph = {
        module: {name for name in ours(imports_of(module)) if name in MODULES and name != module}
        for module in MODULES
        if module
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_the_engine_knows_no_http() -> None:
    """Neither requests nor urllib3 nor _http is imported in _engine; not even for a type."""
    for module in MODULES:
        if module.startswith("_engine"):
            names = set(imports_of(module, at_run_time=False))
            assert not {name.partition(".")[0] for name in names} & {"requests", "urllib3", "http"}, module
            assert not {name for name in ours(iter(names)) if name.startswith("_http")}, module


def test_partners_do_no_io() -> None:
    """No partner imports what could reach a network, a file, a thread or a clock."""
    for module in MODULES:
        if module.startswith("partners"):
            assert not {name.partition(".")[0] for name in imports_of(module)} & IO, module


def test_settings_and_the_simulator_stand_apart() -> None:
    """_settings imports caches and errors alone, the simulator nothing of the others."""
    for module in MODULES:
        others = {name.partition(".")[0] for name in ours(imports_of(module))} - {module.partition(".")[0]}
        if module.startswith("_settings"):
            assert others <= {"caches", "errors"}, module
        if module.startswith("simulator"):
            assert others <= set(), module


@pytest.mark.parametrize("module", sorted(MODULES))
def test_files_stay_small_and_say_what_they_are(module: str) -> None:
    """No file over 300 lines, no class over 250; each begins with a sentence about itself."""
    text = MODULES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert (node.end_lineno or 0) - node.lineno < 250, node.name
