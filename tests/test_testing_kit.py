"""The kit for users' own tests: the fixtures, and a preset token."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests
import responses
from conftest import make_auth

from requests_partnerauth import BexAuth, LoginRejected, MemoryTokenCache
from requests_partnerauth.simulator import PartnerSimulator

pytest_plugins = ["requests_partnerauth.testing"]

PARTNERS = ("bex", "fiserv-boarding", "fiserv-commerce-connect", "fiserv-partner", "rp-gateway")


@pytest.mark.parametrize("name", PARTNERS)
def test_the_partners_answer_over_a_socket(partner_simulator: PartnerSimulator, name: str) -> None:
    """`partner_simulator` serves every partner on loopback: one login, and the call is accepted."""
    partner = partner_simulator.partners[name]
    reply = requests.get(f"{partner.base_url}/anything", auth=make_auth(partner), timeout=10)
    assert partner.base_url.startswith("http://127.0.0.1:")
    assert (reply.status_code, partner.logins, partner.accepted) == (200, 1, 1)


@pytest.mark.parametrize("name", PARTNERS)
def test_the_partners_answer_without_a_socket(mocked_partners: PartnerSimulator, name: str) -> None:
    """`mocked_partners` serves every partner behind `responses`, expiry and resend included."""
    partner = mocked_partners.partners[name]
    auth = make_auth(partner)
    requests.get(f"{partner.base_url}/anything", auth=auth, timeout=10)
    partner.revoke()
    reply = requests.get(f"{partner.base_url}/anything", auth=auth, timeout=10)
    assert (reply.status_code, partner.logins, partner.accepted) == (200, 2, 2)
    assert len(reply.history) == 1


@pytest.mark.parametrize("_", [1, 2])
def test_each_test_begins_without_tokens(mocked_partners: PartnerSimulator, _: int) -> None:
    """A token that one test left in the process's memory is gone in the next: each logs in once."""
    bex = mocked_partners.bex
    requests.get(f"{bex.base_url}/anything", auth=BexAuth(**bex.credentials), timeout=10)
    assert (bex.logins, bex.refusals) == (1, 0)


@pytest.mark.parametrize("_", [1, 2])
def test_each_test_begins_without_refusals(partner_simulator: PartnerSimulator, _: int) -> None:
    """Credentials that one test saw refused are tried again in the next."""
    bex = partner_simulator.bex
    auth = BexAuth("somebody", "wrong", base_url=bex.base_url)
    with pytest.raises(LoginRejected):
        auth.token()
    assert bex.refused_logins == 1


def test_further_replies_stand_beside_the_partners(mocked_partners: PartnerSimulator) -> None:
    """What a test adds with `responses.add` is answered as well, and nothing else is reached."""
    responses.add(responses.GET, "https://elsewhere.example/", body="hello")
    assert requests.get("https://elsewhere.example/", timeout=10).text == "hello"
    with pytest.raises(requests.ConnectionError):
        requests.get("https://nowhere.example/", timeout=10)
    assert requests.get(mocked_partners.bex.base_url, timeout=10).status_code == 401


def test_a_partner_answers_under_its_real_address(mocked_partners: PartnerSimulator) -> None:
    """Code with the real address built in is tested unchanged, once the partner is registered under it."""
    bex = mocked_partners.bex
    bex.base_url = "https://api.bex.co.za"
    mocked_partners.register(responses.mock)
    reply = requests.get("https://api.bex.co.za/anything", auth=BexAuth("user123", "pass1234"), timeout=10)
    assert (reply.status_code, bex.logins, bex.accepted) == (200, 1, 1)


@responses.activate
def test_a_preset_token_needs_no_login() -> None:
    """With `preset` the request carries that token, and nothing but the request is sent."""
    responses.add(responses.GET, "https://api.bex.co.za/tracking", json={"ex": ""})
    auth = BexAuth("user", "password", cache=MemoryTokenCache())
    auth.preset("token-for-tests")
    requests.get("https://api.bex.co.za/tracking", auth=auth, timeout=10)
    assert [call.request.headers["token"] for call in responses.calls] == ["token-for-tests"]


@responses.activate
def test_a_preset_token_reaches_auths_that_the_code_builds_itself() -> None:
    """A token preset on one auth is used by another of the same account and secret."""
    responses.add(responses.GET, "https://api.bex.co.za/tracking", json={"ex": ""})
    preset = BexAuth("user of code", "password")
    preset.preset("token-for-tests")
    requests.get("https://api.bex.co.za/tracking", auth=BexAuth("user of code", "password"), timeout=10)
    preset.forget()
    assert [call.request.headers["token"] for call in responses.calls] == ["token-for-tests"]


def test_the_plugin_is_loaded_from_a_conftest(tmp_path: Path) -> None:
    """One line in a user's conftest is all that the fixtures need."""
    tmp_path.joinpath("conftest.py").write_text('pytest_plugins = ["requests_partnerauth.testing"]\n')
    tmp_path.joinpath("test_users_own.py").write_text(
        "import requests\n"
        "from requests_partnerauth import BexAuth\n"
        "def test_socket(partner_simulator):\n"
        "    bex = partner_simulator.bex\n"
        "    assert requests.get(bex.base_url + '/x', auth=BexAuth(**bex.credentials)).ok\n"
        "def test_mocked(mocked_partners):\n"
        "    bex = mocked_partners.bex\n"
        "    assert requests.get(bex.base_url + '/x', auth=BexAuth(**bex.credentials)).ok\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in run.stdout, run.stdout + run.stderr
