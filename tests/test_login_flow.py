"""A login of several steps: one flow for all, begun anew after an outage, and told where it goes wrong."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from acme_steps import PASSWORD, Steps, StepsAuth, answer_of
from manual_clock import ManualClock
from recording_server import Answer, recording_server
from together import together

from requests_partnerauth import (
    ForeignOrigin,
    InvalidLoginResponse,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    Token,
)

pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def steps() -> Iterator[Steps]:
    with recording_server() as server:
        yield Steps(server)


@pytest.fixture
def auth(steps: Steps) -> StepsAuth:
    return StepsAuth(steps.server.url)


def once(answer: Answer) -> Any:
    """Answers the first request of all; the others are left to the partner."""
    answers = [answer]
    return lambda heard: answers.pop() if answers else None


def test_one_flow_for_all(steps: Steps, auth: StepsAuth) -> None:
    """32 threads that find no token have one conversation with the partner among them."""
    replies = together(32, lambda number: requests.get(f"{steps.server.url}/echo", auth=auth))
    assert [reply.status_code for reply in replies] == [200] * 32
    assert (steps.count("/nonce"), steps.count("/login")) == (1, 1)


@pytest.mark.parametrize("answer", [Answer(0), Answer(503)], ids=["hung-up", "503"])
def test_an_outage_in_the_first_step(steps: Steps, auth: StepsAuth, answer: Answer) -> None:
    """Who waits for the nonce gets LoginUnavailable, never a bare ConnectionError, after three tries."""
    steps.instead["/nonce"] = lambda _: answer
    errors = together(32, lambda number: requests.get(f"{steps.server.url}/echo", auth=auth))
    assert {type(error) for error in errors} == {LoginUnavailable}
    assert steps.count("/nonce") % 3 == 0
    assert steps.count("/login") == 0


@pytest.mark.parametrize("answer", [Answer(0), Answer(502), Answer(408)], ids=["hung-up", "502", "408"])
def test_an_outage_in_the_second_step(steps: Steps, auth: StepsAuth, answer: Answer) -> None:
    """The flow begins anew: another nonce is asked for, by a conversation that has no cookie yet."""
    steps.instead["/login"] = once(answer)
    assert auth.token().value == "TOKEN-2"
    assert (steps.count("/nonce"), steps.count("/login")) == (2, 2)
    assert steps.last("/nonce").header("Cookie") is None
    assert steps.last("/login").header("Cookie") == "step=cookie-2"


def test_a_flow_sees_every_answer(steps: Steps) -> None:
    """A redirect with its target and cookie, and a 409, come as they are; the next step has the cookies."""
    seen: list[Any] = []

    class Curious(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            for path in ("/moved", "/conflict", "/created"):
                response = yield requests.Request("GET", f"{self.base_url}{path}")
                seen.append((response.status_code, response.headers.get("Location"), response.text))
            return Token("TOKEN-FROM-A-REDIRECT", details={"cookies": response.request.headers.get("Cookie")})

    moved = Answer(302, {"Location": "https://elsewhere.example/a?b", "Set-Cookie": "first=1"}, b"moved")
    steps.instead = {
        "/moved": lambda _: moved,
        "/conflict": lambda _: Answer(409, {"Set-Cookie": "second=2"}, b"conflict"),
        "/created": lambda _: Answer(201, {"Location": "/sessions/1"}, b"created"),
    }
    token = Curious(steps.server.url).token()
    assert seen == [
        (302, "https://elsewhere.example/a?b", "moved"),
        (409, None, "conflict"),
        (201, "/sessions/1", "created"),
    ]
    assert sorted(token.details["cookies"].split("; ")) == ["first=1", "second=2"]


def test_the_lent_sessions_cookies_stay_at_home(steps: Steps) -> None:
    """A flow begins with an empty jar, and leaves the lent session's as it was."""
    with requests.Session() as session:
        session.cookies.set("mine", "mine")
        StepsAuth(steps.server.url, login_session=session).token()
        assert session.cookies.get_dict() == {"mine": "mine"}
    assert steps.last("/nonce").header("Cookie") is None
    assert steps.last("/login").header("Cookie") == "step=cookie-1"


