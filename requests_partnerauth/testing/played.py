"""A partner played on loopback sockets from the samples of its document, and a foreign host beside it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import unquote, unquote_plus, urlencode

from ..simulator import Call, Reply
from ..simulator._server import PartnerServer

_BASE = "/partner"
_CALLS = f"{_BASE}/contract"
_REDIRECT = f"{_CALLS}/redirect"


def reply_of(sample: object) -> Reply:
    """The reply that a sample stands for: a JSON value, answered with 200, or a pair of status and value.

    None stands for an empty body.
    """
    status = 200
    if isinstance(sample, tuple) and len(sample) == 2 and isinstance(sample[0], int):
        status, sample = sample
    return Reply(status) if sample is None else Reply.of_json(sample, status)


class PlayedPartner:
    """A partner that grants the same token to every login and takes it until it is `revoked`.

    Every request under `url()` is a call; any other is a step of a login, the last one where `earlier_step`
    has no reply to it. Logins are counted at their last step, which takes `overlap` seconds.

    Args:
        login: The reply to a login.
        expiry: The reply to a call without a good token.
        good: The reply to a call with one.
        earlier_step: What answers the steps of a login before the last one.
    """

    def __init__(
        self, login: Reply, expiry: Reply, good: Reply, earlier_step: Callable[[Call], Reply | None]
    ) -> None:
        self.login, self.expiry, self.good = login, expiry, good
        self.value: str | None = None
        self.revoked = False
        self.overlap = 0.0
        self.logins = 0
        self.calls: list[Call] = []
        self.steps: list[Call] = []
        self.abroad: list[Call] = []
        self._earlier_step = earlier_step
        self._lock = threading.Lock()
        self._home = PartnerServer(("127.0.0.1", 0), {"": self._answer})
        self._foreign = PartnerServer(("127.0.0.1", 0), {"": self._answer_abroad})

    @property
    def base_url(self) -> str:
        """What the auth is built with."""
        return f"http://127.0.0.1:{self._home.server_port}{_BASE}"

    @property
    def foreign_url(self) -> str:
        """A URL on a host that is not the partner's."""
        return f"http://127.0.0.1:{self._foreign.server_port}/elsewhere"

    def url(self, path: str = "/a") -> str:
        """The URL of a call."""
        return f"http://127.0.0.1:{self._home.server_port}{_CALLS}{path}"

    def redirect_url(self) -> str:
        """The URL of a call that leads abroad, with its method and body."""
        return f"{self.url('/redirect')}?{urlencode({'to': self.foreign_url})}"

    def reset(self) -> None:
        """Forget what was counted and heard; the token stays good."""
        with self._lock:
            self.logins = 0
            for heard in (self.calls, self.steps, self.abroad):
                heard.clear()

    def _answer(self, call: Call) -> Reply:
        return self._answer_call(call) if call.path.startswith(_CALLS) else self._answer_login(call)

    def _answer_login(self, call: Call) -> Reply:
        with self._lock:
            self.steps.append(call)
        earlier = self._earlier_step(call)
        if earlier is not None:
            return earlier
        time.sleep(self.overlap)
        with self._lock:
            self.logins += 1
            self.revoked = False
        return self.login

    def _answer_call(self, call: Call) -> Reply:
        with self._lock:
            self.calls.append(call)
            is_good = not self.revoked and self.value is not None and holds(call, self.value)
        if not is_good:
            return self.expiry
        if call.path == _REDIRECT:
            return Reply(307, {"Location": call.query["to"]})
        return self.good

    def _answer_abroad(self, call: Call) -> Reply:
        with self._lock:
            self.abroad.append(call)
        return Reply.of_json({})

    def __enter__(self) -> PlayedPartner:
        self._home.start()
        self._foreign.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._home.stop()
        self._foreign.stop()


def holds(call: Call, value: str) -> bool:
    """Whether a value stands anywhere in a call, as it is or as URLs, forms and JSON write it."""
    text: Any = "\n".join([call.url, *call.headers.values(), call.body.decode("latin-1")])
    return any(
        spelling in heard
        for heard in (text, unquote(text), unquote_plus(text))
        for spelling in (value, json.dumps(value)[1:-1])
    )
