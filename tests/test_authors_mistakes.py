"""What a class of somebody's own does wrong is told as his, at the place where he can mend it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from acme_service import AcmeAuth, AcmeService, acme_service
from requests.auth import HTTPBasicAuth

from requests_partnerauth import (
    FiservCommerceConnectAuth,
    InvalidLoginResponse,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    PartnerAuthError,
    SessionFieldsPlacement,
    Token,
)
from requests_partnerauth.simulator import PartnerSimulator


@pytest.fixture
def service() -> Iterator[AcmeService]:
    with acme_service() as service:
        yield service


def built(cls: type[AcmeAuth], service: AcmeService) -> AcmeAuth:
    return cls(base_url=service.url, cache=MemoryTokenCache())


class AsksItself(AcmeAuth):
    def parse_login(self, response: requests.Response) -> Token:
        return self.token()


class AsksTheBase(AcmeAuth):
    def parse_login(self, response: requests.Response) -> Token:
        return PartnerAuth.parse_login(self, response)


class Helped(AcmeAuth):
    def parse_login(self, response: requests.Response) -> Token:
        return helper({})


def helper(reply: dict[str, str]) -> Token:
    return Token(reply["a made-up secret"])


PLACES = {
    AsksItself: r"PartnerAuthError in AsksItself\.parse_login, test_authors_mistakes\.py, line \d+",
    AsksTheBase: r"NotImplementedError \(AsksTheBase does not .*\) in AsksTheBase\.parse_login, test_authors",
    Helped: r"KeyError in Helped\.helper, test_authors_mistakes\.py, line \d+",
}


@pytest.mark.parametrize("cls", PLACES)
def test_the_place_is_the_authors(service: AcmeService, cls: type[AcmeAuth]) -> None:
    """However deep in this library an error comes from, the last line of his own is named."""
    with pytest.raises(InvalidLoginResponse, match=PLACES[cls]) as caught:
        built(cls, service).token()
    assert "made-up secret" not in str(caught.value)


def test_a_method_that_can_not_be_called(service: AcmeService, records: list[logging.LogRecord]) -> None:
    """A `login_flow` without `previous` is the class's mistake: no file of ours is named."""

    class Lacking(AcmeAuth):
        def login_flow(self) -> Any:  # type: ignore[override]
            yield

    with pytest.raises(TypeError):
        built(Lacking, service).token()
    assert "acme: TypeError in Lacking" in [record.getMessage() for record in records]


def test_a_callable_of_the_users(records: list[logging.LogRecord]) -> None:
    """Where `hmac=` raises, the user's line is named."""

    def failing(payload: object) -> str:
        raise KeyError(payload)

    with PartnerSimulator() as simulator:
        arguments = {**simulator.fiserv_commerce_connect.credentials, "hmac": failing}
        auth = FiservCommerceConnectAuth(**arguments, cache=MemoryTokenCache())
        with pytest.raises(KeyError):
            auth.token()
    told = " ".join(record.getMessage() for record in records)
    assert re.search(r"KeyError in \S+failing, test_authors_mistakes\.py, line \d+", told)


@pytest.mark.parametrize("account", [4711, ["u"]])
def test_an_account_that_is_no_text(service: AcmeService, account: Any) -> None:
    """It is told by its name before anything is sent."""
    auth = built(AcmeAuth, service)
    auth.account = account
    with pytest.raises(TypeError, match=r"\Aaccount: a text is wanted, not "):
        auth.token()
    assert service.count["/login"] == 0


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        (["a password", None], None),
        (None, r"\Asecrets: a list of texts is wanted, not NoneType\Z"),
        (["a password", 7], r"\Asecrets: a list of texts is wanted, with no int in it\Z"),
    ],
)
def test_secrets_of_ones_own(service: AcmeService, secrets: Any, why: str | None) -> None:
    """An optional key that is None hides nothing; what is no list of texts is told by its name."""
    cls = type("Keyed", (AcmeAuth,), {"secrets": lambda auth: secrets})
    if why is None:
        assert built(cls, service).token().value
    else:
        with pytest.raises(TypeError, match=why):
            built(cls, service).token()


def test_a_request_that_can_not_be_made(service: AcmeService, records: list[logging.LogRecord]) -> None:
    """A login request without a host is told with the method that makes it, in the log too."""

    class Hostless(AcmeAuth):
        def login_request(self) -> requests.Request:
            return requests.Request("POST", "/login")

    why = r"can't be sent \(MissingSchema; Hostless\.login_request makes it\)"
    with pytest.raises(LoginUnavailable, match=why):
        built(Hostless, service).token()
    assert re.search(
        why, " ".join(record.getMessage() for record in records if record.levelname == "WARNING")
    )


@pytest.mark.parametrize("markers", [("session",), "session", b"session", [b"session", 1]])
def test_markers_that_are_no_bytes(service: AcmeService, markers: Any) -> None:
    """They are told when the auth is built: with them no expiry would ever be seen."""
    with pytest.raises(ValueError, match=r"\Aexpiry_markers: "):
        built(type("Marked", (AcmeAuth,), {"expiry_markers": markers}), service)


def test_a_signal_that_is_a_coroutine(service: AcmeService, records: list[logging.LogRecord]) -> None:
    """`async def signals_expiry` is told, and no answer counts as an expiry for its sake."""

    class Awaited(AcmeAuth):
        async def signals_expiry(self, response: requests.Response) -> bool:  # type: ignore[override]
            return True

    auth = built(Awaited, service)
    assert requests.get(f"{service.url}/x", auth=auth).status_code == 200
    assert service.count["/login"] == 1
    assert any("TypeError in Awaited.signals_expiry" in record.getMessage() for record in records)


def test_a_placement_that_is_none(service: AcmeService) -> None:
    """An object with some of the words is told when the auth is built."""

    class Words:
        place = remove = carries = lambda self, *_: True

    with pytest.raises(ValueError, match=r"\Aplacement: "):
        built(type("Worded", (AcmeAuth,), {"placement": Words()}), service)


@pytest.mark.parametrize("fields", [["uid"], "uid", {"uid": object()}, {7: "X1"}, {"": "X1"}])
def test_fields_that_are_no_mapping_of_texts(fields: Any) -> None:
    """They are told by name when the placement is made."""
    with pytest.raises(ValueError, match=r"\Afields: "):
        SessionFieldsPlacement("sid", fields)


@pytest.mark.parametrize("other", [("user", "password"), None, "user", HTTPBasicAuth])
def test_what_is_no_second_auth(service: AcmeService, other: Any) -> None:
    """It is told when it is added, on either side and to a pair, and no value is shown."""
    auth = built(AcmeAuth, service)
    pair = auth + HTTPBasicAuth("user", "password")
    for add in (lambda: auth + other, lambda: other + auth, lambda: pair + other):
        with pytest.raises(TypeError, match=r"\A\+: an auth object is wanted") as caught:
            add()
        assert "password'" not in str(caught.value)


def test_the_error_of_a_login_that_asks_for_its_own_token(service: AcmeService) -> None:
    """In a flow it is raised where the flow asks, and is a `PartnerAuthError` there."""
    met: list[type] = []

    class Asking(AcmeAuth):
        def parse_login(self, response: requests.Response) -> Token:
            try:
                self.token()
            except PartnerAuthError as error:
                met.append(type(error))
            return super().parse_login(response)

    built(Asking, service).token()
    assert met == [PartnerAuthError]
