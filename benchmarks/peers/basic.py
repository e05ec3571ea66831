"""requests' HTTPBasicAuth: the floor. It has no login; the password goes with every request."""

from __future__ import annotations

from requests.auth import HTTPBasicAuth

from ._base import AuthPeer


class Basic(AuthPeer):
    name = "HTTPBasicAuth"
    distribution = "requests"
    imports = "import requests"
    scheme = "Basic"
    logs_in = False
    lifetime_ahead, ahead_after = 3600, 1.0

    def make_auth(self) -> HTTPBasicAuth:
        return HTTPBasicAuth(self.user, self.secret)
