"""httpx-auth: OAuth2ClientCredentials of httpx. It follows redirects where it is told to; here it is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._base import LIMIT, Peer


class HttpxAuth(Peer):
    name = "httpx-auth"
    distribution = "httpx-auth"
    imports = "from httpx_auth import OAuth2ClientCredentials"
    own_header = True
    shares = "JsonTokenFileCache"
    lifetime_ahead, ahead_after = 31, 1.0

    def prepare(self) -> None:
        import httpx
        from httpx_auth import JsonTokenFileCache, OAuth2, OAuth2ClientCredentials

        if self.directory is not None:
            OAuth2.token_cache = JsonTokenFileCache(str(Path(self.directory) / "tokens.json"))
        value = "Bearer {token}" if self.header == "Authorization" else "{token}"
        self.auth: Any = OAuth2ClientCredentials(
            self.account.token_url, self.user, self.secret, header_name=self.header, header_value=value
        )
        self.client = httpx.Client(auth=self.auth, follow_redirects=True, timeout=LIMIT)

    def get(self, path: str = "/api/thing") -> int:
        return self.client.get(self.account.url + path).status_code

    def post(self, body: Any, headers: dict[str, str] | None = None) -> int:
        return self.client.post(self.account.url + "/api/thing", content=body, headers=headers).status_code

    def post_form(self, data: bytes) -> int:
        files = {"file": ("data.bin", io.BytesIO(data))}
        return self.client.post(self.account.url + "/api/thing", files=files).status_code

    def keep(self) -> Any:
        return self.auth

    def requests(self, number: int) -> list[Any]:
        import httpx

        url = self.account.url + "/api/thing"
        return [httpx.Request("GET", url, headers={"Accept": "application/json"}) for _ in range(number)]

    def signer(self) -> Callable[[Any], Any]:
        flow = self.auth.auth_flow

        def signed(request: Any) -> Any:
            return next(flow(request))

        return signed

    def copies(self) -> dict[str, tuple[Any, Callable[[Any], int]]]:
        return {"auth": (self.auth, self._with_auth), "client": (self.client, self._with_client)}

    def _with_auth(self, auth: Any) -> int:
        return self.client.get(self.account.url + "/api/thing", auth=auth).status_code

    def _with_client(self, client: Any) -> int:
        return int(client.get(self.account.url + "/api/thing").status_code)
