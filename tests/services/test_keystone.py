"""OpenStack Keystone, run for real: tokens with a named end, a catalog of origins, a logout that revokes."""

from __future__ import annotations

import getpass
import grp
import os
from collections.abc import Iterator

import pytest
import requests
from keystone_auth import KeystoneAuth
from service import PASSWORD, Door, door_to, free_port, program, run, serving
from together import together

from requests_partnerauth import LoginRejected, MemoryTokenCache, Token

CONFIG = """
[database]
connection = sqlite:///{home}/keystone.db
[fernet_tokens]
key_repository = {home}/fernet
[identity]
password_hash_rounds = 4
[token]
expiration = 3600
"""

# Not by waitress's own command: Keystone takes the arguments of whatever runs it for its own.
SERVE = """
import waitress
from keystone.wsgi.api import application
waitress.serve(application, listen="127.0.0.1:{port}", threads=8)
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Keystone with one user, in one project."""
    home, port = tmp_path_factory.mktemp("keystone"), free_port()
    (home / "keystone.conf").write_text(CONFIG.format(home=home))
    (home / "fernet").mkdir()
    manage = (program("keystone", "keystone-manage"), "--config-file", "keystone.conf")
    user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    run(home, *manage, "db_sync")
    run(home, *manage, "fernet_setup", "--keystone-user", user, "--keystone-group", group)
    who = ("--bootstrap-username", "wile", "--bootstrap-project-name", "canyon")
    run(home, *manage, "bootstrap", *who, OS_BOOTSTRAP_PASSWORD=PASSWORD)
    serve = (program("keystone"), "-c", SERVE.format(port=port))
    configured = {"OS_KEYSTONE_CONFIG_DIR": str(home), "OS_KEYSTONE_CONFIG_FILES": "keystone.conf"}
    with serving(home, f"http://127.0.0.1:{port}/v3", *serve, **configured):
        yield port


@pytest.fixture
def keystone(port: int) -> Iterator[Door]:
    """The door to that Keystone."""
    with door_to(port) as door:
        yield door


def auth_for(door: Door, password: str = PASSWORD) -> KeystoneAuth:
    return KeystoneAuth("wile", password, base_url=door.url, project="canyon", cache=MemoryTokenCache())


def logins(door: Door) -> int:
    return door.count("POST", "/v3/auth/tokens")


@pytest.fixture
def admin(port: int) -> Iterator[requests.Session]:
    """Somebody with a token of their own, past the door, whose requests are not counted."""
    with requests.Session() as session, door_to(port) as aside:
        session.headers["X-Auth-Token"] = auth_for(aside).token().value
        yield session


def revoke(admin: requests.Session, port: int, token: Token) -> None:
    headers = {"X-Subject-Token": token.value}
    assert admin.delete(f"http://127.0.0.1:{port}/v3/auth/tokens", headers=headers).status_code == 204


def test_a_revoked_token_is_replaced(
    keystone: Door, port: int, admin: requests.Session, session: requests.Session
) -> None:
    """One login serves call after call; when the token is revoked, one more does, and the call is resent."""
    session.auth = auth = auth_for(keystone)
    for _ in range(3):
        assert "projects" in session.get(f"{keystone.url}/v3/projects").json()
    assert logins(keystone) == 1
    revoke(admin, port, auth.token())
    created = session.post(f"{keystone.url}/v3/regions", json={"region": {"id": "mesa"}})
    assert (created.status_code, created.json()["region"]["id"]) == (201, "mesa")
    assert [refused.status_code for refused in created.history] == [401]
    assert logins(keystone) == 2


def test_32_threads_share_each_login(keystone: Door, port: int, admin: requests.Session) -> None:
    """32 threads without a token cost one login, and so do 32 with one that was revoked."""
    auth = auth_for(keystone)
    for count in (1, 2):
        replies = together(32, lambda _: requests.get(f"{keystone.url}/v3/projects", auth=auth))
        assert [getattr(reply, "status_code", reply) for reply in replies] == [200] * 32
        assert logins(keystone) == count
        revoke(admin, port, auth.token())


def test_a_wrong_password_is_tried_once(keystone: Door) -> None:
    """What Keystone refused is not asked again, from however many threads."""
    auth = auth_for(keystone, "a wrong one")
    outcomes = together(8, lambda _: auth.token())
    assert [type(outcome) for outcome in outcomes] == [LoginRejected] * 8
    with pytest.raises(LoginRejected):
        requests.get(f"{keystone.url}/v3/projects", auth=auth)
    assert logins(keystone) == 1


def test_the_end_is_the_one_that_the_reply_names(keystone: Door) -> None:
    """`expires_at` in the reply is the token's end."""
    token = auth_for(keystone).token()
    assert token.expires_at is not None
    assert 3500 < token.expires_at - token.issued_at < 3700


def test_the_catalog_names_origins(
    keystone: Door, port: int, admin: requests.Session, session: requests.Session
) -> None:
    """What the catalog names may see the token: a call there needs no `origins=` and heals as at home."""
    session.auth = auth = auth_for(keystone)
    with door_to(port) as elsewhere:
        v3 = f"http://127.0.0.1:{port}/v3"
        service = admin.post(f"{v3}/services", json={"service": {"type": "roadworks"}}).json()["service"]
        endpoint = {"service_id": service["id"], "interface": "public", "url": f"{elsewhere.url}/works"}
        assert admin.post(f"{v3}/endpoints", json={"endpoint": endpoint}).status_code == 201
        session.get(f"{keystone.url}/v3/projects")
        assert session.get(f"{elsewhere.url}/v3/projects").status_code == 200
        revoke(admin, port, auth.token())
        assert session.get(f"{elsewhere.url}/v3/projects").status_code == 200
        assert (logins(keystone), logins(elsewhere)) == (2, 0)


def test_logging_out_revokes_the_token(keystone: Door, port: int, admin: requests.Session) -> None:
    """At the end of the block Keystone knows the token no longer."""
    with auth_for(keystone) as auth:
        assert requests.get(f"{keystone.url}/v3/projects", auth=auth).status_code == 200
        subject = {"X-Subject-Token": auth.token().value}
        checked = f"http://127.0.0.1:{port}/v3/auth/tokens"
        assert admin.get(checked, headers=subject).status_code == 200
    assert admin.get(checked, headers=subject).status_code == 404
    assert keystone.count("DELETE", "/v3/auth/tokens") == 1
