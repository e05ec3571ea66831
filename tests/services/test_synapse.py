"""Matrix Synapse, run for real: short-lived tokens, refresh tokens that are used once, devices, a logout."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from service import PASSWORD, Door, door_to, free_port, program, run, serving
from synapse_auth import SynapseAuth
from together import together

from requests_partnerauth import FileTokenCache, LoginRejected, MemoryTokenCache

MATRIX = "/_matrix/client/v3"

# Without the cache of tokens, the end that a test writes into the database holds at once.
CONFIG: dict[str, Any] = {
    "server_name": "acme.example",
    "report_stats": False,
    "registration_shared_secret": "a made-up secret",
    "macaroon_secret_key": "another made-up secret",
    "trusted_key_servers": [],
    "refreshable_access_token_lifetime": "10m",
    "bcrypt_rounds": 4,
    "caches": {"per_cache_factors": {"get_user_by_access_token": 0}},
    "rc_login": {
        name: {"per_second": 1000, "burst_count": 1000} for name in ("address", "account", "failed_attempts")
    },
}


class Synapse(NamedTuple):
    """A Synapse that runs: its port, its database, and its administrator's session."""

    port: int
    database: Path
    admin: requests.Session

    def about(self, user: str, more: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/_synapse/admin/v2/users/@{user}:acme.example{more}"

    def devices(self, user: str) -> int:
        """How many devices the user has."""
        total: int = self.admin.get(self.about(user, "/devices")).json()["total"]
        return total

    def end_tokens(self, user: str) -> None:
        """Let the lifetime of this user's access tokens be over; refresh tokens live on."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            ended = "UPDATE access_tokens SET valid_until_ms = 1 WHERE user_id = ?"
            assert database.execute(ended, [f"@{user}:acme.example"]).rowcount > 0


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse that nobody but its administrator knows."""
    home, port = tmp_path_factory.mktemp("synapse"), free_port()
    database = home / "synapse.db"
    listener = {
        "type": "http",
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client"]}],
    }
    config = {
        **CONFIG,
        "signing_key_path": str(home / "signing.key"),
        "media_store_path": str(home / "media"),
        "pid_file": str(home / "pid"),
        "database": {"name": "sqlite3", "args": {"database": str(database)}},
        "listeners": [listener],
    }
    (home / "homeserver.yaml").write_text(json.dumps(config))
    command = (program("synapse"), "-m", "synapse.app.homeserver", "--config-path", "homeserver.yaml")
    run(home, *command, "--generate-keys")
    url = f"http://127.0.0.1:{port}"
    with serving(home, f"{url}/_matrix/client/versions", *command), requests.Session() as admin:
        register = (program("synapse", "register_new_matrix_user"), "-c", "homeserver.yaml", "--admin")
        run(home, *register, "-u", "admin", "-p", PASSWORD, url)
        admin.auth = SynapseAuth("admin", PASSWORD, base_url=url, cache=MemoryTokenCache())
        yield Synapse(port, database, admin)


@pytest.fixture
def user(synapse: Synapse, request: pytest.FixtureRequest) -> str:
    """A user of the test's own, who has no device yet."""
    name = request.node.name.removeprefix("test_")
    assert synapse.admin.put(synapse.about(name), json={"password": PASSWORD}).status_code == 201
    return str(name)


@pytest.fixture
def door(synapse: Synapse) -> Iterator[Door]:
    """The door to that Synapse."""
    with door_to(synapse.port) as door:
        yield door


def whoami(door: Door, auth: SynapseAuth) -> requests.Response:
    return requests.get(f"{door.url}{MATRIX}/account/whoami", auth=auth)


def counted(door: Door) -> tuple[int, int]:
    """How many logins and how many refreshes there were."""
    return door.count("POST", f"{MATRIX}/login"), door.count("POST", f"{MATRIX}/refresh")


def test_three_ends_and_no_further_device(synapse: Synapse, door: Door, user: str) -> None:
    """After each end one refresh brings the next token, for 32 threads too: one login, one device."""
    auth = SynapseAuth(user, PASSWORD, base_url=door.url, cache=MemoryTokenCache())
    assert whoami(door, auth).json()["user_id"] == f"@{user}:acme.example"
    for refreshes in (1, 2, 3):
        synapse.end_tokens(user)
        replies = together(32 if refreshes == 3 else 1, lambda _: whoami(door, auth))
        assert {getattr(reply, "status_code", reply) for reply in replies} == {200}
        assert counted(door) == (1, refreshes)
    assert synapse.devices(user) == 1


def test_32_threads_share_a_login(synapse: Synapse, door: Door, user: str) -> None:
    """32 threads without a token cost one login, and make one device."""
    auth = SynapseAuth(user, PASSWORD, base_url=door.url, cache=MemoryTokenCache())
    replies = together(32, lambda _: whoami(door, auth))
    assert [getattr(reply, "status_code", reply) for reply in replies] == [200] * 32
    assert (counted(door), synapse.devices(user)) == ((1, 0), 1)


def test_a_second_script_refreshes(synapse: Synapse, door: Door, user: str, tmp_path: Path) -> None:
    """Refresh tokens are kept with their tokens: who comes later with the same files adds no device."""
    for refreshes in (0, 1, 2):
        cache = FileTokenCache(tmp_path / "tokens")
        assert whoami(door, SynapseAuth(user, PASSWORD, base_url=door.url, cache=cache)).status_code == 200
        assert counted(door) == (1, refreshes)
        synapse.end_tokens(user)
    assert synapse.devices(user) == 1


def test_a_refused_refresh_token_leads_to_a_login(synapse: Synapse, door: Door, user: str) -> None:
    """Logged out elsewhere, from all devices: the refresh token is tried once, then the password."""
    auth = SynapseAuth(user, PASSWORD, base_url=door.url, cache=MemoryTokenCache())
    whoami(door, auth)
    bearer = {"Authorization": f"Bearer {auth.token().value}"}
    assert requests.post(f"{door.url}{MATRIX}/logout/all", headers=bearer, json={}).status_code == 200
    replies = together(8, lambda _: whoami(door, auth))
    assert [getattr(reply, "status_code", reply) for reply in replies] == [200] * 8
    assert (counted(door), synapse.devices(user)) == ((2, 1), 1)


def test_a_wrong_password_is_tried_once(door: Door, user: str) -> None:
    """What Synapse refused is not asked again, and the error has its words and its code."""
    auth = SynapseAuth(user, "a wrong one", base_url=door.url, cache=MemoryTokenCache())
    outcomes = together(8, lambda _: auth.token())
    assert [type(outcome) for outcome in outcomes] == [LoginRejected] * 8
    with pytest.raises(LoginRejected, match="Invalid username or password") as raised:
        whoami(door, auth)
    assert raised.value.code == "M_FORBIDDEN"
    assert counted(door) == (1, 0)


def test_a_401_that_asks_for_the_password_is_no_signal(synapse: Synapse, door: Door, user: str) -> None:
    """To remove a device Synapse asks for the password by a 401: the caller gets it, and nobody logs in."""
    auth = SynapseAuth(user, PASSWORD, base_url=door.url, cache=MemoryTokenCache())
    device = whoami(door, auth).json()["device_id"]
    asked = requests.delete(f"{door.url}{MATRIX}/devices/{device}", json={}, auth=auth)
    assert (asked.status_code, "flows" in asked.json()) == (401, True)
    assert (counted(door), door.count("DELETE", f"{MATRIX}/devices/{device}")) == ((1, 0), 1)


def test_logging_out_removes_the_device(synapse: Synapse, door: Door, user: str) -> None:
    """At the end of the block the device is gone, and its token with it."""
    with SynapseAuth(user, PASSWORD, base_url=door.url, cache=MemoryTokenCache()) as auth:
        whoami(door, auth)
        bearer = {"Authorization": f"Bearer {auth.token().value}"}
        assert synapse.devices(user) == 1
    assert synapse.devices(user) == 0
    assert requests.get(f"{door.url}{MATRIX}/account/whoami", headers=bearer).status_code == 401
    assert door.count("POST", f"{MATRIX}/logout") == 1
