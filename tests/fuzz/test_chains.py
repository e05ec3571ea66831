"""Chains of redirects through home and abroad: no host but home's hears a secret."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth
from hypothesis import strategies as st
from placed import PlacedAuth
from recording_server import Answer, Heard, RecordingServer, recording_server
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from secrets_abroad import SPELLINGS, found, is_ours
from together import Background
from trying import Case, try_all

from requests_partnerauth import (
    CookiePlacement,
    HeaderPlacement,
    QueryPlacement,
    SessionFieldsPlacement,
)
from requests_partnerauth._http.frames import let_go
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedRpGateway

# The place of a call that does not belong to the chain: it is refused once.
ELSEWHERE = 8
GATEWAY = ("gate", "gate-pass+word")
PLACEMENTS: dict[str, Callable[[], Any]] = {
    "header": lambda: HeaderPlacement("X-Token", prefix="Token "),
    "cookie": lambda: CookiePlacement("JSESSIONID"),
    "query": lambda: QueryPlacement("access token"),
    "fields": lambda: SessionFieldsPlacement("sid", {"uid": "X1"}),
}
# What stands beside an auth whose token has a place of its own, before or behind it.
BESIDE: dict[str, Callable[[Any], Any]] = {
    "": lambda auth: auth,
    "+ basic": lambda auth: auth + HTTPBasicAuth("ann", "of-hers"),
    "basic +": lambda auth: HTTPBasicAuth("ann", "of-hers") + auth,
    "+ digest": lambda auth: auth + HTTPDigestAuth("ann", "of-hers"),
    "digest +": lambda auth: HTTPDigestAuth("ann", "of-hers") + auth,
}
CHALLENGE = {"WWW-Authenticate": 'Digest realm="home", nonce="n", qop="auth"'}
BODIES: dict[str, dict[str, Any]] = {
    "get": {"method": "GET"},
    "json": {"method": "POST", "json": {"op": "x", "n": 1.5}},
    "list": {"method": "POST", "json": [{"op": "x"}, {}]},
    "form": {"method": "POST", "data": {"op": "x"}},
    "bytes": {"method": "PUT", "data": b"\x00\x01"},
    "query": {"method": "GET", "params": {"a": "1", "sid": "mine"}},
}
# Four hops of 5 s each, and the logins between them.
WITHIN = 30.0
# <home> and <abroad> are host and port, <hp> and <ap> the ports, <base> is the path of base_url.
STARTS = [
    "http://", "HTTP://", "//", "http:", "http:/", "http:///", "https://", "http:\\\\", "/\\", "\\\\",
    "\t//", " http://", "ht\ttp://", "/\t/", "ftp://", "http:/\\", "/", "", "?", "#", "//@",
    "http://x:y@", "ü",
]  # fmt: skip
HOSTS = [
    "<home>", "<home>", "<abroad>", "<abroad>", "<abroad>", "localhost:<ap>", "localhost:<hp>",
    "LOCALHOST:<ap>", "127.0.0.1.:<ap>", "127.0.0.1.:<hp>", "2130706433:<ap>", "127.1:<hp>",
    "home.localhost:<hp>", "evil.example:<ap>", "[::ffff:127.0.0.1]:<ap>", "<home>@<abroad>",
    "<abroad>@<home>", "<home>\\@<abroad>", "<abroad>\\@<home>", "<home>#@<abroad>",
    "<home>%40<abroad>", "<home>%2f@<abroad>", "<home>/@<abroad>", "<home>?@<abroad>",
    "127.0.0.1\t:<ap>", "127.0.0.1%00:<ap>", "\uff11\uff12\uff17.0.0.1:<ap>", "127\u30020.0.1:<hp>",
    "<token:plain>.evil.example:<ap>", "<token:plain>@<abroad>", "x:<token:each>@<abroad>",
    "<token:entities>.evil.example:<ap>", "<home>", "0<home>", "<abroad>,<home>", "<home> @<abroad>",
]  # fmt: skip
TAILS = [
    "/hop/<n>", "<base>/hop/<n>", "<base>/hop/<n>", "/hop/<n>/../<n>", "\\hop/<n>", "?/hop/<n>",
    "/hop/<n>;x",
]  # fmt: skip
TOKEN_IN = [
    "", "", "?t=<token>", "?kept=1&t=<token>&u=2", "/<token>/x", "#<token>", "?<token>", "?t=a<token>b",
    "?back=%2Fx%3Fsid%3D<token>%26y", "?t=<token>&t=<token>", "?t=<token>#<token>", "?t=\t<token>",
    "/;<token>", "?a=<token>\t<token>",
]  # fmt: skip
PIECES = [*STARTS, *HOSTS, *TAILS, ".", "..", "%2f", "@", ":", "[", "]"]
LOCATIONS = st.one_of(
    st.builds(
        lambda start, host, tail, marked, spelling: (start + host + tail + marked).replace(
            "<token>", f"<token:{spelling}>"
        ),
        st.sampled_from([*STARTS, *["http://"] * 12]),
        st.sampled_from(HOSTS),
        st.sampled_from(TAILS),
        st.sampled_from(TOKEN_IN),
        st.sampled_from(sorted(SPELLINGS)),
    ),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
)
CHAINS = st.fixed_dictionaries(
    {
        "who": st.sampled_from([*sorted(AUTH_CLASSES), *sorted(PLACEMENTS)]),
        "beside": st.sampled_from(sorted(BESIDE)),
        "sent": st.sampled_from(sorted(BODIES)),
        "token": st.sampled_from(["made up+token/=%d=", "made-up-token%d", "MADE&up;%%2b\\u0041token%d"]),
        "locations": st.lists(LOCATIONS, min_size=1, max_size=3),
        "statuses": st.lists(st.sampled_from([301, 302, 303, 307, 308]), min_size=3, max_size=3),
        "refused": st.lists(st.integers(0, 3), max_size=2),
        "meanwhile": st.lists(st.integers(0, 3), max_size=1),
        "cookie": st.booleans(),
        "times": st.integers(1, 2),
    }
)


class World:
    """Home and abroad, for one case at a time, and what either has heard."""

    def __init__(self, stack: ExitStack) -> None:
        self.simulator = stack.enter_context(PartnerSimulator())
        self.placed: RecordingServer = stack.enter_context(recording_server())
        self.abroad: RecordingServer = stack.enter_context(recording_server())
        self.looked_up: list[str] = []
        self.abroad.answer = self._abroad
        self.placed.answer = self._placed

    def auth_of(self, case: Case) -> AuthBase:
        """Begin a case."""
        self.case = case
        self.looked_up.clear()
        self.abroad.heard.clear()
        self.placed.heard.clear()
        self.again()
        self.refreshes: list[tuple[Any, bool]] = []
        self.tokens: list[str] = []
        if case["who"] in PLACEMENTS:
            self.partner = None
            self.base_url = self.placed.url
            self.auth = PlacedAuth(self.base_url, PLACEMENTS[case["who"]](), rejection_cooldown=0.0)
            return BESIDE[case.get("beside", "")](self.auth)
        self.partner = partner = self.simulator.partners[case["who"]]
        self.base_url = partner.base_url
        partner.revoke()
        partner.calls.clear()
        partner.answer("/hop", self._simulated)
        self._change_token()
        if isinstance(partner, SimulatedRpGateway):
            partner.gateway_auth = GATEWAY
            self.auth = make_auth(partner, gateway_auth=GATEWAY)
        else:
            self.auth = make_auth(partner)
        return self.auth

    def again(self) -> None:
        """The same request is sent: refusals and refreshes happen anew."""
        self.refused: set[int] = set()
        self.refreshed: set[int] = set()

    @property
    def secrets(self) -> list[str]:
        """All that no foreign host may hear."""
        if self.partner is None:
            return [*self.tokens, "made-up-password"]
        known = self.partner.credentials
        pair = "{}:{}".format(*GATEWAY)
        named = [known[name] for name in ("password", "key", "iv") if name in known]
        return [*self.tokens, GATEWAY[1], pair, *named]

    def _change_token(self) -> str:
        token = self.case["token"] % (len(self.tokens) + 1)
        # One with a semicolon is no cookie: that is told before anything is sent.
        self.tokens.append(token.replace(";", ",") if self.case["who"] == "cookie" else token)
        if self.partner is not None:
            self.partner.revoke()
            self.partner.same_value = self.tokens[-1]
        return self.tokens[-1]

    def _refresh(self) -> None:
        """Another call of the account is refused, and gets a new token."""
        self.refused.discard(ELSEWHERE)
        before, url = self.tokens[-1], f"{self.base_url}/hop/{ELSEWHERE}"
        answer = Background(lambda: requests.get(url, auth=self.auth, timeout=5)).result()
        self.refreshes.append((getattr(answer, "status_code", answer), self.tokens[-1] != before))

    def _hop(self, number: int, host: str | None, text: str = "") -> tuple[int, str | None]:
        """Status and Location at a place of the chain; 401 once where the case wants a refusal there.

        A Location repeats the token that came with the request, or the newest where another call has got one
        meanwhile; without one, or under another name than home's, it can't.
        """
        if number in (*self.case["refused"], ELSEWHERE) and number not in self.refused:
            self.refused.add(number)
            return 401, None
        if number >= len(self.case["locations"]):
            return 200, None
        read = f"{text} {unquote_plus(text)}".replace("\\\\", "\\")
        came = [token for token in self.tokens if token in read] if (host or "").lower() in self.names else []
        if came and number in self.case["meanwhile"] and number not in self.refreshed:
            self.refreshed.add(number)
            self._refresh()
            came = self.tokens
        if "<token" in self.case["locations"][number] and not came:
            return 200, None
        return self.case["statuses"][number], self._location(number, came[-1] if came else "")

    @property
    def names(self) -> set[str]:
        """Home's host and port, as its own requests name them."""
        own = urlsplit(self.base_url).netloc
        return {own, own.replace("127.0.0.1", "127.0.0.1.")}

    def _location(self, number: int, token: str) -> str:
        home, abroad = urlsplit(self.base_url), urlsplit(self.abroad.url)
        said = self.case["locations"][number]
        for mark, text in (
            ("<home>", home.netloc), ("<hp>", str(home.port)), ("<base>", home.path),
            ("<abroad>", abroad.netloc), ("<ap>", str(abroad.port)), ("<n>", str(number + 1)),
        ):  # fmt: skip
            said = said.replace(mark, text)
        said = re.sub("<token:(.*?)>", lambda match: SPELLINGS[match[1]](token), said)
        return said.encode().decode("latin-1")

    def _simulated(self, call: Call) -> Reply | None:
        status, location = self._hop(_number_in(call.path), call.headers.get("Host"), text_of(call))
        if status == 401:
            self._change_token()
            assert self.partner is not None
            return self.partner.expiry_signals["status"]()
        if location is None:
            return Reply.of_json({})
        return Reply(status, {"Location": location, **self._cookie()})

    def _placed(self, heard: Heard) -> Answer:
        if heard.target == "/login":
            return Answer(200, {"Content-Type": "application/json"}, _json_of(self._change_token()))
        number = _number_in(heard.target)
        if (
            "digest" in self.case.get("beside", "")
            and number != ELSEWHERE
            and "Digest " not in (heard.header("Authorization") or "")
        ):
            return Answer(401, CHALLENGE)
        status, location = self._hop(number, heard.header("Host"), heard.text)
        return Answer(status, {} if location is None else {"Location": location, **self._cookie()})

    def _abroad(self, heard: Heard) -> Answer:
        status, location = self._hop(_number_in(heard.target), heard.header("Host"))
        return Answer(status, {} if location is None else {"Location": location}, b"{}")

    def _cookie(self) -> dict[str, str]:
        return {"Set-Cookie": "JSESSIONID=of-the-partner; Path=/"} if self.case["cookie"] else {}


