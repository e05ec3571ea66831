"""Jupyter Server: a page that sets a cookie, then a form, answered by a redirect and another cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from requests_partnerauth import HeaderPlacement, InvalidLoginResponse, LoginRejected, PartnerAuth, Token

if TYPE_CHECKING:
    from collections.abc import Generator


class JupyterAuth(PartnerAuth):
    """A Jupyter Server that has a password.

    Whatever changes something there wants the cookie `_xsrf` repeated in a header. So that header is where
    the token goes, and both cookies travel with it; the other one's name depends on the server's host.
    """

    partner = "jupyter"
    account = "its one user"
    placement = HeaderPlacement("X-XSRFToken")

    def __init__(self, password: str, *, base_url: str, **common: Any) -> None:
        super().__init__(base_url=base_url, **common)
        self.secret = password

    def login_flow(self, previous: Token | None) -> Generator[requests.Request, requests.Response, Token]:
        page = yield requests.Request("GET", f"{self.base_url}/login")
        xsrf = page.cookies["_xsrf"]
        form = {"password": self.secret, "_xsrf": xsrf}
        reply = yield requests.Request("POST", f"{self.base_url}/login", data=form)
        if reply.status_code == 401:
            raise LoginRejected("wrong password")
        if reply.status_code != 302:
            raise InvalidLoginResponse("no redirect after the password")
        return Token(xsrf, cookies={"_xsrf": xsrf, **reply.cookies})

    def signals_expiry(self, response: requests.Response) -> bool:
        # By 403, 302 to /login or even 200 for nobody: a cookie that it does not take is cleared each time.
        return '=""; expires=' in response.headers.get("Set-Cookie", "")
