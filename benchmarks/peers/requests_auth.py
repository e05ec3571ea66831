"""requests_auth: OAuth2ClientCredentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ._base import AuthPeer


class RequestsAuth(AuthPeer):
    name = "requests_auth"
    distribution = "requests-auth"
    imports = "from requests_auth import OAuth2ClientCredentials"
    own_header = True
    shares = "JsonTokenFileCache"
    lifetime_ahead, ahead_after = 31, 1.0

    def make_auth(self) -> Any:
        from requests_auth import JsonTokenFileCache, OAuth2, OAuth2ClientCredentials

        if self.directory is not None:
            OAuth2.token_cache = JsonTokenFileCache(str(Path(self.directory) / "tokens.json"))
        value = "Bearer {token}" if self.header == "Authorization" else "{token}"
        return OAuth2ClientCredentials(
            self.account.token_url, self.user, self.secret, header_name=self.header, header_value=value
        )
