"""Authlib: OAuth2Session. It does not log in lazily: the check before the first request is the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._base import LIMIT, SessionPeer


class Authlib(SessionPeer):
    name = "Authlib"
    distribution = "Authlib"
    imports = "from authlib.integrations.requests_client import OAuth2Session"
    counted = "session"
    lifetime_ahead, ahead_after = 61, 1.0

    def prepare(self) -> None:
        from authlib.integrations.requests_client import OAuth2Session

        self.session: Any = OAuth2Session(
            self.user, self.secret, token_endpoint=self.account.token_url, grant_type="client_credentials"
        )

    def get(self, path: str = "/api/thing") -> int:
        self._log_in()
        return int(self.session.get(self.account.url + path, timeout=LIMIT).status_code)

    def post(self, body: Any, headers: dict[str, str] | None = None) -> int:
        self._log_in()
        url = self.account.url + "/api/thing"
        return int(self.session.post(url, data=body, headers=headers, timeout=LIMIT).status_code)

    def _log_in(self) -> None:
        if not self.session.token:
            self.session.fetch_token()

    def signer(self) -> Callable[[Any], Any]:
        check, sign = self.session.ensure_active_token, self.session.token_auth

        def signed(request: Any) -> Any:
            check(self.session.token)
            return sign(request)

        return signed
