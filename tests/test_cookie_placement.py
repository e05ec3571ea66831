"""A token that is a cookie, and cookies that go along with a token: beside all others, and never abroad."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count

import pytest
import requests
from leak_check import everything_in, of_logs
from placed import Home, PlacedAuth, cookies_of, home
from recording_server import Answer, Heard, RecordingServer, recording_server
from requests.cookies import RequestsCookieJar, create_cookie
from together import Background

from requests_partnerauth import (
    CookiePlacement,
    HeaderPlacement,
    InvalidLoginResponse,
    MemoryTokenCache,
    Placement,
    SessionFieldsPlacement,
    Token,
)
from requests_partnerauth._placement.cookies import WithCookies

NAME = "JSESSIONID"


@pytest.fixture
def partner() -> Iterator[Home]:
    with home() as partner:
        yield partner


@pytest.fixture
def foreign() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


@pytest.fixture
def auth(partner: Home, session: requests.Session) -> PlacedAuth:
    """The session's auth, with a token in hand."""
    session.auth = auth = PlacedAuth(partner.url, CookiePlacement(NAME))
    auth.token()
    return auth


def test_the_sessions_cookies_stay(partner: Home, session: requests.Session, auth: PlacedAuth) -> None:
    """Cookies of the session and of the one request go along, on the first sending and on the resend."""
    session.cookies.set("tenant", "42")
    for _ in range(2):
        session.get(f"{partner.url}/x", cookies={"lang": "de"})
        assert sorted(cookies_of(partner.calls[-1])) == sorted(
            [f"{NAME}={auth.token().value}", "tenant=42", "lang=de"]
        )
        partner.revoke()
    assert session.cookies.get_dict() == {"tenant": "42"}


@pytest.mark.parametrize(
    "written", ["a=1; b=2", b"a=1; b=2", f"a=1; {NAME}=mine; b=2", f"{NAME}=mine;a=1;b=2"]
)
def test_a_cookie_header_written_by_hand_stays(
    partner: Home, session: requests.Session, auth: PlacedAuth, written: str | bytes
) -> None:
    """It goes instead of the jar's cookies, as requests has it, and keeps all but the token's own name."""
    session.cookies.set("tenant", "42")
    for _ in range(2):
        session.get(f"{partner.url}/x", headers={"Cookie": written})
        assert cookies_of(partner.calls[-1]) == ["a=1", "b=2", f"{NAME}={auth.token().value}"]
        partner.revoke()


@pytest.mark.parametrize("status", [302, 307])
def test_of_two_cookies_of_one_name_the_tokens_goes(
    partner: Home, session: requests.Session, auth: PlacedAuth, status: int
) -> None:
    """Once, also on the redirect, though the session and the redirect itself set another of its name."""
    session.cookies.set(NAME, "of-the-session", domain="127.0.0.1", path="/x")
    session.get(f"{partner.url}/x", params={"to": "/x/y", "status": status, "set": f"{NAME}=of-the-answer"})

    assert [cookies_of(call) for call in partner.calls] == [[f"{NAME}={auth.token().value}"]] * 2


@pytest.mark.parametrize("is_refreshed", [False, True], ids=["at-once", "after-a-refresh"])
def test_a_redirect_at_home_keeps_every_cookie(
    partner: Home, session: requests.Session, auth: PlacedAuth, is_refreshed: bool
) -> None:
    """The token's present cookie, the session's and the redirect's own arrive without another resend."""
    session.cookies.set("tenant", "42")
    if is_refreshed:
        partner.revoke()
    session.get(f"{partner.url}/x", params={"to": "/there", "set": "seen=1"})

    assert len(partner.calls) == (3 if is_refreshed else 2)
    assert sorted(cookies_of(partner.calls[-1])) == sorted(
        ["tenant=42", "seen=1", f"{NAME}={auth.token().value}"]
    )


@pytest.mark.parametrize("way", ["in the session", "by the redirect"])
def test_a_cookie_of_its_name_stays_home_too(
    partner: Home, foreign: RecordingServer, session: requests.Session, auth: PlacedAuth, way: str
) -> None:
    """A partner that sends the token back as a cookie does not send it to another port of its host."""
    params = {"to": f"{foreign.url}/taken"}
    if way == "in the session":
        session.cookies.set(NAME, auth.token().value, domain="127.0.0.1")
    else:
        params["set"] = f"{NAME}={auth.token().value}; Path=/"
    session.cookies.set("tenant", "42")
    session.get(f"{partner.url}/x", params=params)

    (heard,) = foreign.heard
    assert cookies_of(heard) == ["tenant=42"]


def test_a_jar_that_others_hold_is_left_alone(
    partner: Home, auth: PlacedAuth, session: requests.Session
) -> None:
    """A jar handed over by the user, of any kind, has the same cookies afterwards."""
    plain = CookieJar()
    plain.set_cookie(create_cookie("a", "1"))
    for jar in (plain, RequestsCookieJar()):
        before = list(jar)
        prepared = requests.Request("GET", f"{partner.url}/x", cookies=jar, auth=auth).prepare()
        assert session.send(prepared).status_code == 200
        assert list(jar) == before


