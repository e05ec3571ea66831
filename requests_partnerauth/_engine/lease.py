"""The right to send a refresh token: once, by one thread of one process."""

from __future__ import annotations

from collections.abc import Callable

from .._token import Token
from .outcome import Grant


class RefreshLease:
    """The right to send the refresh token of an account's last token. Lasts as long as one login.

    Before it is sent it counts as used up, here and for all who share the cache: a process that is killed
    while it waits for the answer leaves no refresh token that another one would send again.

    Args:
        grant: The account's last token.
        is_held: Whether the account's lock is still held.
        keep: Keeps a grant in place of the last one, here and in the cache; False where that failed.
    """

    __slots__ = ("_grant", "_is_held", "_keep")

    def __init__(self, grant: Grant, is_held: Callable[[], bool], keep: Callable[[Token], bool]) -> None:
        self._grant = grant
        self._is_held = is_held
        self._keep = keep

    def take(self) -> bool:
        """Called right before it is sent. False: it may not be sent."""
        return self._is_held() and self._keep(without_refresh_token(self._grant.token))

    def give_back(self) -> None:
        """It was not used up: HTTP 429, or no connection was made."""
        if self._is_held():
            self._keep(self._grant.token)


def without_refresh_token(token: Token) -> Token:
    """The token, with nothing that could be sent a second time."""
    return token.__replace__(refresh_token=None) if token.refresh_token else token
