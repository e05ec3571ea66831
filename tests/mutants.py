"""python tests/mutants.py: break the engine in many small ways, one by one, and see which the tests notice.

A seeded sample of mutants of ``_engine`` and of what decides about a refusal, each in a copy of the package.
It prints what survived; whether that is a hole in the tests or the same behaviour, a person has to say.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "requests_partnerauth"
FILES = [
    *sorted((PACKAGE / "_engine").glob("*.py")),
    PACKAGE / "_http" / "refusal.py",
    PACKAGE / "_http" / "guard.py",
]
TESTS = (
    "test_cache_is_back.py", "test_token_forget_preset.py", "test_endpoints.py", "test_refresh_ahead.py",
    "test_cooldowns.py", "test_account_life.py", "test_cache_trouble.py", "test_resend.py",
    "test_shared_caches.py", "test_single_flight.py", "test_two_auths.py", "test_prepared_requests.py",
    "test_redirects_abroad.py", "test_redirect_after_refusal.py", "test_login_refresh.py", "test_logging.py",
    "test_lifetimes.py", "test_cache_reasons.py", "test_fork_pickle_copy.py", "test_processes.py",
    "test_login_flow.py", "test_login_cut_off.py", "test_hung_logins.py", "test_testing_kit.py",
)  # fmt: skip
FIRST = {
    "account.py": ("test_cache_is_back.py", "test_token_forget_preset.py", "test_refresh_ahead.py"),
    "bounded.py": ("test_hung_logins.py", "test_login_cut_off.py"),
    "endpoints.py": ("test_endpoints.py", "test_cooldowns.py"),
    "entries.py": ("test_cache_trouble.py", "test_shared_caches.py"),
    "flight.py": ("test_single_flight.py", "test_hung_logins.py"),
    "flying.py": ("test_account_life.py", "test_shared_caches.py"),
    "guard.py": ("test_redirects_abroad.py", "test_prepared_requests.py"),
    "hold.py": ("test_cache_trouble.py", "test_account_life.py"),
    "lease.py": ("test_account_life.py", "test_login_refresh.py"),
    "locks.py": ("test_fork_pickle_copy.py",),
    "outcome.py": ("test_refresh_ahead.py", "test_lifetimes.py", "test_account_life.py"),
    "refusal.py": ("test_cache_is_back.py", "test_endpoints.py", "test_resend.py"),
    "registry.py": ("test_testing_kit.py", "test_two_auths.py", "test_cache_trouble.py"),
    "store.py": ("test_cache_trouble.py", "test_shared_caches.py"),
    "words.py": ("test_cache_trouble.py", "test_cache_reasons.py", "test_account_life.py"),
}
"""Which tests tell most about a file: the sooner a mutant is noticed, the sooner comes the next one."""
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


class Copy:
    """A copy of the repository, in which one mutant at a time is tried.

    Args:
        folder: Where it is made.
        seconds: How long the tests may take for one mutant.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        for name in ("requests_partnerauth", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def noticed(self, path: Path, text: str) -> str:
        """The test that fails with this text in place of a file's; nothing where all pass."""
        place = self._folder / path.relative_to(ROOT)
        good = place.read_text(encoding="utf-8")
        try:
            self._write(place, text)
            return self.run([*FIRST.get(path.name, ()), *TESTS])
        finally:
            self._write(place, good)

    def run(self, tests: list[str]) -> str:
        """The test that fails; nothing where none does. A run that comes to no end is one that fails."""
        existing = [f"tests/{name}" for name in dict.fromkeys(tests)]
        # In the copy's own folder, which `-m` puts before what is installed.
        running = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"),
                *("--timeout", "60", "--hypothesis-profile", "quick", *existing),
            ],
            env={**os.environ, "PYTHONPATH": str(self._folder)},
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = running.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            return "no end"
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        if running.returncode == 0:
            return ""
        failed = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(\S+)", output, re.MULTILINE)
        return failed[1] if failed else f"exit status {running.returncode}"

    def _write(self, place: Path, text: str) -> None:
        place.write_text(text, encoding="utf-8")
        Path(cache_from_source(str(place))).unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--at-once", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--seconds", type=float, default=400.0, help="for each (400)")
    parser.add_argument("--only", default="", help="only those of which this is a part, as 'account.py:174'")
    options = parser.parse_args()
    every = [(path, where, text) for path in FILES for where, text in mutants_of(path)]
    sample = random.Random(options.seed).sample(every, min(options.mutants, len(every)))
    if options.only:
        sample = [mutant for mutant in every if options.only in mutant[1]]
    alive: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.at_once) as pool:
        copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(options.at_once):
            copies.put(Copy(Path(folder) / str(number), options.seconds))

        def tried(mutant: tuple[Path, str, str]) -> tuple[str, str]:
            path, where, text = mutant
            mine = copies.get()
            try:
                return where, mine.noticed(path, text)
            finally:
                copies.put(mine)

        unbroken = PACKAGE / "_engine" / "account.py"
        if not tried((unbroken, "", "1 / 0"))[1]:
            sys.exit("the tests are of another package than the one that is broken")
        outcomes = pool.map(tried, [(unbroken, "", unbroken.read_text(encoding="utf-8")), *sample])
        if failed := next(outcomes)[1]:
            pool.shutdown(cancel_futures=True)
            sys.exit(f"nothing is broken, and all the same this fails: {failed}")
        for number, (where, by) in enumerate(outcomes, 1):
            alive += [] if by else [where]
            print(f"{number}/{len(sample)} {'noticed' if by else 'SURVIVED'}: {where} {by}", flush=True)
    print(f"{len(sample) - len(alive)} of {len(sample)} noticed, of {len(every)} in all", *alive, sep="\n")


if __name__ == "__main__":
    main()
