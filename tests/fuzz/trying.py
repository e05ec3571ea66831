"""How a property is tried: its corpus, then made-up cases, for PARTNERAUTH_FUZZ_SECONDS where that is set."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis.strategies import SearchStrategy

Case = dict[str, Any]
CORPUS = Path(__file__).with_name("corpus")
SECONDS = float(os.environ.get("PARTNERAUTH_FUZZ_SECONDS", "0"))

_HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_QUICK = settings(
    max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=_HEALTH
)
_LONG = settings(max_examples=100, database=None, deadline=None, suppress_health_check=_HEALTH)


def corpus(name: str) -> list[Case]:
    """Every case of a property that ever failed, and those that it was built around."""
    return list(json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8")))


def try_all(name: str, cases: SearchStrategy[Case], holds: Callable[[Case], None], share: float) -> None:
    """Whether a property holds; one that does not names its case in JSON, as the corpus wants it.

    Args:
        name: The corpus that goes first.
        cases: Makes the others.
        holds: Raises where it does not hold.
        share: The part of PARTNERAUTH_FUZZ_SECONDS that is this property's.
    """

    for case in corpus(name):
        print(json.dumps(case))
        holds(case)

    def holds_too(case: Case) -> None:
        note(json.dumps(case))
        holds(case)

    end = monotonic() + SECONDS * share
    _QUICK(given(cases)(holds_too))()
    while monotonic() < end:
        _LONG(given(cases)(holds_too))()