def text_of(call: Call) -> str:
    """All that came with a call."""
    headers = "\n".join(f"{name}: {value}" for name, value in call.headers.items())
    return f"{call.url}\n{headers}\n{call.body.decode('latin-1')}"


def _json_of(token: str) -> bytes:
    return json.dumps({"token": token}).encode()


def _number_in(target: str) -> int:
    found = re.search(r"hop/(\d)", target)
    return int(found[1]) if found else 9


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Home and abroad; every name leads to this machine, and is noted."""
    look_up = socket.getaddrinfo
    with ExitStack() as stack:
        world = World(stack)

        def answer(host: Any, *args: Any, **more: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            world.looked_up.append(name)
            is_number = re.fullmatch(r"[0-9.x]+|.*:.*", name) is not None
            return look_up(name if is_number else "127.0.0.1", *args, **more)

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        yield world


def test_no_chain_takes_a_secret_abroad(world: World) -> None:
    """Three Locations in any spelling, before and after a resend: abroad hears no token and no credential."""
    # Promise: chains

    def holds(case: Case) -> None:
        auth = world.auth_of(case)
        raised: list[Exception] = []
        with requests.Session() as session:
            session.auth, session.trust_env = auth, False
            request = session.prepare_request(
                requests.Request(url=f"{world.base_url}/hop/0", **BODIES[case["sent"]])
            )
            for _ in range(case["times"]):
                world.again()
                started = monotonic()
                try:
                    session.send(request, timeout=5)
                except requests.RequestException as error:
                    let_go(error)
                except Exception as error:  # what requests makes of a Location that is none
                    raised.append(error)
                assert monotonic() - started < WITHIN
        assert not any(map(is_ours, raised)), raised
        for error in raised:
            let_go(error)
        assert set(world.refreshes) <= {(200, True)}
        heard = [request.text for request in world.abroad.heard]
        for text in (*heard, *world.looked_up):
            assert not found(text, world.secrets), text
        for text in at_home_for_others(world):
            assert not found(text, world.secrets), text

    try_all("chains", CHAINS, holds, share=0.4)


def at_home_for_others(world: World) -> list[str]:
    """Requests that came to home's port under the name of another host."""
    if world.partner is None:
        calls = [(heard.header("Host") or "", heard.text) for heard in world.placed.heard]
    else:
        calls = [(call.headers.get("Host", ""), text_of(call)) for call in world.partner.calls]
    return [text for host, text in calls if host.lower() not in world.names]
