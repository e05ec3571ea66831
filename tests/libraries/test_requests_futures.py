"""requests-futures: a `FuturesSession` needs nothing special; its workers share one login."""

from __future__ import annotations

from concurrent.futures import wait

from conftest import make_auth
from requests_futures.sessions import FuturesSession

from requests_partnerauth.simulator import SimulatedPartner

WORKERS = 8


def test_eight_workers_log_in_once(partner: SimulatedPartner) -> None:
    """Eight requests at once cost one login, and one more once the token they all hold is revoked."""
    partner.login_delay = 0.1
    with FuturesSession(max_workers=WORKERS) as session:
        session.auth = make_auth(partner)
        for logins in (1, 2):
            futures = [session.get(f"{partner.base_url}/{number}") for number in range(WORKERS)]
            wait(futures, timeout=30)
            assert [future.result().status_code for future in futures] == [200] * WORKERS
            assert partner.logins == logins
            partner.revoke()
    assert partner.accepted == 2 * WORKERS
