"""niquests: its sessions take these auths as they are; the login goes through requests.

niquests brings urllib3-future, which takes urllib3's place in the whole environment, and so below requests
too: these tests have an environment of their own. `login_session` is a session of requests.
"""

from __future__ import annotations

from collections.abc import Iterator

import niquests
import pytest
import requests
from conftest import make_auth

from requests_partnerauth import ForeignOrigin
from requests_partnerauth.simulator import SimulatedPartner


@pytest.fixture
def modern() -> Iterator[niquests.Session]:
    """A session of niquests."""
    with niquests.Session() as session:
        yield session


def test_requests_stands_on_the_other_urllib3() -> None:
    """In this environment requests itself runs on urllib3-future, and so do the logins."""
    import urllib3

    assert requests.packages.urllib3 is urllib3
    assert int(urllib3.__version__.split(".")[-1]) >= 900


def test_one_login_and_a_refresh(partner: SimulatedPartner, modern: niquests.Session) -> None:
    """Requests carry the token; a refused one is sent again with a new token, once."""
    modern.auth = make_auth(partner)
    for logins in (1, 1, 2):
        reply = modern.get(f"{partner.base_url}/anything")
        assert reply.json()["echo"]["path"] == "/anything"
        assert partner.logins == logins
        if partner.accepted == 2:
            partner.revoke()
    assert len(reply.history) == 1
    assert (partner.accepted, partner.refusals) == (3, 1)


@pytest.mark.parametrize("body", [{"json": {"n": 1}}, {"data": {"n": 1}}, {"data": b"bytes"}], ids=str)
def test_a_body_is_resent_whole(partner: SimulatedPartner, modern: niquests.Session, body: dict) -> None:
    """JSON, form and bytes arrive as often as they are sent, each time the same."""
    modern.auth = make_auth(partner)
    modern.get(partner.base_url)
    partner.revoke()
    reply = modern.post(f"{partner.base_url}/anything", **body)
    assert len(reply.history) == 1
    calls = [call for call in partner.calls if call.path == "/anything"]
    assert len(calls) == 2
    assert [{**call.members(), "sid": ""} for call in calls] == [{**calls[0].members(), "sid": ""}] * 2


def test_another_host_gets_nothing(partner: SimulatedPartner, modern: niquests.Session) -> None:
    """A request elsewhere is refused before anything is sent."""
    modern.auth = make_auth(partner)
    with pytest.raises(ForeignOrigin):
        modern.get("http://127.0.0.1:9/")
    assert partner.login_attempts == 0
