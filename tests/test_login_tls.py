"""A login over TLS: whom it trusts, and what it shows of itself."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from bex_login import GRANTED, bex
from command import partnerauth, settings_for
from recording_server import RecordingServer, recording_server

from requests_partnerauth import LoginUnavailable

pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA) -> Iterator[str]:
    with authority.cert_pem.tempfile() as path:
        yield path


def tls_context(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[RecordingServer]:
    with recording_server(tls_context(authority)) as server:
        server.answer = GRANTED
        yield server


def test_an_unknown_authority_is_not_trusted(tls_server: RecordingServer) -> None:
    """Without its CA the server's certificate is refused before the password is sent, and not tried again."""
    # Promise: certificates
    with pytest.raises(LoginUnavailable, match=r"certificate is not trusted .*; .* set REQUESTS_CA_BUNDLE"):
        bex(tls_server.url).token()
    assert tls_server.heard == []


def test_an_unknown_authority_on_the_command_line(tls_server: RecordingServer) -> None:
    """What helps is said, and nothing of network and proxy."""
    settings = settings_for("bex", {"username": "u", "password": "p", "base_url": tls_server.url})
    done = partnerauth("check", "bex", settings=settings)
    assert f" at {tls_server.url}/api/service/login: " in done.stderr
    assert done.stderr.endswith("; if you trust its CA, set REQUESTS_CA_BUNDLE to its file\n")
    assert done.returncode == 3


def test_a_certificate_of_another_host(
    authority: trustme.CA, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the authority is trusted and the certificate bad, no other authority is asked for."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with (
        recording_server(tls_context(authority, "other.example")) as server,
        pytest.raises(LoginUnavailable, match="certificate is not trusted") as caught,
    ):
        bex(server.url).token()
    assert "REQUESTS_CA_BUNDLE" not in str(caught.value)


@pytest.mark.parametrize("how", ["verify", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_given_authority_is_trusted(
    tls_server: RecordingServer, bundle: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """With its CA, from the lent session's verify or the environment, the login goes through."""
    with requests.Session() as session:
        if how == "verify":
            session.verify = bundle
        else:
            monkeypatch.setenv(how, bundle)
        auth = bex(tls_server.url, login_session=session if how == "verify" else None)
        assert auth.token().value == "TOKEN-FROM-LOGIN"
    assert len(tls_server.heard) == 1


def test_the_api_sessions_own_verify_is_not_the_logins(tls_server: RecordingServer, bundle: str) -> None:
    """verify on the API session alone does not reach a login without a lent session: it fails closed."""
    with requests.Session() as session:
        session.verify = bundle
        session.auth = bex(tls_server.url)
        with pytest.raises(LoginUnavailable, match="certificate is not trusted"):
            session.get(f"{tls_server.url}/echo")
        session.auth = bex(tls_server.url, login_session=session)
        assert session.get(f"{tls_server.url}/echo").status_code == 200


def test_a_client_certificate_is_shown(authority: trustme.CA, bundle: str, tmp_path: Path) -> None:
    """A server that wants a client certificate gets the lent session's; without one there is no login."""
    context = tls_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    client = authority.issue_cert("client@partner.test")
    certificate = tmp_path / "client.pem"
    client.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with recording_server(context) as server, requests.Session() as session:
        server.answer = GRANTED
        session.verify = bundle
        with pytest.raises(LoginUnavailable, match=r"certificate required|eof occurred|the connection broke"):
            bex(server.url, login_session=session, login_timeout=(3, 3)).token()
        assert server.heard == []
        session.cert = str(certificate)
        assert bex(server.url, login_session=session).token().value == "TOKEN-FROM-LOGIN"


def test_https_on_a_port_that_speaks_http() -> None:
    """OpenSSL's reason is kept, with what it mostly means."""
    with recording_server() as server:
        url = server.url.replace("http://", "https://")
        with pytest.raises(LoginUnavailable, match=r"could be made \(.+\): plain http on this port\?"):
            bex(url).token()


@pytest.mark.parametrize("key", ["", "none\n"], ids=["in it", "beside it"])
def test_a_client_certificate_that_is_none(
    tls_server: RecordingServer, authority: trustme.CA, bundle: str, tmp_path: Path, key: str
) -> None:
    """A file without certificate or key is told as the client certificate's fault, not the CA bundle's."""
    certificate, beside = tmp_path / "client.pem", tmp_path / "client.key"
    chain = authority.issue_cert("client@partner.test").cert_chain_pems[0].bytes().decode()
    certificate.write_text(chain if key else "none\n")
    beside.write_text(key)
    with requests.Session() as session:
        session.verify = bundle
        session.cert = (str(certificate), str(beside)) if key else str(certificate)
        with pytest.raises(LoginUnavailable) as caught:
            bex(tls_server.url, login_session=session).token()
    assert str(caught.value).endswith(
        ": is the client certificate a file of PEM certificates, with its key in it or beside it?"
    )
    assert tls_server.heard == []


class _OpenSSLOfItsOwn(requests.adapters.HTTPAdapter):
    """Fails as urllib3 does with pyOpenSSL, whose error knows no more than its words."""

    def send(self, *_: Any, **__: Any) -> requests.Response:
        raise requests.exceptions.SSLError(ssl.SSLError("bad handshake"))


def test_a_failure_without_openssl_reason() -> None:
    """An SSLError that another TLS library made up is told like any other."""
    with requests.Session() as session:
        session.mount("https://", _OpenSSLOfItsOwn())
        with pytest.raises(LoginUnavailable, match=r"no TLS connection could be made$"):
            bex("https://partner.test", login_session=session).token()
