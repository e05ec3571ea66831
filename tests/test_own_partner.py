"""A partner of the user's own: three answers and no I/O, with everything else the engine's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from conftest import make_auth
from together import Background, is_good, together, wait_for_waiters

from requests_partnerauth import (
    HeaderPlacement,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    SessionFieldsPlacement,
    Token,
)
from requests_partnerauth.simulator import PartnerSimulator


class AcmeAuth(PartnerAuth):
    """What a user writes: the simulated BEX, by its wire facts, under another name."""

    partner = "acme"
    placement = HeaderPlacement("token")

    def __init__(self, user: str, password: str, **common: Any) -> None:
        super().__init__(**common)
        self.user, self.password = user, password

    def login_request(self) -> requests.Request:
        body = {"username": self.user, "password": self.password}
        return requests.Request("POST", f"{self.base_url}/api/service/login", json=body)

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if reply.get("ex"):
            raise LoginRejected(reply["ex"], code="E1")
        return Token(reply["value"])


class SharingAcmeAuth(AcmeAuth):
    """The same, sharing its token by account and secret."""

    def __init__(self, user: str, password: str, **common: Any) -> None:
        super().__init__(user, password, **common)
        self.account, self.secret = user, password


def arguments(simulator: PartnerSimulator) -> dict[str, Any]:
    credentials = simulator.bex.credentials
    return {
        "user": credentials["username"],
        "password": credentials["password"],
        "base_url": credentials["base_url"],
    }


@pytest.mark.parametrize("cls", [AcmeAuth, SharingAcmeAuth])
def test_an_own_class_has_all_of_it(simulator: PartnerSimulator, cls: type[AcmeAuth]) -> None:
    """One login for 32 threads, cold and after a revocation; HTTP 401 is the signal unless told otherwise."""
    partner = simulator.bex
    auth = cls(**arguments(simulator), cache=MemoryTokenCache())
    for logins in (1, 2, 3):
        responses = together(32, lambda number: requests.get(f"{partner.base_url}/echo", auth=auth))
        assert all(map(is_good, responses))
        assert partner.login_attempts == logins
        partner.revoke()


def test_without_account_and_secret_nobody_shares(simulator: PartnerSimulator) -> None:
    """Two objects of a class that names no account have a token each, on whatever cache."""
    cache = MemoryTokenCache()
    first, second = (AcmeAuth(**arguments(simulator), cache=cache) for _ in range(2))
    assert first.token().value != second.token().value
    assert simulator.bex.logins == 2
    first.forget()
    assert second.token().value == simulator.bex.issued[1]


def test_account_and_secret_share(simulator: PartnerSimulator) -> None:
    """With both, objects of the same account and secret share one token; another secret never sees it."""
    cache = MemoryTokenCache()
    first, second = (SharingAcmeAuth(**arguments(simulator), cache=cache) for _ in range(2))
    assert first.token() is second.token()
    other = SharingAcmeAuth(**{**arguments(simulator), "password": "wrong"}, cache=cache)
    for _ in range(3):
        with pytest.raises(LoginRejected) as raised:
            other.token()
        assert (raised.value.code, raised.value.partner_message) == ("E1", "Invalid username or password.")
    assert simulator.bex.login_attempts == 2


def test_own_signal_and_own_placement(simulator: PartnerSimulator) -> None:
    """`signals_expiry` and `placement` are the class's own answers."""

    class GatewayAuth(PartnerAuth):
        partner = "own-gateway"
        placement = SessionFieldsPlacement("sid", {"uid": "TWISTUSER001"})

        def login_request(self) -> requests.Request:
            credentials = simulator.rp_gateway.credentials
            body = {
                "op": "login",
                "uid": credentials["uid"],
                "user": credentials["username"],
                "passwd": credentials["password"],
            }
            return requests.Request("POST", f"{self.base_url}/msg/login", json=body)

        def parse_login(self, response: requests.Response) -> Token:
            return Token(response.json()["response"]["authenticationCode"])

        def signals_expiry(self, response: requests.Response) -> bool:
            return "error.invalid.sessiontoken" in response.text

    partner = simulator.rp_gateway
    auth = GatewayAuth(base_url=partner.base_url)
    for logins in (1, 2):
        assert is_good(requests.post(f"{partner.base_url}/echo", json={"op": "search"}, auth=auth))
        assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
        assert partner.logins == logins
        partner.revoke()


def test_an_own_error_in_login_request_reaches_the_caller(simulator: PartnerSimulator) -> None:
    """What `login_request` raises is the user's own to see; who waited hears its kind. It poisons nothing."""
    partner = simulator.bex
    allowed = threading.Event()

    class Clumsy(AcmeAuth):
        def login_request(self) -> requests.Request:
            if not allowed.is_set():
                raise KeyError("no vault today")
            return super().login_request()

    auth = Clumsy(**arguments(simulator))
    errors = together(8, lambda number: requests.get(f"{partner.base_url}/echo", auth=auth))
    assert {type(error) for error in errors} in ({KeyError}, {KeyError, LoginUnavailable})
    assert all("KeyError" in repr(error) for error in errors)
    allowed.set()
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
    assert partner.login_attempts == 1


