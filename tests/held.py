"""A partner that keeps logins waiting."""

from __future__ import annotations

import threading

from requests_partnerauth.simulator import Call, Reply, SimulatedPartner


class Held:
    """Holds the next login on the partner's side until it is let go; `times=None` holds every one."""

    def __init__(
        self, partner: SimulatedPartner, answer: Reply | None = None, *, times: int | None = 1
    ) -> None:
        self._under_way, self._go_on = threading.Event(), threading.Event()
        self._answer = answer
        partner.answer_logins(self._hold, times=times)

    def _hold(self, call: Call) -> Reply | None:
        self._under_way.set()
        self._go_on.wait(100)
        return self._answer

    def wait(self) -> None:
        """Wait until it has begun."""
        assert self._under_way.wait(60), "no login has begun"

    def let_go(self) -> None:
        """Let it end, with the answer it was given or else as usual."""
        self._go_on.set()