def test_a_jar_that_lets_nothing_out_does_not_hold_the_token(
    partner: Home, auth: PlacedAuth, session: requests.Session
) -> None:
    """A cookie policy is about cookies that come and go by themselves: the token goes."""
    jar = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    prepared = requests.Request("GET", f"{partner.url}/x", cookies=jar, auth=auth).prepare()
    session.send(prepared)
    assert cookies_of(partner.calls[-1]) == [f"{NAME}={auth.token().value}"]


@pytest.mark.parametrize("value", ['"quoted"', '"q\\"r"', "a b", "a,b", "==", "%3B"])
def test_a_value_goes_out_as_it_is(partner: Home, session: requests.Session, value: str) -> None:
    """Quotes, blanks and commas in a token are no business of a cookie jar's, on a redirect neither."""
    session.auth = auth = PlacedAuth(partner.url, CookiePlacement(NAME))
    auth.preset(value)
    partner.live = value
    session.get(f"{partner.url}/x", params={"to": "/there"})
    assert [cookies_of(call) for call in partner.calls] == [[f"{NAME}={value}"]] * 2


@pytest.mark.parametrize("cookies", [{}, {"node": "n1"}], ids=["alone", "beside-another"])
def test_a_login_that_grants_no_cookie(
    partner: Home, session: requests.Session, records: list[logging.LogRecord], cookies: dict[str, str]
) -> None:
    """A semicolon in a token that is a cookie is an invalid login, of a refresh too; it is quoted nowhere."""

    class Giving(PlacedAuth):
        granted = "a;b-made-up"

        def refresh_request(self, token: Token) -> requests.Request | None:
            return requests.Request("POST", f"{self.base_url}/refresh")

        def parse_login(self, response: requests.Response) -> Token:
            value = "a;b-made-up" if response.url.endswith("/refresh") else self.granted
            return Token(value, refresh_token="again", cookies=cookies)

    auth = session.auth = Giving(partner.url, CookiePlacement(NAME))
    for ask in (auth.token, lambda: session.get(f"{partner.url}/x")):
        with pytest.raises(InvalidLoginResponse, match="no CookiePlacement can carry its token") as caught:
            ask()
        told = "\n".join([everything_in(caught.value), of_logs(records)])
        assert "made-up" not in told
    assert [heard.target for heard in partner.server.heard] == ["/login"] * 2

    partner.server.answer = Answer(200)
    auth.granted = "fine"
    assert session.get(f"{partner.url}/x").status_code == 200
    partner.server.heard.clear()
    partner.server.answer = lambda heard: Answer(401 if "fine" in (heard.header("Cookie") or "") else 200)
    auth.granted = "better"
    assert session.get(f"{partner.url}/x").status_code == 200
    assert [heard.target for heard in partner.server.heard] == ["/x", "/refresh", "/login", "/x"]


def test_a_preset_token_that_is_no_cookie(partner: Home) -> None:
    """It is an error at once, by the argument's name and without the value; nothing is kept."""
    auth = PlacedAuth(partner.url, CookiePlacement(NAME))
    with pytest.raises(ValueError, match=r"^value: no CookiePlacement can carry this token$"):
        auth.preset("a;b")
    assert auth.token().value == partner.live
    header = PlacedAuth(partner.url, HeaderPlacement("X-Token"))
    header.preset("a;b")
    assert header.token().value == "a;b"


@pytest.mark.parametrize("cookies", [{}, {"node": "n1"}], ids=["alone", "beside-another"])
def test_a_kept_token_that_is_no_cookie(
    partner: Home, session: requests.Session, cookies: dict[str, str]
) -> None:
    """What another auth of the account got for a header is no ValueError out of a call; forget() drops it."""

    class Giving(PlacedAuth):
        def parse_login(self, response: requests.Response) -> Token:
            return Token("made-up;token", cookies=cookies)

    cache = MemoryTokenCache()
    Giving(partner.url, HeaderPlacement("X-Token"), cache=cache).token()
    partner.server.heard.clear()
    session.auth = auth = PlacedAuth(partner.url, CookiePlacement(NAME), cache=cache)
    with pytest.raises(InvalidLoginResponse, match="no CookiePlacement can carry the token") as caught:
        session.get(f"{partner.url}/x")
    assert "made-up" not in everything_in(caught.value)
    assert partner.server.heard == []
    auth.forget()
    assert session.get(f"{partner.url}/x").status_code == 200


