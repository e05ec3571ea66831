"""python tests/mutants.py: break the engine in many small ways, one by one, and see which the tests notice.

A seeded sample of mutants of ``_engine`` and of what decides about a refusal, each in a copy of the package.
It prints what survived; whether that is a hole in the tests or the same behaviour, a person has to say.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "requests_partnerauth"
FILES = [
    *sorted((PACKAGE / "_engine").glob("*.py")),
    PACKAGE / "_http" / "refusal.py",
    PACKAGE / "_http" / "guard.py",
]
TESTS = (
    "test_endpoints.py", "test_single_flight.py", "test_cooldowns.py", "test_refresh_ahead.py",
    "test_token_forget_preset.py", "test_resend.py", "test_shared_caches.py", "test_cache_trouble.py",
    "test_logging.py", "test_own_partner.py", "test_hung_logins.py", "test_login_flow.py",
    "test_fork_pickle_copy.py", "test_redirects_abroad.py", "test_prepared_requests.py", "test_reentry.py",
)  # fmt: skip
OPPOSITE = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub,
    ast.Sub: ast.Add, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def mutants_of(path: Path) -> Iterator[tuple[str, str]]:
    """Where a file is broken, and the broken text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for number, node in enumerate(ast.walk(tree)):
        for what in _breaks(node):
            broken = copy.deepcopy(tree)
            target = next(other for place, other in enumerate(ast.walk(broken)) if place == number)
            _break(target, what)
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} {what}", ast.unparse(broken)


def _breaks(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE:
        return ["turns a comparison"]
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OPPOSITE:
        return ["turns an operator"]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ["takes a not away"]
    if isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        return ["changes a constant"]
    if isinstance(node, ast.With):
        return ["takes a with away"]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ["takes a call away"]
    if isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Tuple):
        return ["assigns None"]
    return []


def _break(node: ast.AST, what: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = OPPOSITE[type(node.ops[0])]()
    elif isinstance(node, (ast.BinOp, ast.BoolOp)):
        node.op = OPPOSITE[type(node.op)]()
    elif isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    elif isinstance(node, ast.With):
        node.items = [ast.withitem(ast.parse("__import__('contextlib').nullcontext()", mode="eval").body)]
    elif isinstance(node, (ast.Expr, ast.Assign)):
        node.value = ast.Constant(None)


def survives(text: str, path: Path, *, processes: int, seconds: float) -> bool:
    """Whether the tests pass all the same; a run that comes to no end is noticed."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "requests_partnerauth"
        shutil.copytree(PACKAGE, package)
        (package / path.relative_to(PACKAGE)).write_text(text, encoding="utf-8")
        tests = [str(ROOT / "tests" / name) for name in TESTS if (ROOT / "tests" / name).exists()]
        quick = ["-m", "not slow", "--hypothesis-profile", "quick", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", str(processes), *quick, *tests]
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": folder},
                cwd=ROOT,
                capture_output=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--processes", type=int, default=2, help="of pytest (2)")
    parser.add_argument("--seconds", type=float, default=240.0, help="for each (240)")
    options = parser.parse_args()
    every = [(path, where, text) for path in FILES for where, text in mutants_of(path)]
    sample = random.Random(options.seed).sample(every, min(options.mutants, len(every)))
    alive = []
    for number, (path, where, text) in enumerate(sample, 1):
        lives = survives(text, path, processes=options.processes, seconds=options.seconds)
        alive += [where] if lives else []
        print(f"{number}/{len(sample)} {'SURVIVED' if lives else 'noticed'}: {where}", flush=True)
    print(f"{len(sample) - len(alive)} of {len(sample)} noticed, of {len(every)} in all", *alive, sep="\n")


if __name__ == "__main__":
    main()
