"""google-auth: its OAuth2 credentials behind AuthorizedSession, with the token endpoint set to ours.

Its own grant is the refresh token; the server takes client id and secret from it and counts a login.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._base import SessionPeer


class GoogleAuth(SessionPeer):
    name = "google-auth"
    distribution = "google-auth"
    imports = (
        "from google.auth.transport.requests import AuthorizedSession; "
        "from google.oauth2.credentials import Credentials"
    )
    counted = "credentials"
    lifetime_ahead, ahead_after = 226, 1.0

    def prepare(self) -> None:
        from google.auth.transport.requests import AuthorizedSession
        from google.oauth2.credentials import Credentials

        self.credentials: Any = Credentials(
            token=None,
            refresh_token="refresh",
            token_uri=self.account.token_url,
            client_id=self.user,
            client_secret=self.secret,
        )
        self.session: Any = AuthorizedSession(self.credentials)

    def keep(self) -> Any:
        return self.credentials

    def signer(self) -> Callable[[Any], Any]:
        before = self.credentials.before_request

        def signed(request: Any) -> None:
            before(None, request.method, request.url, request.headers)

        return signed

    def copies(self) -> dict[str, tuple[Any, Callable[[Any], int]]]:
        return {"credentials": (self.credentials, self._with_credentials), **super().copies()}

    def _with_credentials(self, credentials: Any) -> int:
        from google.auth.transport.requests import AuthorizedSession

        return self._with_session(AuthorizedSession(credentials))


class GoogleAuthWorker(GoogleAuth):
    """The same with its background refresh switched on."""

    name = "google-auth, background refresh"

    def prepare(self) -> None:
        super().prepare()
        self.credentials.with_non_blocking_refresh()
