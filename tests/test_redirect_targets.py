"""For any Location: what is judged is what is requested, and takes no token along."""

from __future__ import annotations

import io
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
import requests
import trustme
from hypothesis import example, given
from hypothesis import strategies as st
from profiles import examples
from recording_server import Answer, recording_server
from requests.adapters import BaseAdapter, HTTPAdapter

from requests_partnerauth import BexAuth, MemoryTokenCache, RpGatewayAuth
from requests_partnerauth._http.origins import Origins
from requests_partnerauth._http.redirects import redirect_target

STATUSES = [301, 302, 303, 307, 308]


class Recorder(BaseAdapter):
    """Answers home's first request with a redirect and all others with 200; remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.location = ""
        self.status = 307
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        self.sent.append(request.copy())
        response = requests.Response()
        response.request, response.url = request, request.url or ""
        response.status_code, response._content = 200, b"{}"
        response.raw, response.connection = io.BytesIO(), self
        if len(self.sent) == 1:
            response.status_code, response.headers["location"] = self.status, self.location
        return response

    def close(self) -> None:
        pass


def test_a_host_name_made_of_the_token_is_not_looked_up(session: requests.Session) -> None:
    """Where the token is in the host name itself, it is gone from there before any resolver sees it."""
    # Promise: host-name
    adapter = Recorder()
    session.mount("https://", adapter)
    auth = session.auth = BexAuth(
        "user", "a password", base_url="https://home.example", cache=MemoryTokenCache()
    )
    auth.preset("tokenofhome")
    adapter.location = "https://tokenofhome.evil.example/x"
    session.get("https://home.example/go")
    assert all("tokenofhome" not in (request.url or "") for request in adapter.sent)


TOKEN = "TOKEN of +home/1"


@pytest.mark.parametrize("times", [0, 1, 2, 40])
@pytest.mark.parametrize("status", [302, 307])
def test_a_location_that_repeats_the_token(session: requests.Session, status: int, times: int) -> None:
    """However a Location spells the token, the foreign host hears of none, whatever it decodes."""
    each = "".join(f"%{byte:02x}" for byte in TOKEN.encode())
    for spelled in (quote(TOKEN, safe=""), quote_plus(TOKEN), each):
        for _ in range(times):
            spelled = quote(spelled, safe="")
        with recording_server() as home, recording_server() as foreign:
            auth = session.auth = BexAuth("u", "a password", base_url=home.url, cache=MemoryTokenCache())
            auth.preset(TOKEN)
            target = f"{foreign.url}/a/{spelled}/b?keep=1&t={spelled}&also=2#{spelled}"
            home.answer = Answer(status, {"Location": target})
            session.post(f"{home.url}/go", json={})
            (heard,) = foreign.heard
        text = heard.text
        for _ in range(times + 2):
            assert "TOKEN of" not in text
            text = unquote_plus(text)
        assert heard.target == "/a//b?keep=1&also=2"


@pytest.mark.parametrize("spelled", ["/./", "/x/../", "/%2e/", "/x/%2E%2e/", "/.//../"])
def test_dot_segments_within_the_token(session: requests.Session, spelled: str) -> None:
    """urllib3 takes them out for a proxy, which would join the pieces of the token: that is not sent."""
    token = "made/up/token-of-home"
    with recording_server() as home, recording_server() as proxy:
        auth = session.auth = BexAuth("u", "a password", base_url=home.url, cache=MemoryTokenCache())
        auth.preset(token)
        session.proxies, session.trust_env = {"http://away.example": proxy.url}, False
        for target in ("/a/{}/b", "/{}?keep=1", "/?keep=1&t={}", "/b?t={}#{}", f"/{{}}/b?t={token}"):
            location = f"http://away.example{target.replace('{}', token.replace('/', spelled))}"
            home.answer = Answer(302, {"Location": location})
            session.get(f"{home.url}/go")
        home.answer = Answer(302, {"Location": "http://away.example/a/./b"})
        assert session.get(f"{home.url}/go").url == "http://away.example/a/./b"
    assert token not in proxy.everything
    assert proxy.heard[-1].target == "http://away.example/a/b"


HOME = Origins("https://home.example", (), allow_http=False)
PARTS = st.sampled_from(
    ["https:", "http:", "HTTPS:", "//", "/", "\\", "@", "home.example", "evil.example", ":443", ":80", ".",
     "..", "?", "#",
     "\t", " ", "%2f", "%40", "ü", "x", "[", "]", ":", "\x00", "\r", "ftp:", "data:,", "user:pw@"]
)  # fmt: skip
LOCATIONS = st.one_of(st.lists(PARTS, max_size=8).map("".join), st.text(max_size=20)).map(
    lambda location: location.encode("utf-8", "surrogatepass").decode("latin-1")
)


def leads_home(request: requests.PreparedRequest) -> bool:
    """Whether requests' own adapter would connect to home for this request."""
    try:
        to = HTTPAdapter().build_connection_pool_key_attributes(request, True)[0]
    except ValueError:
        return False
    host = (to["host"] or "").removesuffix(".")
    return (to["scheme"], host, to["port"] or 443) == ("https", "home.example", 443)


