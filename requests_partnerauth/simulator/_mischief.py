"""Random misbehaviour of a partner, drawn from the caller's own generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from attrs import evolve, frozen

from ._messages import Call, Reply

KINDS = ("refuse", "body", "outage", "truncate", "reset", "delay")
_DELAY = 0.3


@frozen
class Mischief:
    """How often and in which ways a partner misbehaves; each kind has the same rate."""

    rng: random.Random
    rate: float
    kinds: tuple[str, ...]
    login_kinds: tuple[str, ...]

    def draw(self, *, login: bool) -> str | None:
        """The kind of misbehaviour that befalls the next call, if any."""
        kinds: Sequence[str] = self.login_kinds if login else self.kinds
        drawn = self.rng.random()
        place = int(drawn / self.rate) if self.rate > 0 else len(kinds)
        return kinds[place] if place < len(kinds) else None


def misbehave_before(
    kind: str | None, *, refusal: Callable[[], Reply], body: Callable[[], Reply]
) -> Reply | None:
    """The reply of a misbehaviour that keeps the partner from looking at the call."""
    if kind == "refuse":
        return refusal()
    if kind == "body":
        return body()
    if kind == "outage":
        return Reply.of_text("Service Unavailable", 503)
    if kind == "reset":
        return Reply(reset=True)
    return None


def misbehave_after(kind: str | None, reply: Reply) -> Reply:
    """A proper reply, damaged on its way."""
    if kind == "truncate":
        return evolve(reply, truncate=True)
    if kind == "delay":
        return evolve(reply, delay=reply.delay + _DELAY)
    return reply


Answer = Reply | Callable[[Call], Reply | None]
"""A fixed reply, or a callable that makes one; None from it means: go on normally."""


def make(answer: Answer, call: Call) -> Reply | None:
    """The reply of an answer to a call."""
    return answer if isinstance(answer, Reply) else answer(call)
