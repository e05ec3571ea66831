"""Two auths on one request."""

from __future__ import annotations

import requests
from requests.auth import AuthBase

from .sending import Auth, sign_in_turn, unsigned


class Both(AuthBase):
    """Auths that sign each request one after the other, and each resend of a partner's once more.

    Made by ``auth + other``. It holds no state of its own, and lives as long as you like.

    Args:
        auths: The auths, in the order in which they sign.
    """

    def __init__(self, *auths: Auth) -> None:
        for auth in auths:
            given: object = auth
            if isinstance(given, type) or not callable(given):
                kind = "a class" if isinstance(given, type) else type(given).__name__
                raise TypeError(
                    f"+: an auth object is wanted beside a partner's, not {kind}; "
                    "of a user and a password HTTPBasicAuth makes one"
                )
        self._auths = auths

    def __add__(self, other: Auth) -> Both:
        return Both(*self._auths, other)

    def __radd__(self, other: Auth) -> Both:
        return Both(other, *self._auths)

    def __repr__(self) -> str:
        return " + ".join(type(auth).__name__ for auth in self._auths)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        hooks, kept = request.hooks, unsigned(request)
        new = sign_in_turn(request, self._auths)
        request.hooks = {**hooks, "response": [*new, *(hook for hook in kept if hook not in new)]}
        return request
