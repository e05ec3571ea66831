"""urllib3's `Retry` in an adapter: leave 401 out of `status_forcelist`.

Retries run below the auth, with the token that was refused. With 401 in the list, the auth never sees the
refusal: the same request is sent again and again, and ends as `RetryError`. 429 and 5xx may stand there.
"""

from __future__ import annotations

import pytest
import requests
from conftest import make_auth
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from requests_partnerauth.simulator import Reply, SimulatedPartner


def session_that_retries(session: requests.Session, *statuses: int) -> requests.Session:
    """The session, with an adapter that tries these statuses again twice."""
    retry = Retry(total=2, backoff_factor=0, status_forcelist=statuses)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


def test_without_401_a_refused_token_is_refreshed(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """An outage is tried again by the adapter, a refusal by the auth: both in one call."""
    partner.expiry_signal = "status"
    session = session_that_retries(session, 503)
    session.auth = make_auth(partner)
    session.get(partner.base_url)
    partner.revoke()
    outages = iter([Reply.of_text("Service Unavailable", 503)] * 2)
    partner.answer("/shaky", lambda call: next(outages, None))
    reply = session.get(f"{partner.base_url}/shaky")
    assert (reply.status_code, len(reply.history)) == (200, 1)
    assert (partner.logins, partner.refusals) == (2, 1)
    assert [call.path for call in partner.calls].count("/shaky") == 4


def test_with_401_the_refused_token_is_sent_again(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """With 401 in the list the old token goes out three times, and no login helps."""
    partner.expiry_signal = "status"
    session = session_that_retries(session, 401)
    session.auth = make_auth(partner)
    session.get(partner.base_url)
    partner.revoke()
    with pytest.raises(requests.exceptions.RetryError):
        session.get(f"{partner.base_url}/refused")
    assert (partner.logins, partner.refusals) == (1, 3)


def test_with_401_and_no_raise_the_auth_gets_its_turn(
    partner: SimulatedPartner, session: requests.Session
) -> None:
    """With `raise_on_status=False` the auth sees the refusal once the retries are used up."""
    partner.expiry_signal = "status"
    retry = Retry(total=1, backoff_factor=0, status_forcelist=[401], raise_on_status=False)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.auth = make_auth(partner)
    session.get(partner.base_url)
    partner.revoke()
    reply = session.get(f"{partner.base_url}/refused")
    assert (reply.status_code, partner.logins, partner.refusals) == (200, 2, 2)