@pytest.mark.parametrize("set_cookie", ["a b=secret-node", "node=secret-\x01node", "node=secret-\x9fnode"])
def test_a_login_cookie_that_no_header_carries(partner: Home, set_cookie: str) -> None:
    """Kept with the token it would be part of each request: it is an invalid login, and quoted nowhere."""
    said = {"Content-Type": "application/json", "Set-Cookie": set_cookie}
    partner.server.answer = Answer(200, said, b'{"token": "T"}')
    auth = PlacedAuth(partner.url, HeaderPlacement("X-Token"), keep_login_cookies=True)
    why = "no Cookie header can carry the cookies that it set"
    with pytest.raises(InvalidLoginResponse, match=why) as caught:
        auth.token()
    assert "secret-" not in everything_in(caught.value)
    assert PlacedAuth(partner.url, HeaderPlacement("X-Token")).token().value == "T"


def test_login_cookies_that_are_too_long_to_keep(partner: Home) -> None:
    """More than a token may have in all: it is an invalid login where they are kept, and a good one else."""
    value = "secret-" * 2_400
    said = {"Content-Type": "application/json", "Set-Cookie": f"node={value}"}
    partner.server.answer = Answer(200, said, b'{"token": "T"}')
    auth = PlacedAuth(partner.url, HeaderPlacement("X-Token"), keep_login_cookies=True)
    with pytest.raises(InvalidLoginResponse, match="no Cookie header can carry the cookies") as caught:
        auth.token()
    assert "secret-" not in everything_in(caught.value)
    assert PlacedAuth(partner.url, HeaderPlacement("X-Token")).token().value == "T"


@pytest.mark.parametrize(
    "placement",
    [
        HeaderPlacement("X-Token"),
        CookiePlacement(NAME),
        CookiePlacement("node"),
        SessionFieldsPlacement("sid"),
    ],
    ids=["header", "cookie", "cookie-of-that-name", "fields"],
)
def test_cookies_go_along_with_a_token(
    partner: Home, foreign: RecordingServer, session: requests.Session, placement: Placement
) -> None:
    """Beside any placement: there at home, also redirected, gone abroad, and the token wins its own name."""
    session.cookies.set("tenant", "42")
    session.auth = auth = PlacedAuth(partner.url, WithCookies(placement, {"node": "n1", "shard": "s1"}))
    token = auth.token().value
    session.get(f"{partner.url}/x", params={"to": "/there"})
    session.get(f"{partner.url}/x", params={"to": f"{foreign.url}/taken"})

    node = (
        f"node={token}" if isinstance(placement, CookiePlacement) and placement.name == "node" else "node=n1"
    )
    first, redirected = partner.calls[:2]
    assert {node, "shard=s1", "tenant=42"} <= set(cookies_of(first))
    assert {node, "shard=s1", "tenant=42"} <= set(cookies_of(redirected))
    assert cookies_of(foreign.heard[-1]) == ["tenant=42"]
    assert token not in foreign.everything


def test_a_location_that_repeats_a_cookie_that_came_meanwhile(
    partner: Home, foreign: RecordingServer, session: requests.Session
) -> None:
    """The cookies of a token that another thread got while the request was on its way stay at home too."""

    class Giving(PlacedAuth):
        def parse_login(self, response: requests.Response) -> Token:
            return Token("TOKEN", cookies={"node": f"secret-node-{next(numbers)}"})

    def answer(heard: Heard) -> Answer:
        if heard.target != "/x":
            return Answer()
        auth.forget()
        (node,) = Background(auth.token).result().cookies.values()
        return Answer(302, {"Location": f"{foreign.url}/taken?kept=1&node={node}"})

    numbers = count(1)
    partner.server.answer = answer
    session.auth = auth = Giving(partner.url, HeaderPlacement("X-Token"))
    session.get(f"{partner.url}/x")
    assert [heard.target for heard in foreign.heard] == ["/taken?kept=1"]


def test_cookies_that_go_along_are_undone_and_hidden() -> None:
    """What `place` did is undone; neither the placement nor its mark shows a value."""
    # Promise: cookies-abroad
    placement = WithCookies(CookiePlacement(NAME), {"node": "secret-node"})
    request = requests.Request("GET", "http://partner.example/", cookies={"a": "1"}).prepare()
    mark = placement.place(request, "secret-token")
    assert "secret" not in repr(placement) + repr(mark)
    assert request.headers["Cookie"] == f"a=1; node=secret-node; {NAME}=secret-token"
    placement.remove(request, mark)
    assert request.headers["Cookie"] == "a=1"
    placement.place(request, "secret-token")
    placement.remove(request, None)
    assert request.headers["Cookie"] == "a=1"
    assert [cookie.name for cookie in request._cookies or ()] == ["a"]


def test_a_pickled_request_keeps_its_cookies(
    partner: Home, session: requests.Session, auth: PlacedAuth
) -> None:
    """Its jar comes out as it went in, and still lets no other cookie into the token's place."""
    prepared = requests.Request("GET", f"{partner.url}/x", cookies={"a": "1"}, auth=auth).prepare()
    unpickled = pickle.loads(pickle.dumps(prepared))
    jar = unpickled._cookies
    assert {cookie.name for cookie in jar} == {"a", NAME}
    jar.set(NAME, "another", domain="127.0.0.1")
    assert {cookie.value for cookie in jar.copy()} == {"1", auth.token().value}
