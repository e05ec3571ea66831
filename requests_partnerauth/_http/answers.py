"""What a partner says about its login, its tokens and its origins: questions and answers, no I/O."""

from __future__ import annotations

from collections.abc import Iterable

import requests
from requests.auth import AuthBase

from .._placement._base import Placement
from .._placement.header import HeaderPlacement
from .._token import Token
from .flow import LoginFlow, default_flow


class Answers(AuthBase):
    """The pure half of `PartnerAuth`: three answers that every partner gives, and four more."""

    partner: str = ""
    placement: Placement = HeaderPlacement("Authorization")
    account: str | None = None
    secret: str | None = None
    username: str | None = None
    expiry_markers: tuple[bytes, ...] = ()
    _login_arguments: tuple[str, ...] = ()

    def login_request(self) -> requests.Request:
        """What to send to log in. Does no I/O; the URL is `base_url` and the document's path."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to log in: write login_request")

    def parse_login(self, response: requests.Response) -> Token:
        """The token that a login's reply holds.

        Raises:
            LoginRejected: The reply says that the credentials were refused.
            LoginUnavailable: The reply says that the partner is out of order.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say how to read a login: write parse_login"
        )

    def signals_expiry(self, response: requests.Response) -> bool:
        """Whether this response says that the token is no longer good. By default: HTTP 401."""
        return response.status_code == 401

    def refresh_request(self, token: Token) -> requests.Request | None:
        """What to send to get a new token by the refresh token of this one; None (the default): log in.

        It is sent once, by one thread of one process. `parse_login` reads its reply, where that is below HTTP
        400; where no token comes of it, the full login follows.

        Args:
            token: The account's last token. Its `refresh_token` is None where there is none that may be sent.
        """
        return None

    def login_flow(self, previous: Token | None) -> LoginFlow:
        """A login as a conversation: a generator that yields requests, is sent responses, returns the token.

        By default `refresh_request`, where there is a previous token, then `login_request` and
        `parse_login`. Does no I/O; it is begun anew, from its first request, after an outage in any step.

        Args:
            previous: The account's last token, also where it has ended or was refused; None where there is
                none, or after `forget`. Its `refresh_token` is None where there is none that may be sent.

        Raises:
            LoginRejected: The partner refuses the credentials.
            LoginUnavailable: The partner is out of order.
        """
        return default_flow(self, previous)

    def logout_request(self, token: Token) -> requests.Request | None:
        """What to send to end this token at the partner; None (the default): the partner has no logout."""
        return None

    def granted_origins(self, token: Token) -> Iterable[str]:
        """Origins that the login itself names: they may see this token, as long as it is the current one."""
        return ()

    def who(self) -> str:
        """Who logs in, as messages name it."""
        return repr(self.username) if self.username else "this account"

    def secrets(self) -> list[str]:
        """All that may stand in no message: the secret, unless there is more. A None counts as nothing."""
        return [self.secret] if self.secret else []

    def _note_sent(self, values: Iterable[str]) -> None:
        """What a login has sent may not be said later either. Nothing, where nobody remembers."""

    def _hidden(self) -> list[str]:
        """All that may stand in no message about a login."""
        from .spellings import with_pairs

        secrets: object = self.secrets()
        if not isinstance(secrets, (list, tuple, set, frozenset)):
            raise TypeError(f"secrets: a list of texts is wanted, not {type(secrets).__name__}")
        given = [secret for secret in secrets if secret is not None]
        for wrong in (secret for secret in given if not isinstance(secret, str)):
            raise TypeError(f"secrets: a list of texts is wanted, with no {type(wrong).__name__} in it")
        return with_pairs(given, self.username)
