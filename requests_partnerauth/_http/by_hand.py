"""What a person does with an auth: looks at its token, presets one, drops it, logs out, adds another auth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import requests

from .._engine.account import Account
from .._engine.clock import SYSTEM_CLOCK, Clock
from .._engine.outcome import Grant
from .._settings import checks
from .._token import Token
from .answers import Answers
from .login import Login

if TYPE_CHECKING:
    from typing_extensions import Self

    from .both import Both


class ByHand(Answers):
    """The part of `PartnerAuth` that is no part of a request's life."""

    _clock: ClassVar[Clock] = SYSTEM_CLOCK
    _log_in: Login = checks.from_super()

    @abstractmethod
    def _shared_account(self, *, anew: bool = False) -> Account:
        """What all auth objects of the account share; anew: by the secret that it has now."""

    @abstractmethod
    def _usable_grant(self, account: Account) -> Grant:
        """A token that requests may use; logs in if need be."""

    def token(self) -> Token:
        """The current token; logs in if need be.

        Raises:
            LoginRejected: The partner refused the credentials, now or within `rejection_cooldown`.
            LoginUnavailable: No usable answer, now or until the partner wants to be asked again.
            InvalidLoginResponse: An answer that no login document describes; remembered too, where it was an
                HTTP 4xx that may mean the credentials.
        """
        return self._usable_grant(self._shared_account()).token

    def forget(self) -> None:
        """Drop the token and the remembered failure, for all who share them. The next request logs in."""
        self._shared_account(anew=True).forget()

    def preset(self, value: str, expires_at: float | None = None) -> None:
        """Use a token obtained elsewhere until it is refused or ends; no login happens before that.

        It is kept in the token cache like any other: a person may log in by hand for other processes.

        Args:
            value: The token.
            expires_at: Its end in epoch seconds; None for no known end.

        Raises:
            ValueError: An argument is not what it should be; the message begins with its name.
        """
        checks.epoch_seconds("expires_at", expires_at)
        token = Token(value, issued_at=self._clock.wall(), expires_at=expires_at)
        if not self.placement.can_carry(value):
            raise ValueError(f"value: no {type(self.placement).__name__} can carry this token")
        self._shared_account(anew=True).preset(token)

    def logout(self) -> None:
        """Drop the token, for all who share it, and tell the partner where it has a logout.

        A partner that does not answer is a line in the log, no error. A remembered rejection stays. Who
        shares the token is refused once, and logs in: for scripts, not for the end of each request.
        """
        token = self._shared_account(anew=True).log_out()
        if token is not None:
            self._log_in.log_out(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.logout()

    def __add__(self, other: Callable[[requests.PreparedRequest], requests.PreparedRequest]) -> Both:
        from .both import Both

        return Both(self, other)

    def __radd__(self, other: Callable[[requests.PreparedRequest], requests.PreparedRequest]) -> Both:
        from .both import Both

        return Both(other, self)
