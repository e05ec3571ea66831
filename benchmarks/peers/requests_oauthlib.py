"""requests-oauthlib: OAuth2Session with its BackendApplicationClient.

Its own refresh needs a refresh token, which client credentials do not give; the documented way without is to
catch TokenExpiredError. It does not log in lazily: the check before the first request is the user's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ._base import LIMIT, SessionPeer


class RequestsOauthlib(SessionPeer):
    name = "requests-oauthlib"
    distribution = "requests-oauthlib"
    imports = (
        "from oauthlib.oauth2 import BackendApplicationClient; from requests_oauthlib import OAuth2Session"
    )
    counted = "session"
    lifetime_ahead, ahead_after = 1, 1.0

    def prepare(self) -> None:
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        from oauthlib.oauth2 import BackendApplicationClient
        from requests_oauthlib import OAuth2Session

        self.session: Any = OAuth2Session(client=BackendApplicationClient(client_id=self.user))

    def get(self, path: str = "/api/thing") -> int:
        return int(self._request("GET", path))

    def post(self, body: Any, headers: dict[str, str] | None = None) -> int:
        return int(self._request("POST", "/api/thing", data=body, headers=headers))

    def _request(self, method: str, path: str, **more: Any) -> int:
        from oauthlib.oauth2 import TokenExpiredError

        if not self.session.authorized:
            self._log_in()
        url = self.account.url + path
        try:
            return int(self.session.request(method, url, timeout=LIMIT, **more).status_code)
        except TokenExpiredError:
            self._log_in()
            return int(self.session.request(method, url, timeout=LIMIT, **more).status_code)

    def _log_in(self) -> None:
        self.session.fetch_token(self.account.token_url, client_id=self.user, client_secret=self.secret)

    def signer(self) -> Callable[[Any], Any]:
        from requests_oauthlib import OAuth2

        return OAuth2(client=self.session._client)  # type: ignore[no-any-return]
