"""What a program that PyInstaller makes has in it: modules that are named in bytecode, whether run or not."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from types import CodeType

from doc_pages import ROOT

CACHES = ROOT / "requests_partnerauth" / "caches"


def test_the_packages_of_the_extras_are_found() -> None:
    """Each package that a token cache imports by its name is imported in bytecode as well."""
    wanted, found = set(), set()
    for path in CACHES.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        found |= set(imported_by(compile(source, str(path), "exec")))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "needed":
                wanted.add(ast.literal_eval(node.args[0]))
    assert {"filelock", "redis"} < wanted
    assert {name.partition(".")[0] for name in wanted} <= found


def imported_by(code: CodeType) -> Iterator[str]:
    """The modules that a module's code names in imports."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from imported_by(constant)
