"""The fifteen lines that a script writer writes."""

from __future__ import annotations

from typing import Any

import requests

from ._base import AuthPeer


class TokenAuth(requests.auth.AuthBase):
    def __init__(self, url: str, user: str, secret: str, header: str, prefix: str) -> None:
        self.url, self.user, self.secret, self.header, self.prefix = url, user, secret, header, prefix
        self.token: str | None = None

    def login(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self.user, "client_secret": self.secret}
        self.token = requests.post(self.url, data=form).json()["access_token"]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token is None:
            self.login()
        request.headers[self.header] = f"{self.prefix}{self.token}"
        request.register_hook("response", self.retry)
        return request

    def retry(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        if response.status_code == 401:
            self.login()
            response.request.headers[self.header] = f"{self.prefix}{self.token}"
            return response.connection.send(response.request, **kwargs)
        return response


class FifteenLines(AuthPeer):
    name = "fifteen lines"
    distribution = "requests"
    imports = "import requests"
    own_header = True
    lifetime_ahead, ahead_after = 1, 1.0

    def make_auth(self) -> TokenAuth:
        prefix = "Bearer " if self.header == "Authorization" else ""
        return TokenAuth(self.account.token_url, self.user, self.secret, self.header, prefix)
