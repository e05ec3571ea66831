"""azure-core: PipelineClient with its BearerTokenCredentialPolicy and a credential that asks the endpoint."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import requests

from ._base import LIMIT, Peer


class EndpointCredential:
    """The credential that a user writes for an endpoint of one's own."""

    def __init__(self, url: str, user: str, secret: str) -> None:
        self.url, self.user, self.secret = url, user, secret

    def get_token(self, *scopes: str, **more: Any) -> Any:
        from azure.core.credentials import AccessToken
        from azure.core.exceptions import ClientAuthenticationError

        form = {"grant_type": "client_credentials", "client_id": self.user, "client_secret": self.secret}
        response = requests.post(self.url, data=form, timeout=LIMIT)
        if response.status_code != 200:
            raise ClientAuthenticationError("no token")
        reply = response.json()
        return AccessToken(reply["access_token"], int(time.time()) + reply["expires_in"])


class AzureCore(Peer):
    name = "azure-core"
    distribution = "azure-core"
    imports = (
        "from azure.core import PipelineClient; "
        "from azure.core.pipeline import policies; "
        "policies.BearerTokenCredentialPolicy"
    )
    counted = "policy and credential"
    lifetime_ahead, ahead_after = 301, 1.0

    def prepare(self) -> None:
        from azure.core import PipelineClient
        from azure.core.configuration import Configuration
        from azure.core.pipeline import policies

        credential = EndpointCredential(self.account.token_url, self.user, self.secret)
        self.policy: Any = policies.BearerTokenCredentialPolicy(credential, "scope")
        config: Any = Configuration()
        config.headers_policy = policies.HeadersPolicy()
        config.user_agent_policy = policies.UserAgentPolicy("bench")
        config.retry_policy = policies.RetryPolicy()
        config.redirect_policy = policies.RedirectPolicy()
        config.custom_hook_policy = policies.CustomHookPolicy()
        config.logging_policy = policies.NetworkTraceLoggingPolicy()
        config.authentication_policy = self.policy
        self.client: Any = PipelineClient(self.account.url, config=config)

    def get(self, path: str = "/api/thing") -> int:
        return self._send("GET", path)

    def post(self, body: Any, headers: dict[str, str] | None = None) -> int:
        return self._send("POST", "/api/thing", content=body, headers=headers)

    def post_form(self, data: bytes) -> int:
        return self._send("POST", "/api/thing", files={"file": ("data.bin", io.BytesIO(data))})

    def _send(self, method: str, path: str, **more: Any) -> int:
        from azure.core.rest import HttpRequest

        request = HttpRequest(method, self.account.url + path, **more)
        response = self.client.send_request(request, enforce_https=False, read_timeout=LIMIT)
        return int(response.status_code)

    def settle(self) -> None:
        # By default up to 60 s, at random: the case could not tell when the window begins.
        self.policy._refresh_jitter = 0

    def keep(self) -> Any:
        # The policy without the pipeline around it, which holds the connections.
        policy: Any = type(self.policy)(self.policy._credential, "scope")
        policy.on_request(self.requests(1)[0])
        return policy

    def requests(self, number: int) -> list[Any]:
        from azure.core.pipeline import PipelineContext, PipelineRequest
        from azure.core.rest import HttpRequest

        url = self.account.url + "/api/thing"
        return [
            PipelineRequest(HttpRequest("GET", url), PipelineContext(None, enforce_https=False))
            for _ in range(number)
        ]

    def signer(self) -> Callable[[Any], Any]:
        return self.policy.on_request  # type: ignore[no-any-return]

    def copies(self) -> dict[str, tuple[Any, Callable[[Any], int]]]:
        return {"client": (self.client, self._with_client)}

    def _with_client(self, client: Any) -> int:
        from azure.core.rest import HttpRequest

        request = HttpRequest("GET", self.account.url + "/api/thing")
        return int(client.send_request(request, enforce_https=False).status_code)
