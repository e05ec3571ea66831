"""The token's origins are told from all others, as two parsers read them."""

from __future__ import annotations

import string
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from conftest import make_auth
from hypothesis import assume, example, given
from hypothesis import strategies as st
from profiles import examples
from recording_server import RecordingServer, recording_server
from urllib3.util import parse_url

from requests_partnerauth import BexAuth, ForeignOrigin, MemoryTokenCache
from requests_partnerauth._http.origins import Origins
from requests_partnerauth.simulator import SimulatedPartner

BASE = "https://api.bex.co.za"
HOME = Origins(BASE, (), allow_http=False)


@pytest.fixture
def foreign() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


@pytest.mark.parametrize(
    "url",
    [
        "https://api.bex.co.za",
        "https://api.bex.co.za/",
        "https://api.bex.co.za?x=1",
        "https://api.bex.co.za#top",
        "https://api.bex.co.za:443/api",
        "https://api.bex.co.za:/api",
        "HTTPS://API.BEX.CO.ZA/api",
        "https://api.bex.co.za./api",
        "https://someone:secret@api.bex.co.za/api",
        "https://api.bex.co.za/@evil.example/",
        "https://api.bex.co.za/?next=https://evil.example/",
    ],
)
def test_every_spelling_of_home_is_home(url: str) -> None:
    """Case, default port, a trailing dot and user info change nothing about where a URL leads."""
    assert HOME.include(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/api",
        "//api.bex.co.za/api",
        "api.bex.co.za/api",
        "http://api.bex.co.za/api",
        "http://api.bex.co.za:443/api",
        "https://api.bex.co.za:444/api",
        "https://api.bex.co.za:0/api",
        "https://api.bex.co.za:80/api",
        "https://api.bex.co.za:99999/api",
        "https://api.bex.co.za:+443/api",
        "https://api.bex.co.za:443.evil.example/",
        "https://api.bex.co.za@evil.example/",
        "https://api.bex.co.za:443@evil.example/",
        "https://api.bex.co.za%40evil.example/",
        "https://api.bex.co.za.evil.example/",
        "https://api.bex.co.zaevil.example/",
        "https://api.bex.co.za../api",
        "https://evil.example/api.bex.co.za/",
        "https://evil.example#@api.bex.co.za/",
        "https://evil.example?@api.bex.co.za/",
        "https://evil.example\\@api.bex.co.za/",
        "https://evil.example/\\@api.bex.co.za/",
        "https://api.bex.co.za\\.evil.example/",
        "https:\\\\api.bex.co.za\\api",
        "https:api.bex.co.za/api",
        "https:/api.bex.co.za/api",
        "https:///api.bex.co.za/api",
        "ht\ttps://api.bex.co.za/api",
        "https://api.bex\n.co.za/api",
        "https://api.bex.co.za\t.evil.example/",
        "https://api.bex.co.za\x00.evil.example/",
        "https://api%2Ebex.co.za/api",
        "https://api.bex.co.za\\\x80/",
        "https://api.bex.co.za\\ü.evil.example/",
        "https://ü@api.bex.co.za\\ü.evil.example/",
        "https://[api.bex.co.za]/api",
        "https://[::1]/api",
        "ftp://api.bex.co.za/api",
        "file://api.bex.co.za/api",
        "https+unix://api.bex.co.za/api",
        "javascript://api.bex.co.za/%0aalert(1)",
    ],
)
def test_what_only_looks_like_home_is_foreign(url: str) -> None:
    """Other schemes, ports and hosts, user info, lookalikes and what parsers read differently are foreign."""
    assert not HOME.include(url)


@pytest.mark.parametrize(
    ("base_url", "same", "other"),
    [
        ("https://[::1]:8443/v1", "https://[::1]:8443/v2", "https://[::2]:8443/v1"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]:443/", "https://[2001:db8::1]:444/"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example/", "https://munchen.example/"),
        ("https://xn--mnchen-3ya.example", "https://münchen.example/", "https://xn--mnchen.example/"),
        ("https://10.0.0.1", "https://10.0.0.1:443/", "https://10.0.0.10/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x", "http://127.0.0.1:80800/x"),
        ("https://API.Example.:443/v1/", "https://api.example/v1", "https://api.example:8443/v1"),
    ],
)
def test_ipv6_idna_and_ports_are_compared(base_url: str, same: str, other: str) -> None:
    """Addresses in brackets, names beyond ASCII and ports that are written out have one origin each."""
    origins = Origins(base_url, (), allow_http=False)
    assert origins.include(same)
    assert not origins.include(other)


