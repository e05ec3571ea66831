"""botocore: RefreshableCredentials in their lazy form; putting the token into a header is the user's."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import requests
from requests.auth import AuthBase

from ._base import LIMIT, AuthPeer


class CredentialsAuth(AuthBase):
    """What a user writes to send the token with `requests`."""

    def __init__(self, credentials: Any, header: str, prefix: str) -> None:
        self.credentials, self.header, self.prefix = credentials, header, prefix

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self.header] = self.prefix + self.credentials.get_frozen_credentials().token
        return request


class Botocore(AuthPeer):
    name = "botocore"
    distribution = "botocore"
    imports = "from botocore.credentials import DeferredRefreshableCredentials"
    own_header = True
    counted = "credentials and auth object"
    lifetime_ahead, ahead_after = 901, 1.0

    def make_auth(self) -> CredentialsAuth:
        from botocore.credentials import DeferredRefreshableCredentials

        log_in = partial(_log_in, self.account.token_url, self.user, self.secret)
        credentials = DeferredRefreshableCredentials(log_in, "bench")
        return CredentialsAuth(credentials, self.header, "Bearer " if self.header == "Authorization" else "")


def _log_in(url: str, user: str, secret: str) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "client_id": user, "client_secret": secret}
    response = requests.post(url, data=form, timeout=LIMIT)
    response.raise_for_status()
    reply = response.json()
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=reply["expires_in"])
    return {
        "access_key": "-",
        "secret_key": "-",
        "token": reply["access_token"],
        "expiry_time": end.isoformat(),
    }
