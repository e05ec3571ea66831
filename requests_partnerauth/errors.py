"""What can go wrong between a request and its token.

    requests.RequestException
    └── PartnerAuthError            raised itself where a login asks for its own token
        ├── LoginRejected           the partner refused the credentials
        ├── LoginUnavailable        no usable answer: network, timeout, HTTP 429, 5xx
        │   └── LoginTimeout        no whole answer within the login's limit
        ├── InvalidLoginResponse    an answer that no login document describes
        └── ForeignOrigin           a request to a host that may not see the token

All are `requests.RequestException`s, so what a script already catches goes on working. No message, and
nothing that an error carries, holds a password, key or token.
"""

from __future__ import annotations

import requests

__all__ = [
    "ForeignOrigin",
    "InvalidLoginResponse",
    "LoginRejected",
    "LoginTimeout",
    "LoginUnavailable",
    "PartnerAuthError",
]


class PartnerAuthError(requests.RequestException):
    """Superclass of all errors of this library. Raised itself where a login asks for its own token.

    `response` is the API response that was refused, where a refresh in answer to it failed; else None.
    """

    def __init__(self, message: str = "", *, response: requests.Response | None = None) -> None:
        super().__init__(message, response=response)


class LoginRejected(PartnerAuthError):
    """The partner refused the credentials.

    Remembered for `rejection_cooldown` seconds per account and secret, so that a loop can't lock the
    account. A partner's `parse_login` raises it with the partner's own words:
    ``raise LoginRejected("Bad Credential", code="402")``.

    Args:
        message: What happened; in `parse_login`, the partner's own words.
        code: The partner's error code as text, None where it gave none.
        partner_message: The partner's own words, where the message says more.
        response: The refused API response, where a refresh failed.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str | int | None = None,
        partner_message: str | None = None,
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(message, response=response)
        self.code = None if code is None else str(code)
        self.partner_message = message if partner_message is None else partner_message


class LoginUnavailable(PartnerAuthError, requests.ConnectionError):
    """No usable answer to a login: network, timeout, HTTP 429 or 5xx, after the retries. Not remembered.

    Where the partner said when to come back, it is not asked before. A partner's `parse_login` may raise it:
    ``raise LoginUnavailable("closed for the night", retry_after=30)``.

    Args:
        message: What happened.
        retry_after: Seconds until the partner wants to be asked again; None where it named none.
        response: The refused API response, where a refresh failed.
    """

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(message, response=response)
        self.retry_after = retry_after


class LoginTimeout(LoginUnavailable, requests.Timeout):
    """No whole answer to a login within its limit, the sum of `login_timeout`.

    The ``timeout=`` of a call bounds the call alone: an auth never sees it.
    """


class InvalidLoginResponse(PartnerAuthError):
    """The login was answered by something that no login document describes.

    Where that was an HTTP 4xx that may be about the credentials, it is remembered as `LoginRejected` is.

    Args:
        message: What happened.
        documented: True, in `parse_login`: the partner's documents say that this answer is about something
            other than the credentials. It is never remembered, whatever its HTTP status.
        response: The refused API response, where a refresh failed.
    """

    def __init__(
        self,
        message: str = "",
        *,
        documented: bool = False,
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(message, response=response)
        self.documented = documented


class ForeignOrigin(PartnerAuthError):
    """A request to an origin that may not see the token. Raised before anything is sent."""
