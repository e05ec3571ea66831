"""A good class of a user's own, and the same broken in every way that the contract knows, one suite each.

Not collected with the tests: `test_published_contract` runs pytest on it and looks at what fails.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, ClassVar

import requests

from requests_partnerauth import HeaderPlacement, LoginRejected, PartnerAuth, Token
from requests_partnerauth.testing import PartnerContract

logger = logging.getLogger(__name__)


class AcmeAuth(PartnerAuth):
    """Good."""

    partner = "acme"
    placement = HeaderPlacement("X-Acme-Token")

    def __init__(self, username: str, password: str, *, base_url: str, **common: Any) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = self.account = username
        self.secret = password

    def login_request(self) -> requests.Request:
        body = {"username": self.username, "password": self.secret}
        return requests.Request("POST", f"{self.base_url}/login", json=body)

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if "error" in reply:
            raise LoginRejected(reply["error"])
        return Token(reply["session"])


class Acme(PartnerContract):
    auth_class: Any = AcmeAuth
    arguments: ClassVar[Any] = {"username": "wile", "password": "made-up word"}
    login_reply: ClassVar[Any] = {"session": "0123456789"}
    rejection: ClassVar[Any] = (400, {"error": "no such coyote"})
    expiry: ClassVar[Any] = (401, {"error": "gone"})


class TestGood(Acme):
    pass


class Eager(AcmeAuth):
    def __init__(self, username: str, password: str, *, base_url: str, **common: Any) -> None:
        super().__init__(username, password, base_url=base_url, **common)
        requests.get(f"{base_url}/ping", timeout=10)


class TestEager(Acme):
    auth_class = Eager


class Closed(AcmeAuth):
    def __init__(self, username: str, password: str, *, base_url: str) -> None:
        super().__init__(username, password, base_url=base_url)


class TestClosed(Acme):
    auth_class = Closed


class TestLacking(PartnerContract):
    auth_class = AcmeAuth
    arguments: ClassVar[Any] = {"username": "wile", "password": "made-up word"}


class Misread(AcmeAuth):
    def parse_login(self, response: requests.Response) -> Token:
        return Token(response.json()["token"])


class TestMisread(Acme):
    auth_class = Misread


class Elsewhere(HeaderPlacement):
    def place(self, request: requests.PreparedRequest, value: str) -> None:
        request.headers["X-Acme-Token"] = "none"


class Misplaced(AcmeAuth):
    placement = Elsewhere("X-Acme-Token")


class TestMisplaced(Acme):
    auth_class = Misplaced


class Loyal(AcmeAuth):
    def forget_nothing(self, *_: Any) -> None:
        pass

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.placement = HeaderPlacement("X-Acme-Token")
        self.placement.remove = self.forget_nothing


class TestLoyal(Acme):
    auth_class = Loyal


class Deaf(AcmeAuth):
    def signals_expiry(self, response: requests.Response) -> bool:
        return False


class TestDeaf(Acme):
    auth_class = Deaf


class Nervous(AcmeAuth):
    def signals_expiry(self, response: requests.Response) -> bool:
        return response.status_code == 401 or not response.content


class TestNervous(Acme):
    auth_class = Nervous


class Unmarked(AcmeAuth):
    expiry_markers = (b"session over",)

    def signals_expiry(self, response: requests.Response) -> bool:
        return "gone" in response.text


class TestUnmarked(Acme):
    auth_class = Unmarked
    expiry: ClassVar[Any] = {"error": "gone"}


class Stubborn(AcmeAuth):
    def parse_login(self, response: requests.Response) -> Token:
        return Token(response.json()["session"])


class TestStubborn(Acme):
    auth_class = Stubborn
    rejection: ClassVar[Any] = {"error": "no such coyote"}


class Careless(AcmeAuth):
    def __init__(self, username: str, password: str, *, base_url: str, **common: Any) -> None:
        super().__init__(username, password, base_url=base_url, **common)
        self.password, self.secret = password, "the same for all"

    def login_request(self) -> requests.Request:
        body = {"username": self.username, "password": self.password}
        return requests.Request("POST", f"{self.base_url}/login", json=body)


class TestCareless(Acme):
    auth_class = Careless


class Talkative(AcmeAuth):
    def secrets(self) -> list[str]:
        return []


class TestTalkative(Acme):
    auth_class = Talkative


class Proud(AcmeAuth):
    def __repr__(self) -> str:
        return f"Proud({self.username}, {self.secret})"


class TestProud(Acme):
    auth_class = Proud


class Chatty(AcmeAuth):
    def login_request(self) -> requests.Request:
        logger.debug("logging in with %s", self.secret)
        return super().login_request()


class TestChatty(Acme):
    auth_class = Chatty


class Locked(AcmeAuth):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.lock = threading.Lock()


class TestLocked(Acme):
    auth_class = Locked


class Hoarding(AcmeAuth):
    def parse_login(self, response: requests.Response) -> Token:
        self.last = super().parse_login(response)
        return self.last


class TestHoarding(Acme):
    auth_class = Hoarding


class Untyped(AcmeAuth):
    def __init__(self, username, password, branch=7, *, base_url, **common):  # type: ignore[no-untyped-def]
        super().__init__(username, password, base_url=base_url, **common)
        self.account = f"{username}@{branch!r}"


class TestUntyped(Acme):
    auth_class = Untyped
    arguments: ClassVar[Any] = {**Acme.arguments, "branch": "8"}


class Unready(AcmeAuth):
    def login_request(self) -> requests.Request:
        raise LookupError("no vault today")


class TestUnready(Acme):
    auth_class = Unready