@examples(2_000)
@given(LOCATIONS, st.sampled_from(STATUSES))
@example("https:evil.example", 302)
@example("//evil.example/x", 302)
@example("/\\evil.example", 302)
@example("/\t/evil.example", 302)
@example("ht\ttps://evil.example", 302)
@example("https://home.example@evil.example", 302)
@example("https://home.example\\@evil.example", 302)
@example("\x80", 302)
@example("http:\\#", 301)
def test_no_location_takes_a_token_along(location: str, status: int) -> None:
    """For any Location, what requests then sends to anyone but home has no token anywhere."""
    for auth in (
        BexAuth("user", "a password", base_url="https://home.example", cache=MemoryTokenCache()),
        RpGatewayAuth("u", "a password", base_url="https://home.example", uid="U", cache=MemoryTokenCache()),
    ):
        auth.preset("TOKEN-OF-HOME")
        adapter = Recorder()
        adapter.location, adapter.status = location, status
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount("", adapter)
        session.auth = auth
        # What requests makes of a Location that is none.
        with suppress(requests.RequestException, UnicodeError, ValueError):
            session.post("https://home.example/a/b?c=d#e", json={})
        for request in adapter.sent:
            if not leads_home(request):
                carried = f"{request.url} {request.headers} {request.body!r}"
                assert "TOKEN-OF-HOME" not in carried


@examples(2_000)
@given(LOCATIONS)
def test_the_target_that_is_judged_is_the_one_requested(location: str) -> None:
    """What the library reads from a Location leads where requests' own reading of it leads."""
    request = requests.Request("GET", "https://home.example/a/b?c=d").prepare()
    response = requests.Response()
    response.request, response.url, response.status_code = request, request.url or "", 302
    response.headers["location"], response.raw = location, io.BytesIO()
    response._content = b""
    try:
        following = next(requests.Session().resolve_redirects(response, request, yield_requests=True), None)
    except (requests.RequestException, UnicodeError, ValueError):
        return
    judged = redirect_target(response)
    assert judged is not None
    if following is not None:  # an empty Location is followed by nobody
        assert HOME.include(judged) == HOME.include(following.url)
        assert judged.partition("#")[0] == following.url.partition("#")[0]


def test_https_to_http_is_foreign(session: requests.Session) -> None:
    """The same host over plain http gets no token."""
    # Promise: https-to-http
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with (
        recording_server() as foreign,
        recording_server(context) as home,
        authority.cert_pem.tempfile() as bundle,
    ):
        home.answer = Answer(307, {"Location": f"{foreign.url}/plain"})
        session.verify, session.trust_env = bundle, False
        auth = session.auth = BexAuth("user", "a password", base_url=home.url, cache=MemoryTokenCache())
        auth.preset("TOKEN-OF-HOME")
        session.post(f"{home.url}/go", json={})
        assert "TOKEN-OF-HOME" in home.everything
        assert [heard.target for heard in foreign.heard] == ["/plain"]
        assert "TOKEN-OF-HOME" not in foreign.everything
