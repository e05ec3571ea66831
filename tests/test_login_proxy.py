"""A proxy that can't be used: which one, and why, without the password in its URL."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path

import pytest
import requests
import trustme
import urllib3
from bex_login import bex
from command import partnerauth, settings_for
from recording_server import Answer, recording_server

from requests_partnerauth import LoginUnavailable

pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_down(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """It is told by its address, and not by the credentials that stand in its URL."""
    monkeypatch.setenv(f"{scheme}_proxy", "http://someone:pr0xy-pass@127.0.0.1:1")
    with pytest.raises(LoginUnavailable) as caught:
        bex(f"{scheme}://partner.test", allow_http=True).token()
    assert str(caught.value).endswith(
        ": the proxy could not be used (http://127.0.0.1:1: the connection was refused)"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "(http://127.0.0.1:PORT: Tunnel connection failed: 403 Said)"),
        (407, ": it wants credentials (HTTP 407)"),
    ],
)
def test_a_proxy_that_refuses_the_tunnel(monkeypatch: pytest.MonkeyPatch, status: int, words: str) -> None:
    """What it says to CONNECT is the reason."""
    with recording_server() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        proxy.answer = Answer(status)
        with pytest.raises(LoginUnavailable) as caught:
            bex("https://partner.test").token()
    told = re.sub(r"1:\d+", "1:PORT", str(caught.value)).partition("the proxy could not be used")[2]
    assert told.strip() == words


@pytest.mark.parametrize(
    "url", ["http://u:pr0xy-pass@:3128", "ftp://u:pr0xy-pass@127.0.0.1:1", "a b:pr0xy-pass"]
)
def test_a_proxy_whose_url_means_nothing(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """It is the proxy's URL that can't be read, not the partner's; it is not shown, and not tried again."""
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(LoginUnavailable) as caught:
        bex("https://partner.test").token()
    assert str(caught.value).endswith(": the proxy could not be used (its URL can't be read)")


@pytest.mark.parametrize("partner", ["http", "https"])
def test_a_proxy_that_speaks_plain_http(monkeypatch: pytest.MonkeyPatch, partner: str) -> None:
    """With https:// in its URL it is the proxy that is named for the failed TLS, without its password."""
    if partner == "http" and urllib3.__version__.startswith("2.0."):
        pytest.skip("urllib3 2.0 speaks no TLS to a proxy whose partner has none")
    with recording_server() as proxy:
        url = proxy.url.replace("http:", "https:")
        monkeypatch.setenv(f"{partner}_proxy", url.replace("//", "//someone:pr0xy-pass@"))
        with pytest.raises(LoginUnavailable) as caught:
            bex(f"{partner}://partner.test", allow_http=True).token()
    told = str(caught.value).partition("/api/service/login: ")[2]
    assert told.startswith(f"the proxy could not be used ({url}: no TLS connection could be made: ")
    assert told.endswith("): plain http on this port?")


def test_a_proxy_that_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is told as the proxy's, with what helps."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with recording_server(context) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(LoginUnavailable) as caught:
            bex("https://partner.test").token()
    told = str(caught.value).partition("/api/service/login: ")[2]
    assert told.startswith(f"the proxy could not be used ({proxy.url}: its TLS certificate is not trusted: ")
    assert told.endswith("; if you trust its CA, set REQUESTS_CA_BUNDLE to its file")


@pytest.mark.parametrize("sends_its_own_way", [False, True])
def test_a_bundle_that_is_not_there(monkeypatch: pytest.MonkeyPatch, sends_its_own_way: bool) -> None:
    """The file that REQUESTS_CA_BUNDLE names in vain is named, also where a session's `send` is its own."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with requests.Session() as lent:
        if sends_its_own_way:
            vars(lent)["send"] = lent.send
        with pytest.raises(
            LoginUnavailable, match=r"no TLS connection could be made \(.*: /nowhere/ca\.pem\)$"
        ):
            bex("https://127.0.0.1:1", login_session=lent).token()


def test_a_bundle_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file without certificates is asked about."""
    (tmp_path / "ca.pem").write_text("none\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with recording_server() as server, pytest.raises(LoginUnavailable) as caught:
        bex(server.url.replace("http:", "https:")).token()
    assert str(caught.value).endswith(": is the CA bundle a file of PEM certificates?")


def test_a_timeout_on_the_command_line() -> None:
    """Who waited for a command has no call with a timeout of its own, and is told of none."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = settings_for("bex", {"username": "u", "password": "p", "base_url": url})
        done = partnerauth("check", "bex", "--login-timeout", "0.2,0.2", settings=settings)
    assert re.search(
        r"no (whole )?answer within 0\.\d s; login_timeout bounds a login; check the", done.stderr
    )
    assert done.returncode == 3
