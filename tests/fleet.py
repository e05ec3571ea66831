"""Several processes with several threads each, as gunicorn workers are; spawned, so each starts afresh."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import requests

from requests_partnerauth import PartnerAuth


class Fleet:
    """Processes that wait for orders; each holds the auth it was sent, with its token in memory.

    Args:
        auth: What every process gets, pickled.
        url: What they call.
        processes: How many processes.
        threads: How many threads in each.
    """

    def __init__(self, auth: PartnerAuth, url: str, *, processes: int, threads: int) -> None:
        self.longest = 0.0
        context = multiprocessing.get_context("spawn")
        self._start = context.Barrier(processes)
        self._members = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, self._start, auth, url, threads), daemon=True
            )
            process.start()
            theirs.close()
            self._members.append((process, ours))
        for _, pipe in self._members:
            assert _received(pipe) == "ready"

    def order(self, word: str, amount: float) -> None:
        """Let all begin at once: "calls" in each thread, or call for so many "seconds"."""
        for _, pipe in self._members:
            pipe.send((word, amount))

    def answers(self) -> Counter[str]:
        """How many responses were good, and what the others were; `longest` is the longest call's seconds."""
        answers: Counter[str] = Counter()
        self.longest = 0.0
        for _, pipe in self._members:
            theirs, longest = _received(pipe)
            answers += theirs
            self.longest = max(self.longest, longest)
        return answers

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for _, pipe in self._members:
            pipe.close()
        for process, _ in self._members:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def _received(pipe: Any) -> Any:
    assert pipe.poll(100), "a process of the fleet does not answer"
    return pipe.recv()


def _work(pipe: Any, start: Any, auth: PartnerAuth, url: str, threads: int) -> None:
    pipe.send("ready")
    sessions = [requests.Session() for _ in range(threads)]
    for session in sessions:
        session.auth = auth
    while True:
        try:
            word, amount = pipe.recv()
        except EOFError:
            return
        start.wait(60)
        together = threading.Barrier(threads)
        with ThreadPoolExecutor(threads) as pool:
            done = [pool.submit(_call, session, url, together, word, amount) for session in sessions]
        results = [each.result() for each in done]
        answers = sum((answers for answers, _ in results), Counter[str]())
        pipe.send((answers, max(longest for _, longest in results)))


def _call(
    session: requests.Session, url: str, together: threading.Barrier, word: str, amount: float
) -> tuple[Counter[str], float]:
    answers: Counter[str] = Counter()
    longest = 0.0
    auth = session.auth
    assert isinstance(auth, PartnerAuth)
    together.wait(60)
    ends_at = time.monotonic() + amount
    while answers.total() < amount if word == "calls" else time.monotonic() < ends_at:
        started = time.monotonic()
        try:
            response = session.get(url, timeout=60)
        except requests.RequestException as error:
            answers[type(error).__name__] += 1
        else:
            refused = auth.signals_expiry(response)
            answers["refused" if refused else "good" if response.ok else str(response.status_code)] += 1
        longest = max(longest, time.monotonic() - started)
        if word == "seconds":
            time.sleep(0.02)
    return answers, longest