HOSTS = [
    "api.bex.co.za",
    "API.bex.co.za",
    "api.bex.co.za.",
    "evil.example",
    "api.bex.co.za.evil.example",
    "[::1]",
]
JUNK = st.text(alphabet="@:/\\?#.%[] \t\n\r\0 25ae。ü-_&;" + string.digits, max_size=4)
PIECES = st.sampled_from(
    [
        *HOSTS,
        "https",
        "http",
        "HTTPS",
        "://",
        "//",
        ":",
        "/",
        "@",
        "\\",
        "?",
        "#",
        ":443",
        ":80",
        ":0443",
        ":0",
        ":",
    ]
)
URLS = st.one_of(
    st.lists(st.one_of(PIECES, JUNK), max_size=10).map("".join),
    st.tuples(
        st.sampled_from(["https://", "http://", "HTTPS://", "https:", "//", "ht\ttps://", " https://"]),
        JUNK,
        st.sampled_from(["", "@", "\\", "@@", ":x@"]),
        st.sampled_from(HOSTS),
        JUNK,
        st.sampled_from(["", ":443", ":80", ":", ":0", ":4433", ":00443", ":٤٤٣"]),
        st.sampled_from(["", "/", "?", "#", "\\", "/x", "@evil.example/"]),
        JUNK,
    ).map("".join),
    st.text(max_size=30).map(lambda rest: BASE + rest),
    st.text(max_size=30),
)


def oracle(url: str) -> bool:
    """Whether requests would connect to the base URL's host, however it reads the URL; in doubt, no."""
    readings = []
    try:
        read = urlsplit(url)
        readings.append((read.scheme, read.hostname, read.port))
        other = parse_url(url)
        readings.append((other.scheme, other.host, other.port))
    except ValueError:  # urllib3's errors are such as well
        return False
    return all(
        scheme == "https"
        and (host or "").lower() in ("api.bex.co.za", "api.bex.co.za.")
        and port in (None, 443)
        for scheme, host, port in readings
    )


@examples(3_000)
@given(URLS)
@example("https://api.bex.co.za:0443/")
@example("https://api.bex.co.za:443")
@example("https://api.bex.co.za\\@evil.example/")
def test_the_check_agrees_with_an_oracle(url: str) -> None:
    """For any text, the check says home exactly where both parsers that requests uses say so."""
    # Promise: two-readings
    assert HOME.include(url) == oracle(url)


@examples(1_000)
@given(URLS)
def test_what_requests_prepares_is_judged_as_it_is_sent(url: str) -> None:
    """For any URL that requests accepts, a token is placed only where the adapter would connect to home."""
    try:
        request = requests.Request("GET", url).prepare()
        connects_to = requests.adapters.HTTPAdapter().build_connection_pool_key_attributes(request, True)[0]
    except (requests.RequestException, ValueError):
        assume(False)
    auth = BexAuth("user", "a password", cache=MemoryTokenCache())
    auth.preset("TOKEN-OF-HOME")
    try:
        auth(request)
    except ForeignOrigin:
        assert "token" not in request.headers
    else:
        scheme, host, port = (connects_to[name] for name in ("scheme", "host", "port"))
        assert (scheme, host.lower().rstrip("."), port or 443) == ("https", "api.bex.co.za", 443)


@examples(500)
@given(st.text(max_size=40))
def test_any_base_url_is_taken_or_refused_by_name(base_url: str) -> None:
    """A base URL is either good, and then home to itself, or a ValueError that names the argument alone."""
    message = ""
    try:
        origins = Origins(base_url, (), allow_http=True)
    except ValueError as error:
        message = str(error)
    assert message.startswith("base_url: ") or origins.include(base_url)


def test_a_direct_request_abroad_sends_nothing_at_all(
    partner: SimulatedPartner, session: requests.Session, foreign: RecordingServer
) -> None:
    """ForeignOrigin comes before a login happens and before a byte is sent; it names the origin alone."""
    # Promise: direct-abroad
    session.auth = make_auth(partner)
    with pytest.raises(ForeignOrigin) as caught:
        session.post(f"{foreign.url}/hidden-path?hidden=query#hidden", data={"hidden": "field"})
    assert foreign.heard == []
    assert partner.login_attempts == 0
    assert foreign.url in str(caught.value)
    assert "origins=" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert caught.value.request is None


def test_user_info_of_a_foreign_url_stays_out_of_the_message() -> None:
    """A password inside a foreign URL, or a URL without any origin, is not repeated."""
    auth = BexAuth("user", "a password", cache=MemoryTokenCache())
    for url in ("https://u:hidden@evil.example/", "https://hidden\\@api.bex.co.za/", "mailto:hidden@x"):
        request = requests.PreparedRequest()
        request.url, request.hooks = url, {"response": []}
        with pytest.raises(ForeignOrigin) as caught:
            auth(request)
        assert "hidden" not in str(caught.value)


def test_further_origins_see_the_token(
    partner: SimulatedPartner, session: requests.Session, foreign: RecordingServer
) -> None:
    """An origin that origins= names gets the token, with whatever path."""
    session.auth = make_auth(partner, origins=[foreign.url])
    session.get(f"{foreign.url}/anything")
    assert partner.logins == 1
    assert partner.issued[0] in foreign.everything


@pytest.mark.parametrize("tail", ["", ":443", ".", ":443."])
@pytest.mark.parametrize(
    "more", ["e", "evil.example/", "0", "@evil.example/", "\\.evil.example/", "%2f.evil.example/"]
)
def test_no_longer_host_passes_the_fast_check(tail: str, more: str) -> None:
    """A URL that merely begins with an origin's text, and goes on where the host should end, is foreign."""
    assert not HOME.include(BASE + tail + more)
