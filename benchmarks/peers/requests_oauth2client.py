"""requests_oauth2client: OAuth2ClientCredentialsAuth."""

from __future__ import annotations

from typing import Any

from ._base import AuthPeer


class RequestsOauth2Client(AuthPeer):
    name = "requests_oauth2client"
    distribution = "requests_oauth2client"
    imports = "from requests_oauth2client import OAuth2Client, OAuth2ClientCredentialsAuth"
    lifetime_ahead, ahead_after = 21, 1.0

    def make_auth(self) -> Any:
        from requests_oauth2client import OAuth2Client, OAuth2ClientCredentialsAuth

        client = OAuth2Client(self.account.token_url, auth=(self.user, self.secret), testing=True)
        return OAuth2ClientCredentialsAuth(client)
