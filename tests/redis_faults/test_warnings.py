"""What the one warning says of a Redis that can't be used."""

from __future__ import annotations

import pytest
from cache_contract import told
from conftest import make_auth
from redis_server import RedisServer

from requests_partnerauth import RedisTokenCache
from requests_partnerauth.simulator import PartnerSimulator


@pytest.mark.parametrize(
    ("user", "database", "reason"),
    [
        ("", "/99", "database 99 does not exist"),
        ("nobody:made-up@", "/0", "invalid username-password pair or user is disabled"),
        ("app:made-up@", "/0", "this user has no permissions to run the 'set' command"),
    ],
)
def test_the_reason_is_told(
    simulator: PartnerSimulator,
    redis_server: RedisServer,
    caplog: pytest.LogCaptureFixture,
    user: str,
    database: str,
    reason: str,
) -> None:
    """Host, and what is really wrong, and no password; the request goes on."""
    redis_server.do("ACL", "SETUSER", "app", "on", ">made-up", "~*", "+@read", "+@connection")
    url = f"redis://{user}127.0.0.1:{redis_server.port}{database}"
    make_auth(simulator.bex, cache=RedisTokenCache.from_url(url)).token()
    warnings = [line for line in told(caplog) if reason in line]
    assert warnings
    assert f"RedisTokenCache('redis://127.0.0.1:{redis_server.port}{database}')" in warnings[0]
    assert "made-up" not in caplog.text
