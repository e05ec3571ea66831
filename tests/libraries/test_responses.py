"""responses: mocked replies answer for logins as well, whichever session makes them."""

from __future__ import annotations

import requests
import responses
from responses import matchers
from responses.registries import OrderedRegistry

from requests_partnerauth import BexAuth, MemoryTokenCache

API, LOGIN = "https://api.bex.co.za/tracking", "https://api.bex.co.za/api/service/login"


@responses.activate
def test_login_and_call_are_mocked() -> None:
    """One reply for the login and one for the call are all that a test needs."""
    responses.post(LOGIN, json={"value": "A"})
    responses.get(API, json={"ex": ""}, match=[matchers.header_matcher({"token": "A"})])
    auth = BexAuth("user", "password", cache=MemoryTokenCache())
    for _ in range(2):
        assert requests.get(API, auth=auth, timeout=10).json() == {"ex": ""}
    responses.assert_call_count(LOGIN, 1)
    responses.assert_call_count(API, 2)


@responses.activate(registry=OrderedRegistry)
def test_an_expiry_is_mocked_step_by_step() -> None:
    """An ordered registry tells the whole story: login, refusal, login, resend."""
    responses.post(LOGIN, json={"value": "A"})
    responses.get(API, status=401, match=[matchers.header_matcher({"token": "A"})])
    responses.post(LOGIN, json={"value": "B"})
    responses.get(API, json={"ex": ""}, match=[matchers.header_matcher({"token": "B"})])
    auth = BexAuth("user", "password", cache=MemoryTokenCache())
    reply = requests.get(API, auth=auth, timeout=10)
    assert (reply.json(), [refused.status_code for refused in reply.history]) == ({"ex": ""}, [401])