@pytest.mark.parametrize("keeps", [True, False])
def test_cookies_that_stay_with_the_token(steps: Steps, keeps: bool) -> None:
    """`keep_login_cookies` makes the flow's cookies the token's; those that the class gave win."""

    class Giving(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            yield requests.Request("GET", f"{self.base_url}/node")
            return Token("TOKEN", cookies={"own": "of-the-class"})

    set_cookies = Answer(200, {"Set-Cookie": "own=of-the-partner", "set-cookie": "node=7"}, b"{}")
    steps.instead["/node"] = lambda _: set_cookies
    token = Giving(steps.server.url, keep_login_cookies=keeps).token()
    assert dict(token.cookies) == {"own": "of-the-class", **({"node": "7"} if keeps else {})}


def test_who_keeps_cookies_shares_no_token_with_who_does_not(steps: Steps) -> None:
    """Of two objects of one account, the one that wants the login's cookies gets a token that has them."""
    cache = MemoryTokenCache()
    StepsAuth(steps.server.url, cache=cache).token()
    keeping = StepsAuth(steps.server.url, cache=cache, keep_login_cookies=True)
    assert dict(keeping.token().cookies) == {"step": "cookie-2"}
    assert StepsAuth(steps.server.url, cache=cache, keep_login_cookies=True).token() is keeping.token()
    assert steps.count("/login") == 2


def test_a_short_cookie_leaves_the_host_readable(steps: Steps) -> None:
    """A cookie that is a digit of the address, or a letter of the path, hides neither in a message."""
    steps.instead["/nonce"] = lambda _: answer_of(200, {"nonce": "n"}, Set_Cookie="flag=1; Path=/")
    steps.instead["/login"] = lambda _: answer_of(400, {"no": "token"})
    with pytest.raises(InvalidLoginResponse, match=re.escape(f" at {steps.server.url}/login: ")):
        StepsAuth(steps.server.url).token()


def test_a_lifetime_counts_from_the_first_step(monkeypatch: pytest.MonkeyPatch, steps: Steps) -> None:
    """However long the steps take, a token is believed for its lifetime from when the login was begun."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    began = clock.wall()

    class Slow(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            yield requests.Request("GET", f"{self.base_url}/nonce")
            clock.advance(5)
            yield requests.Request("GET", f"{self.base_url}/other")
            clock.advance(5)
            return Token.lasting("TOKEN", 600)

    assert Slow(steps.server.url).token().expires_at == pytest.approx(began + 600)


class Broken(StepsAuth):
    """Goes wrong as `how` says, after the first answer where `late`."""

    how: str
    late: bool

    def login_flow(self, previous: Token | None) -> Any:
        if self.late:
            yield requests.Request("GET", f"{self.base_url}/odd")
        if self.how == "raises":
            raise KeyError("a secret value")
        if self.how == "yields wrongly":
            yield ("GET", "a secret value")
        if self.how == "returns wrongly":
            return "a secret value"
        if self.how == "finds nothing":
            next(name for name in ("a secret value",) if not name)
        if self.how == "makes a bad token":
            return Token("a secret\nvalue")
        return Token("TOKEN")


MISTAKES = {
    "raises": ("KeyError", r"KeyError in Broken\.login_flow, test_login_flow\.py, line \d+"),
    "yields wrongly": (
        "TypeError",
        r"login_flow: a requests\.Request is wanted, not tuple \(Broken\.login_flow, .*, line \d+\)",
    ),
    "finds nothing": ("RuntimeError", r"StopIteration in Broken\.login_flow, test_login_flow\.py, line \d+"),
    "returns wrongly": ("TypeError", r"login_flow: a Token is wanted, not str \(Broken\.login_flow\)"),
    "makes a bad token": (
        "ValueError",
        r"ValueError \(value: a token is printable ASCII.*\) in Broken\.login_f",
    ),
}


@pytest.mark.parametrize("how", MISTAKES)
def test_a_mistake_before_the_first_answer(steps: Steps, how: str) -> None:
    """What the class does wrong before the partner has said anything is its author's to see, as it is."""
    # Python itself gives the RuntimeError of a generator the StopIteration that it was.
    auth = Broken(steps.server.url)
    auth.how, auth.late = how, False
    with pytest.raises((KeyError, TypeError, ValueError, RuntimeError)) as caught:
        auth.token()
    assert type(caught.value).__name__ == MISTAKES[how][0]
    assert caught.value.__cause__ is caught.value.__context__
    assert (caught.value.__cause__ is None) == (how != "finds nothing")
    assert steps.server.heard == []


@pytest.mark.parametrize("status", [200, 401, 404, 418])
@pytest.mark.parametrize("how", MISTAKES)
def test_a_mistake_after_an_answer(
    steps: Steps, how: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A 401 or 403 refuses the login, all else is InvalidLoginResponse; type, class and line are told."""
    steps.instead["/odd"] = lambda _: Answer(status)
    auth = Broken(steps.server.url)
    auth.how, auth.late = how, True
    kind = LoginRejected if status == 401 else InvalidLoginResponse
    for _ in range(2):
        with pytest.raises(kind) as caught:
            auth.token()
        assert re.search(MISTAKES[how][1], str(caught.value))
        assert "a secret" not in f"{caught.value!r} {caplog.text}"
        assert caught.value.__cause__ is caught.value.__context__ is None
    assert steps.count("/odd") == (2 if status in (200, 404) else 1)
    warned = any(
        record.levelno == logging.WARNING and " in Broken." in record.message for record in caplog.records
    )
    assert warned == (how in ("raises", "makes a bad token", "finds nothing"))


def test_parse_login_gives_no_token(steps: Steps) -> None:
    """Nor does the default flow take a text for one: method and class are told."""

    class Bare(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            return PartnerAuth.login_flow(self, previous)

        def login_request(self) -> requests.Request:
            return requests.Request("GET", f"{self.base_url}/odd")

        def parse_login(self, response: requests.Response) -> Any:
            return "a secret value"

    why = r"TypeError \(parse_login: a Token is wanted, not str \(Bare\.parse_login\)\)"
    with pytest.raises(InvalidLoginResponse, match=why):
        Bare(steps.server.url).token()


def test_no_generator(steps: Steps) -> None:
    """A `login_flow` without a yield is told as such."""

    class Plain(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            return Token("TOKEN")

    with pytest.raises(TypeError, match=r"\Alogin_flow: a generator is wanted, not Token\Z"):
        Plain(steps.server.url).token()


def test_a_flow_is_closed(steps: Steps) -> None:
    """What a flow has in a `finally` is done after an outage, before it begins anew."""
    said: list[str] = []

    class Tidy(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            said.append("begun")
            try:
                return (yield from super().login_flow(previous))
            finally:
                said.append("closed")

    steps.instead["/login"] = once(Answer(500))
    Tidy(steps.server.url).token()
    assert said == ["begun", "closed", "begun", "closed"]


def test_what_a_flow_sent_is_a_secret(steps: Steps, auth: StepsAuth, records: list[Any]) -> None:
    """A partner that repeats nonce, password or cookie in its refusal gets none of them into a message."""
    steps.instead["/login"] = lambda heard: answer_of(
        200, {"error": f"unknown: {heard.body.decode()} {heard.header('Cookie')} for me at /nonce"}
    )
    with pytest.raises(LoginRejected) as caught:
        auth.token()
    logged = " ".join(record.getMessage() for record in records)
    for secret in (PASSWORD, steps.nonces[0], "cookie-1"):
        assert secret not in f"{caught.value} {caught.value.partner_message} {logged}"
    assert "for me at /nonce" in caught.value.partner_message


def test_a_failure_names_where(steps: Steps, auth: StepsAuth) -> None:
    """Origin and path of the step that failed stand in the message; its query does not."""
    steps.instead["/login"] = lambda _: answer_of(200, {})
    with pytest.raises(InvalidLoginResponse, match=f"'me' at {steps.server.url}/login: HTTP 200"):
        auth.token()
    with pytest.raises(
        LoginUnavailable, match=r"'me' at http://127\.0\.0\.1:9/nonce: the connection was refused"
    ):
        StepsAuth("http://127.0.0.1:9").token()


@pytest.mark.parametrize(
    "url", ["http://api.example/login", "https://login.example/login", "https://api.example:8443/"]
)
def test_a_login_elsewhere(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A step to an origin that is not the class's, plain http say, is ForeignOrigin; no name is looked up."""
    looked_up: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **_: looked_up.append(asked))

    class Elsewhere(StepsAuth):
        def login_request(self) -> requests.Request:
            return requests.Request("POST", url, json={"password": self.secret})

        login_flow = PartnerAuth.login_flow

    for _ in range(2):
        with pytest.raises(ForeignOrigin, match=r"origins=\Z"):
            Elsewhere("https://api.example").token()
    assert looked_up == []


def test_a_login_elsewhere_that_is_known(steps: Steps) -> None:
    """A login host that `origins` names is one to log in at."""

    class Known(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            yield requests.Request("GET", f"{steps.server.url}/nonce")
            return Token("TOKEN")

    assert Known("https://api.example", origins=[steps.server.url]).token().value == "TOKEN"


def test_the_arguments_are_named(steps: Steps) -> None:
    """A refusal in the partner's words says which arguments went into it; a bare 401 doubts base_url."""

    class Named(StepsAuth):
        _login_arguments = ("username", "password", "ain")

    steps.instead["/login"] = lambda _: answer_of(200, {"error": "no"})
    with pytest.raises(LoginRejected, match=r"check the credentials \(username, password, ain\);"):
        Named(steps.server.url).token()
    steps.instead["/login"] = lambda _: Answer(401)
    with pytest.raises(LoginRejected, match="check base_url, then the credentials"):
        Named(steps.server.url).token()


def test_progress_is_logged(steps: Steps, auth: StepsAuth, records: list[logging.LogRecord]) -> None:
    """Each step says at DEBUG what is tried, where, and within how many seconds."""
    auth.token()
    told = [record.getMessage() for record in records if record.levelno == logging.DEBUG]
    for line, (method, path) in zip(told, [("GET", "/nonce"), ("POST", "/login")], strict=True):
        assert re.fullmatch(rf"acme: {method} {steps.server.url}{path} for 'me', within 3\d\.\d s", line)


def test_an_unsendable_step(steps: Steps) -> None:
    """A header that can't be sent, made of what the partner said, is told by its kind alone."""

    class Unsendable(StepsAuth):
        def login_flow(self, previous: Token | None) -> Any:
            yield requests.Request("GET", f"{self.base_url}/nonce")
            yield requests.Request("GET", f"{self.base_url}/login", headers={"X-Nonce": "a\r\nsecret"})

    with pytest.raises(
        InvalidLoginResponse, match=r"can't be sent \(InvalidHeader; Unsendable\.login_flow"
    ) as caught:
        Unsendable(steps.server.url).token()
    assert "secret" not in str(caught.value)
