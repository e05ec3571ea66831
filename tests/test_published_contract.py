"""The published contract: good classes of a user's own pass; a broken one fails a test that says why."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from requests_partnerauth import (
    HeaderPlacement,
    LoginRejected,
    PartnerAuth,
    SessionFieldsPlacement,
    Token,
)
from requests_partnerauth.simulator import Call
from requests_partnerauth.testing import PartnerContract

BROKEN = Path(__file__).parent / "contract_samples" / "broken_partners.py"
COMPLAINTS = {
    ("Eager", "building_one_sends_nothing"): "Eager: __init__ sends something",
    ("Closed", "building_one_sends_nothing"): r"Closed: it can't be built .*'cache'.*\*\*common",
    ("Lacking", "building_one_sends_nothing"): "AcmeAuth: set login_reply, rejection, expiry on TestLacking",
    ("Misread", "the_first_request"): "Misread: `login_reply` gave no token: .*KeyError",
    ("Misplaced", "the_first_request"): "Misplaced: the token is not in the request",
    ("Loyal", "the_token_stays_at_home"): "Loyal: a redirect takes the token to a foreign host",
    ("Deaf", "an_expiry_signal"): "Deaf: signals_expiry says no to `expiry`",
    ("Nervous", "a_good_reply"): "Nervous: signals_expiry takes a good reply for an expiry",
    ("Unmarked", "the_expiry_markers"): "Unmarked: no one of its expiry_markers stands in `expiry`",
    ("Stubborn", "refused_credentials"): "Stubborn: `rejection` is told as InvalidLoginResponse",
    ("Careless", "what_shapes_the_login"): "Careless: another password makes another login",
    ("Talkative", "no_secret_is_told"): "Talkative: argument password can be read in an error",
    ("Proud", "no_secret_is_told"): r"Proud: secrets\(\)\[0\] can be read in its repr",
    ("Chatty", "no_secret_is_told"): r"Chatty: secrets\(\)\[0\] can be read in the log",
    ("Locked", "a_copy_is_as_good"): "Locked: it can't be pickled or copied: TypeError",
    ("Hoarding", "a_copy_is_as_good"): "Hoarding: its pickle holds the token",
    ("Untyped", "from_the_environment"): "Untyped: from_env makes another account",
    ("Unready", "what_shapes_the_login"): "Unready: its login can't be begun: LookupError",
    ("Unready", "the_first_request"): "Unready: `login_reply` gave no token: LookupError: no vault today",
}


@pytest.fixture(scope="module")
def complaints() -> str:
    """What pytest says of all the broken classes, one line for each failed test."""
    chosen = " or ".join(f"(Test{name} and {test})" for name, test in {*COMPLAINTS, ("Good", "")})
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--show-capture=no", str(BROKEN),
         "-c", str(BROKEN.with_name("pytest.ini")), "-k", chosen.replace(" and )", ")")],
        cwd=BROKEN.parent, capture_output=True, encoding="utf-8", timeout=100, check=False,
    )  # fmt: skip
    return run.stdout + run.stderr


@pytest.mark.parametrize(("name", "test"), COMPLAINTS, ids=lambda part: part)
def test_each_broken_class_fails_the_test_that_says_so(complaints: str, name: str, test: str) -> None:
    """The test that is about it fails, with a message of one or two lines that names class and mistake."""
    failed = re.findall(rf"^_+ Test{name}\.test_(\w+) _+\n(.*?)(?=^_+ Test|^=+)", complaints, re.M | re.S)
    told = [said for title, said in failed if test in title]
    assert len(told) == 1, complaints
    assert re.search(COMPLAINTS[name, test], told[0], re.S)
    assert len(told[0].splitlines()) < 4
    assert "made-up word" not in told[0]


def test_what_is_wrong_never_fails_a_fixture(complaints: str) -> None:
    """No error, only failures, none of them of the good class; nothing was left out."""
    summary = re.findall(r"^(\d+) failed, (\d+) passed, \d+ deselected in ", complaints, re.M)
    tests = [name for name in dir(PartnerContract) if name.startswith("test_")]
    assert summary == [(str(len(COMPLAINTS)), str(len(tests)))], complaints
    assert "TestGood" not in complaints


class FormAuth(PartnerAuth):
    """Without account and secret, the session in the request itself, a signal in a 200."""

    partner = "own-form"
    placement = SessionFieldsPlacement("sid", {"site": "7"})
    expiry_markers = (b"session over",)

    def __init__(self, user: str, pin: str, *, base_url: str, **common: Any) -> None:
        super().__init__(base_url=base_url, **common)
        self.user, self.pin = user, pin

    def login_request(self) -> requests.Request:
        return requests.Request("POST", f"{self.base_url}/in", data={"user": self.user, "pin": self.pin})

    def parse_login(self, response: requests.Response) -> Token:
        reply = response.json()
        if reply["state"] != "in":
            raise LoginRejected(reply["state"])
        return Token.lasting(reply["sid"], reply["minutes"] * 60)

    def signals_expiry(self, response: requests.Response) -> bool:
        return response.content == b'{"state": "session over"}'

    def secrets(self) -> list[str]:
        return [self.pin]


class TestFormAuth(PartnerContract):
    auth_class = FormAuth
    arguments: ClassVar = {"user": "wile", "pin": "made-up word"}
    login_reply: ClassVar = {"state": "in", "sid": 'odd"\\&=+% token', "minutes": 30}
    rejection: ClassVar = {"state": "unknown user"}
    expiry: ClassVar = {"state": "session over"}


class NonceAuth(PartnerAuth):
    """A login of two steps, and a bare 401 for whatever is wrong."""

    partner = "own-nonce"
    placement = HeaderPlacement("Authorization", prefix="Bearer ")

    def __init__(self, username: str, password: str, *, base_url: str, **common: Any) -> None:
        super().__init__(base_url=base_url, **common)
        self.username = self.account = username
        self.secret = password

    def login_flow(self, previous: Token | None) -> Any:
        response = yield requests.Request("GET", f"{self.base_url}/nonce")
        body = {"nonce": response.json()["nonce"], "user": self.username, "word": self.secret}
        response = yield requests.Request("POST", f"{self.base_url}/login", json=body)
        if response.status_code == 401:
            raise LoginRejected("", code=401)
        return Token(response.json()[0])


class TestNonceAuth(PartnerContract):
    auth_class = NonceAuth
    arguments: ClassVar = {"username": "wile", "password": "made-up word"}
    login_reply: ClassVar = ["0123456789"]
    rejection: ClassVar = (401, None)
    expiry: ClassVar = (401, None)

    def earlier_step(self, call: Call) -> Any:
        return {"nonce": "5"} if call.path.endswith("/nonce") else None


def test_the_plugin_stays_light() -> None:
    """Loading the pytest plugin loads no contract; naming the contract does."""
    script = (
        "import sys, requests_partnerauth.testing as kit\n"
        "assert 'requests_partnerauth.testing.contract' not in sys.modules\n"
        "assert kit.PartnerContract.__module__ == 'requests_partnerauth.testing.contract'\n"
        "assert not hasattr(kit, 'Nothing')\n"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
