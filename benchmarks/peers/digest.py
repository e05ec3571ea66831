"""requests' HTTPDigestAuth. It has no login; what expires is the server's nonce."""

from __future__ import annotations

from requests.auth import HTTPDigestAuth

from ._base import AuthPeer


class Digest(AuthPeer):
    name = "HTTPDigestAuth"
    distribution = "requests"
    imports = "import requests"
    scheme = "Digest"
    logs_in = False

    def make_auth(self) -> HTTPDigestAuth:
        return HTTPDigestAuth(self.user, self.secret)
