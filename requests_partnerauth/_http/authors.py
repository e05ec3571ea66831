"""What goes wrong in methods that somebody else wrote: told by type and place, never by value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine

import requests

from .._engine.thrown import is_thrown_in

logger = logging.getLogger(__name__)

_told: set[str] = set()


def says(question: Callable[[requests.Response], bool], response: requests.Response) -> bool:
    """What a question about a response is answered by; False where it raises, which one warning tells."""
    try:
        answer: object = question(response)
        if isinstance(answer, Coroutine):
            answer.close()
            raise TypeError
        return bool(answer)
    except Exception as error:
        if is_thrown_in(error):
            raise
        where = _where(error, question)
    if where not in _told:
        _told.add(where)
        logger.warning("%s: the response is taken for no expiry signal", where)
    return False


def _where(error: BaseException, method: Callable[..., object]) -> str:
    """Where an author's method raised: ``KeyError in Buggy.signals_expiry, line 42``."""
    owner = getattr(method, "__self__", None)
    name = getattr(method, "__name__", type(method).__name__)
    named = name if owner is None else f"{type(owner).__name__}.{name}"
    frame = error.__traceback__.tb_next if error.__traceback__ is not None else None
    line = "" if frame is None else f", line {frame.tb_lineno}"
    return f"{type(error).__name__} in {named}{line}"
