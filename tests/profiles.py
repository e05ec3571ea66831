"""How many made-up inputs a test is given."""

from __future__ import annotations

from hypothesis import settings


def register_quick_profile() -> None:
    """Make `--hypothesis-profile quick` known, which pytest looks for before it collects."""
    settings.register_profile("quick")


def examples(number: int) -> settings:
    """So many of them, or with `--hypothesis-profile quick` a tenth."""
    is_quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=number // 10 if is_quick else number, deadline=None)
