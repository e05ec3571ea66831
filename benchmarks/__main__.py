"""python -m benchmarks: run the cases, write results.json, results.md and the plots beside this file.

--goals measures the costs in short rounds, writes nothing, and ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from .cases import EACH, SIDE_BY_SIDE
from .guard import guard
from .machine import Others, described
from .plot import bars, lines
from .report import report
from .run import run

HERE = Path(__file__).parent
EVERY = [*EACH, *SIDE_BY_SIDE]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, printed and not written")
    parser.add_argument("--only", action="append", choices=EVERY, metavar="CASE", help=", ".join(EVERY))
    parser.add_argument("--report", action="store_true", help="write the report anew from results.json")
    parser.add_argument(
        "--goals", action="store_true", help="the costs in five minutes; 1 where a goal is missed"
    )
    arguments = parser.parse_args()
    if arguments.goals:
        sys.exit(0 if guard() else 1)
    cases = [] if arguments.report else arguments.only or EVERY
    if arguments.quick:
        print(report({"machine": described(), "cases": {case: run(case, quick=True) for case in cases}}))
        return
    kept = HERE / "results.json"
    is_whole = not (arguments.only or arguments.report)
    results = {"cases": {}} if is_whole or not kept.exists() else json.loads(kept.read_text())
    this_run = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    for case in cases:
        results.setdefault("runs", {})[case] = this_run
        others = Others()
        results["cases"][case] = run(case, quick=False)
        results.setdefault("others", {})[case] = others.share()
        results["machine"] = described()
        kept.write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "results.md").write_text(report(results))
    (HERE / "results.svg").write_text(bars(results["cases"]))
    (HERE / "body-size.svg").write_text(lines(results["cases"]))


if __name__ == "__main__":
    main()