@pytest.mark.parametrize("kind", ["PreparedRequest", "Response", "tuple", "NoneType"])
def test_a_login_request_that_is_none(simulator: PartnerSimulator, kind: str) -> None:
    """What is no `requests.Request` is told as the mistake it is; who waited for it hears its kind."""
    partner = simulator.bex
    given = {
        "PreparedRequest": requests.Request("POST", "https://s3cret.example").prepare(),
        "Response": requests.Response(),
        "tuple": ("POST", "s3cret"),
    }
    asked: list[int] = []

    class Mistaken(AcmeAuth):
        def login_request(self) -> Any:
            asked.append(1)
            return given.get(kind)

    auth = Mistaken(**arguments(simulator))
    errors = together(8, lambda number: requests.get(f"{partner.base_url}/echo", auth=auth))
    mistakes = [error for error in errors if type(error) is TypeError]
    waited = [error for error in errors if type(error) is LoginUnavailable]
    assert {str(error) for error in mistakes} == {f"login_request: a requests.Request is wanted, not {kind}"}
    assert all("TypeError" in str(error) for error in waited)
    assert {(error.__cause__, error.__context__) for error in errors} == {(None, None)}
    assert (len(asked), len(waited)) == (len(mistakes), 8 - len(mistakes))
    assert partner.login_attempts == 0


def test_a_secret_that_is_no_text(simulator: PartnerSimulator) -> None:
    """`secret` as bytes is told by its name, account or none, and not shown."""
    for account in ("account", None):
        auth = AcmeAuth(**arguments(simulator))
        auth.account, auth.secret = account, b"s3cret"  # type: ignore[assignment]
        with pytest.raises(TypeError, match=r"\Asecret: a text is wanted, not bytes\Z"):
            auth.token()
    assert simulator.bex.login_attempts == 0


def test_a_forgotten_super(simulator: PartnerSimulator) -> None:
    """A class that never called `super().__init__` hears of it at the first use, whatever that is."""

    class Forgetful(AcmeAuth):
        def __init__(self, user: str) -> None:
            self.user = user

    uses: list[Callable[[PartnerAuth], object]] = [
        lambda auth: requests.get(f"{simulator.bex.base_url}/echo", auth=auth),
        lambda auth: auth.token(),
        lambda auth: auth.forget(),
        lambda auth: auth.preset("TOKEN"),
    ]
    for use in uses:
        with pytest.raises(TypeError, match=r"\AForgetful\.__init__ must call super\(\)\.__init__\("):
            use(Forgetful("user"))
    assert simulator.bex.calls == []


def test_commerce_connect_asks_a_callable_payload_anew(simulator: PartnerSimulator) -> None:
    """A callable payload is asked at every login, and its token is shared with no other object."""
    partner = simulator.fiserv_commerce_connect
    asked: list[int] = []
    document = partner.credentials["payload"]

    def payload() -> dict[str, Any]:
        asked.append(1)
        return json.loads(json.dumps({**document, "orderNumber": len(asked)}))

    cache = MemoryTokenCache()
    first, second = (make_auth(partner, cache=cache, payload=payload) for _ in range(2))
    for auth in (first, second, first):
        assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
        if auth is second:
            partner.revoke()
    assert [sent["orderNumber"] for sent in partner.payloads] == [1, 2, 3]


def test_an_own_error_of_the_login_is_run_into_once(simulator: PartnerSimulator) -> None:
    """What login_request raises goes to whoever logs in; who waits is told, and does not try by itself."""
    entered, go_on, tries = threading.Event(), threading.Event(), []

    class VaultAuth(SharingAcmeAuth):
        def login_request(self) -> requests.Request:
            tries.append(threading.current_thread().name)
            entered.set()
            go_on.wait(30)
            raise LookupError("the vault is away")

    auth = VaultAuth("u", "a password", base_url=simulator.bex.base_url, cache=MemoryTokenCache())
    first = Background(auth.token)
    assert entered.wait(60)
    others = [Background(auth.token) for _ in range(7)]
    wait_for_waiters(7)
    go_on.set()
    assert isinstance(first.result(), LookupError)
    assert {type(other.result()) for other in others} == {LoginUnavailable}
    assert len(tries) == 1


@pytest.mark.parametrize("lacking", ["login_request", "parse_login"])
def test_a_class_that_lacks_an_answer(simulator: PartnerSimulator, lacking: str) -> None:
    """It is named, with what it does not say, where that is first asked for."""
    body = {name: member for name, member in vars(AcmeAuth).items() if name != lacking}
    cls = type("Silent", (PartnerAuth,), {"partner": "silent", "placement": body["placement"]})
    if lacking == "parse_login":
        good = AcmeAuth(**arguments(simulator)).login_request()
        cls.login_request = lambda auth: good
    with pytest.raises((NotImplementedError, requests.RequestException), match=f"(?s)Silent.*{lacking}"):
        cls(base_url=simulator.bex.base_url).token()
