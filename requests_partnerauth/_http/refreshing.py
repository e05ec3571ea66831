"""The refresh token of the last token, in one login: whether it may be sent, and what is left of it."""

from __future__ import annotations

import requests

from .._engine.flying import Lease
from .._token import Token
from .outage import Outage
from .scrub import scrub


class Refreshing:
    """The account's last token, as the flow is told of it: without refresh token once that may not be sent.

    Args:
        previous: The last token; None where there is none.
        lease: What is asked before its refresh token is sent; None where it may not be.
    """

    def __init__(self, previous: Token | None, lease: Lease | None) -> None:
        self.previous = previous
        self._lease = lease
        self._is_sent = False
        self._is_first_sent_now = False

    def allows(self, request: requests.PreparedRequest) -> bool:
        """Whether this request may be sent: it carries no refresh token, or one that now counts as used up.

        False: the flow has to begin anew, and is told of no refresh token any more.
        """
        token = self.previous.refresh_token if self.previous is not None else None
        carries = token is not None and _carries(request, token)
        self._is_first_sent_now = carries and not self._is_sent
        if not carries:
            return True
        if self._lease is not None and self._lease.take():
            self._is_sent = True
            return True
        self._drop()
        return False

    def end_in(self, outage: Outage) -> None:
        """The flow ended in an outage, and may begin anew."""
        if not self._is_sent:
            return
        if self._is_first_sent_now and outage.is_unused and self._lease is not None:
            self._lease.give_back()
            self._is_sent = False
        else:
            self._drop()

    def _drop(self) -> None:
        if self.previous is not None:
            self.previous = self.previous.__replace__(refresh_token=None)


def _carries(request: requests.PreparedRequest, token: str) -> bool:
    body = request.body
    if isinstance(body, (bytes, bytearray)):
        body = body.decode("latin-1")
    texts = [request.url or "", *map(_text, request.headers.values()), body if isinstance(body, str) else ""]
    return any(token in text or scrub(text, [token]) != text for text in texts)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
