"""Errors that a signal's handler raised, not the code that was running when the signal came."""

from __future__ import annotations

import sys
import traceback
from types import CodeType, FrameType
from typing import Any


def is_thrown_in(error: BaseException) -> bool:
    """Whether a signal's handler raised it, not the code that was running when the signal came."""
    return thrown_in(error) is not None


def thrown_in(error: BaseException) -> BaseException | None:
    """What a signal's handler raised, where that is this error or what a library wrapped it in.

    urllib3 takes a TimeoutError, which is what many a handler raises, for one of its own.
    """
    signal = sys.modules.get("signal")
    if signal is None:
        # Nobody can have set a handler, and a process's first request is spared the import.
        return None
    codes = {_code_of(signal.getsignal(number)) for number in signal.valid_signals()} - {None}
    waiting, known, frames = [error], {id(error)}, set[FrameType]()
    while waiting:
        each = waiting.pop()
        steps = [frame for frame, _ in traceback.walk_tb(each.__traceback__)]
        if any(frame.f_code in codes for frame in steps):
            return each
        frames.update(steps)
        for inner in (each.__cause__, each.__context__, *each.args):
            # What the caller was just handling is a context too, and came from frames of the caller's.
            if isinstance(inner, BaseException) and id(inner) not in known and _begins_in(inner, frames):
                known.add(id(inner))
                waiting.append(inner)
    return None


def _begins_in(error: BaseException, frames: set[FrameType]) -> bool:
    return error.__traceback__ is not None and error.__traceback__.tb_frame in frames


def _code_of(handler: Any) -> CodeType | None:
    while hasattr(handler, "func"):
        handler = handler.func
    for what in (handler, vars(type(handler)).get("__call__")):
        code = getattr(what, "__code__", None)
        if isinstance(code, CodeType):
            return code
    return None
