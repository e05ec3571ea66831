"""Two auths on one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from requests.auth import AuthBase

from .guard import Guard, not_ours
from .sending import Sending

Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


class Both(AuthBase):
    """Auths that sign each request one after the other; those after a partner's sign again on its resend.

    Made by ``auth + other``. It holds no state of its own, and lives as long as you like.

    Args:
        auths: The auths, in the order in which they sign.
    """

    def __init__(self, *auths: Auth) -> None:
        self._auths = auths

    def __add__(self, other: Auth) -> Both:
        return Both(*self._auths, other)

    def __radd__(self, other: Auth) -> Both:
        return Both(other, *self._auths)

    def __repr__(self) -> str:
        return " + ".join(type(auth).__name__ for auth in self._auths)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        for place, auth in enumerate(self._auths, 1):
            request = auth(request)
            others = self._auths[place:]
            hooks: list[Any] = [
                hook.followed_by(others) if isinstance(hook, Sending) and hook.is_of(auth) else hook
                for hook in request.hooks["response"]
            ]
            # Another auth's challenge, Digest's say, is answered first: it is no expiry signal.
            ours = [hook for hook in hooks if isinstance(hook, Guard)]
            request.hooks = {**request.hooks, "response": [*not_ours(hooks), *ours]}
        return request
