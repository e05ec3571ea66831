"""Threads that a test releases or waits for, and what became of each."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import requests

from requests_partnerauth._engine.flight import Flight


def together(count: int, action: Callable[[int], Any], *, within: float = 60.0) -> list[Any]:
    """Call `action(0)`, `action(1)`... in a thread each, released by a barrier; results or exceptions."""
    outcomes: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait(60)
        try:
            outcomes[number] = action(number)
        except BaseException as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(within)
    assert not any(thread.is_alive() for thread in threads), "a thread is still waiting"
    return outcomes


class Background:
    """One call in a thread of its own; `result()` waits for what it gives or raises."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self._action = action
        self._outcome: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome = self._action()
        except BaseException as error:
            self._outcome = error

    @property
    def is_running(self) -> bool:
        """Whether the call has not come back yet."""
        return self._thread.is_alive()

    def result(self) -> Any:
        """What the call returned, or the exception it raised."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "the call has not come back"
        return self._outcome


def is_good(response: Any) -> bool:
    """Whether this is a partner's successful answer: no exception, no refusal, no error."""
    return (
        isinstance(response, requests.Response) and response.status_code == 200 and "echo" in response.json()
    )


def wait_until(true: Callable[[], bool], within: float = 60.0) -> None:
    """Wait for something that another thread or process does, looked at until it is so."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def wait_for_waiters(count: int, wait: Callable[[Any], bool] = Flight.wait) -> None:
    """Wait until so many threads wait for a login that is under way, or in another `wait`."""

    def are_there() -> bool:
        stacks = [traceback.walk_stack(frame) for frame in sys._current_frames().values()]
        return sum(any(frame.f_code is wait.__code__ for frame, _ in stack) for stack in stacks) >= count

    wait_until(are_there)


def main_thread_is_in(*functions: Callable[..., Any]) -> bool:
    """Whether one of these Python functions is being run by the main thread."""
    main = sys._current_frames()[threading.main_thread().ident or 0]
    codes = {function.__code__ for function in functions}
    return any(frame.f_code in codes for frame, _ in traceback.walk_stack(main))
