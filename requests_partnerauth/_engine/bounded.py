"""A call that is waited for no longer than so many seconds."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


def bounded(call: Callable[[], Result], seconds: float) -> Result | None:
    """What the call returns or raises; None where that takes longer.

    A timeout of requests' bounds each read, not the whole: a server that drips its headers, or a name that
    is looked up forever, passes it. So the call runs in a thread of its own, which is left to itself when
    the time is up. Where no thread can be started, at interpreter exit say, it runs in this one.
    """
    errand = _Errand(call)
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(errand.run,), name="partnerauth-login", daemon=True)
    if not _is_started(thread):
        return call()
    if not errand.done.wait(seconds):
        return None
    if errand.error is not None:
        raise errand.error
    return errand.result


def attempt(call: Callable[[], Result]) -> tuple[Result | None, BaseException | None]:
    """What a call gives, or raises: told apart from what strikes whoever waits for it, a signal."""
    try:
        return call(), None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # asyncio's CancelledError, of a client that was written for it, is no Exception.
        return None, error


def _is_started(thread: threading.Thread) -> bool:
    if sys.is_finalizing():
        return False
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


class _Errand(Generic[Result]):
    """A call on its way, and what came of it."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self.done = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None
        self._call = call

    def run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()
