"""``partnerauth demo``: what it shows, and that it shows nothing that did not happen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from command import partnerauth
from conftest import AUTH_CLASSES

from requests_partnerauth import BexAuth
from requests_partnerauth.cli import demo
from requests_partnerauth.cli.screen import Screen
from requests_partnerauth.simulator import PartnerSimulator, Reply

STEPS = [
    "built: nothing is sent                  0 logins, 0 calls",
    "the first request logs in               1 login, 1 call, HTTP 200",
    "the second uses the same token          0 logins, 1 call, HTTP 200",
    "the token expires: one refresh, resent  1 login, 2 calls, refused, then HTTP 200",
    "it expires under 32 threads: one login  1 login, 32 x HTTP 200",
    "a wrong password, used twice: one try   1 refusal, 0 calls, LoginRejected, twice",
]


def test_demo() -> None:
    """Every step is shown at every partner, in lines of 100 columns and plain ASCII, and all is good."""
    done = partnerauth("demo", settings={"HTTP_PROXY": "http://127.0.0.1:1", "PYTHONIOENCODING": "ascii"})
    assert (done.stderr, done.returncode) == ("", 0)
    shown = re.findall(r"^ +\d+\.\d\d s  ok      (.*)$", done.stdout, re.MULTILINE)
    assert shown == STEPS * len(AUTH_CLASSES)
    assert [line.split()[0] for line in done.stdout.splitlines() if line.endswith("Auth")] == list(
        AUTH_CLASSES
    )
    assert re.search(r"^30 of 30 steps happened as shown, in \d+\.\d s$", done.stdout, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert done.stdout.isascii()
    for said in ("Invalid username or password.", "402: Bad Credential", "FPDR4002", "error description"):
        assert said in " ".join(done.stdout.split())


class Eager(BexAuth):
    """Logs in when it is built."""

    def __init__(self, *positional: Any, **arguments: Any) -> None:
        super().__init__(*positional, **arguments)
        try:
            self.token()
        except Exception:
            self.forget()


class Forgetful(BexAuth):
    """Logs in for each request."""

    def __call__(self, request: Any) -> Any:
        self.forget()
        return super().__call__(request)


class Blind(BexAuth):
    """Sees no expiry signal."""

    def signals_expiry(self, response: Any) -> bool:
        return False


class Stubborn(BexAuth):
    """Tries refused credentials again and again."""

    def __init__(self, *positional: Any, **arguments: Any) -> None:
        super().__init__(*positional, **arguments, rejection_cooldown=0)


class Talkative(BexAuth):
    """Has its secret in what it says."""

    def secrets(self) -> list[str]:
        return []

    def who(self) -> str:
        return f"{self.username} with {self.secret}"


def out_of_order(simulator: PartnerSimulator) -> None:
    simulator.bex.answer_logins(Reply.of_json({"ex": "Out of order."}))


def never_content(simulator: PartnerSimulator) -> None:
    simulator.bex.answer("/", Reply(401))


def never_expires(simulator: PartnerSimulator) -> None:
    simulator.bex.revoke = lambda: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("auth", "spoil", "first"),
    [
        (Eager, None, 0),
        (BexAuth, out_of_order, 1),
        (BexAuth, never_content, 1),
        (Forgetful, None, 2),
        (Blind, None, 3),
        (BexAuth, never_expires, 3),
        (Stubborn, None, 5),
        (Talkative, None, 5),
    ],
)
def test_broken_promise(
    monkeypatch: pytest.MonkeyPatch,
    simulator: PartnerSimulator,
    auth: type[BexAuth],
    spoil: Callable[[PartnerSimulator], None] | None,
    first: int,
) -> None:
    """What did not happen is shown as failed, beside what was expected, and the exit code is not 0."""
    monkeypatch.setitem(demo.AUTHS, "bex", auth)
    if spoil:
        spoil(simulator)
    out = io.StringIO()
    assert demo.show(simulator, Screen(out)) == 1
    marks = re.findall(r"^ +\d+\.\d\d s  (ok|FAILED) ", out.getvalue(), re.MULTILINE)
    assert marks.index("FAILED") == first
    assert marks[6:] == ["ok"] * 24
    assert f"{marks.count('ok')} of 30 steps happened as shown" in out.getvalue()
    assert f"expected: {STEPS[first].split('  ', 1)[1].strip()}" in out.getvalue()


def test_good_promises(simulator: PartnerSimulator) -> None:
    """The same show of untouched partners ends with 0."""
    assert demo.show(simulator, Screen(io.StringIO())) == 0
