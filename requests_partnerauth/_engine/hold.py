"""A cache's lock, held in a thread of its own: whoever waits for it looks for the token meanwhile."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from .bounded import attempt, bounded
from .words import SECONDS


class Hold:
    """One attempt to hold a lock between processes. Lasts until `let_go`, which a waiter calls as well.

    The lock is entered, held and left by one thread, as some locks want; nobody waits for that thread
    longer than he wants to.

    Args:
        lock: What makes the lock, as `TokenCache.lock` does.
        tell: Told of what goes wrong: while locking ("lock") or unlocking ("unlock").
    """

    __slots__ = ("_done", "_entered", "_held", "_lock", "_over", "_tell")

    def __init__(
        self, lock: Callable[[], AbstractContextManager[object]], tell: Callable[[str, BaseException], None]
    ) -> None:
        self._lock = lock
        self._tell = tell
        self._held: object = False
        self._entered = threading.Event()
        self._over = threading.Event()
        self._done = threading.Event()

    def start(self) -> bool:
        """Begin to wait for the lock. False where no thread can be started, at interpreter exit say."""
        if sys.is_finalizing():
            return False
        try:
            # In the context of the login: what a lock asks of it is known to come from there.
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(self._run,), name="partnerauth-lock", daemon=True).start()
        except RuntimeError:
            return False
        return True

    def is_decided(self, seconds: float) -> bool:
        """Whether it is known, within so many seconds, if the lock is had."""
        return self._entered.wait(seconds)

    @property
    def is_held(self) -> bool:
        """Whether the lock was had and is still held."""
        if not self._entered.is_set():
            return False
        if isinstance(self._held, bool):
            return self._held
        # A cache's own object, which may ask its server: within bounds, as any word.
        held, error = bounded(lambda: attempt(lambda: bool(self._held)), SECONDS) or (False, None)
        if error is not None:
            self._tell("lock", error)
        return bool(held)

    def let_go(self, seconds: float) -> None:
        """Leave the lock, now or as soon as it is had; wait for that so many seconds at most."""
        self._over.set()
        if self._entered.is_set():
            self._done.wait(seconds)

    def _run(self) -> None:
        word = "lock"
        try:
            with self._lock() as held:
                self._held = held
                self._entered.set()
                word = "unlock"
                self._over.wait()
        except BaseException as error:
            self._tell(word, error)
        finally:
            self._held = False
            self._entered.set()
            self._done.set()
