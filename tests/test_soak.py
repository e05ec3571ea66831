"""A partner that misbehaves at random: each request ends well or in an error, and with its own answer."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
import requests
from conftest import make_auth
from requests.adapters import HTTPAdapter
from together import is_good, together

from requests_partnerauth.simulator import PartnerSimulator

REQUESTS = 10_000
THREADS = 16
SECONDS = 240.0


def send(session: requests.Session, url: str, name: str) -> str:
    """How one request ended; its answer is held against its own id."""
    body, headers = {"id": name, "filler": "x" * (len(name) * 300)}, {"X-Request-Id": name}
    try:
        response = session.post(f"{url}/echo/{name}", json=body, headers=headers, timeout=20)
        echo = response.json().get("echo")
    except requests.RequestException as error:
        return type(error).__name__
    if echo is None:
        return f"status {response.status_code}"
    assert (echo["request_id"], echo["path"]) == (name, f"/echo/{name}")
    return "good"


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
def test_ten_thousand_requests_from_sixteen_threads(simulator: PartnerSimulator) -> None:
    """Bounded in count and time; refusals, outages, broken bodies and connections, 5 % each, harm no request.

    Each ends in a good response, an outage as it came or a `RequestException`; no POST arrives more than
    twice, and none is lost or answered with another's response.
    """
    partners = [simulator.fiserv_boarding, simulator.rp_gateway]
    auths = []
    for partner in partners:
        partner.one_session = False
        partner.misbehave(random.Random(7), login_kinds=("outage", "delay", "truncate", "reset"))
        auths.append(make_auth(partner, refresh_cooldown=0, rejection_cooldown=0))
    deadline = time.monotonic() + SECONDS

    def work(number: int) -> Counter[str]:
        ended: Counter[str] = Counter()
        with requests.Session() as session:
            session.auth = auths[number % 2]
            session.mount("http://", HTTPAdapter(pool_maxsize=1, pool_block=True))
            for count in range(REQUESTS // THREADS):
                if time.monotonic() > deadline:
                    break
                ended[send(session, partners[number % 2].base_url, f"{number}-{count}")] += 1
        return ended

    outcomes = together(THREADS, work, within=SECONDS + 30)
    assert all(isinstance(outcome, Counter) for outcome in outcomes), outcomes
    ended = sum(outcomes, Counter[str]())
    assert ended.total() == REQUESTS, "too slow for the time"
    assert ended["good"] > 0.75 * REQUESTS, ended
    for number, (partner, auth) in enumerate(zip(partners, auths, strict=True)):
        arrived = Counter(call.headers["X-Request-Id"] for call in partner.calls)
        assert len(arrived) >= REQUESTS // 2 - ended["LoginUnavailable"], "a request was lost"
        assert {int(name.partition("-")[0]) % 2 for name in arrived} == {number}
        assert max(arrived.values()) <= 2
        assert {"refuse", "body", "outage", "truncate", "reset", "delay"} <= set(partner.misbehaved)
        partner.behave()
        assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
