"""Errors in the methods of a partner class: where they are, told without the values that led there."""

from __future__ import annotations

import os
import traceback
from types import CodeType, FrameType
from typing import Any

from .._settings.whose import is_authors
from .._token import Token, arguments

_HARMLESS = {
    Token.__module__,
    arguments.__name__,
    *(f"{__package__}.{name}" for name in ("answers", "flow", "logout", "origins")),
}


def place_of(error: BaseException, author: object) -> str:
    """Its type and the last line of the author's class on the way to it: ``KeyError in Acme.parse_login``...

    What `Token` and the default flow complain of is shown in their own words: they say what is wrong, and
    quote nothing.
    """
    if isinstance(error.__cause__, StopIteration):
        # In a generator it becomes a RuntimeError of whoever runs it.
        error = error.__cause__
    steps = list(traceback.walk_tb(error.__traceback__))
    is_harmless = not steps or steps[-1][0].f_globals.get("__name__") in _HARMLESS
    words = f" ({error})" if is_harmless else ""
    # Its own class before the libraries it calls; a class of this package's where that is all there is.
    outside = [step for step in steps if is_authors(step[0])]
    places = (
        [step for step in outside if _is_of(author, step[0])]
        or outside
        or [step for step in steps if step[0].f_globals.get("__name__") == type(author).__module__]
    )
    if places:
        frame, line = places[-1]
        words += f" in {_line(frame.f_code, line, author)}"
    elif not is_harmless:
        words += f" in {type(author).__name__}"
    return type(error).__name__ + words


def step_of(flow: Any, author: object) -> str:
    """Where a generator of the author's stands, told likewise."""
    return _line(flow.gi_code, flow.gi_frame.f_lineno, author)


def _line(code: CodeType, line: int | None, author: object) -> str:
    return f"{type(author).__name__}.{code.co_name}, {os.path.basename(code.co_filename)}, line {line}"


def _is_of(author: object, frame: FrameType) -> bool:
    return frame.f_locals.get("self") is author or frame.f_globals.get("__name__") == type(author).__module__
