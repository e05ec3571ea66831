"""``partnerauth check`` and ``token``: the login that they make, and what they say of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import requests
from command import Served, bare, environment, partnerauth, running, served_settings, settings_of
from conftest import AUTH_CLASSES, wrong_secret

from requests_partnerauth import FileTokenCache
from requests_partnerauth.simulator import PartnerSimulator, Reply

PARTNERS = sorted(AUTH_CLASSES)
USERS = {
    "bex": "'user123'",
    "fiserv-boarding": "'bocmuser1'",
    "fiserv-commerce-connect": "merchant 'MERCHANT0001'",
    "fiserv-partner": "'partneruser1'",
    "rp-gateway": "'bsguser.rpmob3.apple'",
}
REFUSALS = {
    "bex": (
        "/bex/api/service/login (Invalid username or password.): "
        "check the credentials (username, password), then base_url"
    ),
    "fiserv-boarding": (
        "/fiserv-boarding/boardinggateway/boarding/auth/signin (402: Bad Credential): "
        "check the credentials (username, password), then base_url"
    ),
    "fiserv-commerce-connect": (
        "/fiserv-commerce-connect/getToken (FPDR4002: HMAC is empty): "
        "check the credentials (key, iv, payload, merchant_id, hmac), then base_url"
    ),
    "fiserv-partner": (
        "/fiserv-partner/Externalboarding/partner/login (402: Bad Credential): "
        "check the credentials (username, password, ain, source), then base_url"
    ),
    "rp-gateway": (
        "/rp-gateway/msg/login (error description): check the credentials "
        "(username, password, uid, customer_id, gateway_auth, login_fields), then base_url"
    ),
}


@pytest.mark.parametrize("partner", PARTNERS)
def test_check(served: Served, partner: str) -> None:
    """check logs in and tells on one screen what it got."""
    done = partnerauth("check", partner, settings=served_settings(served, partner))
    lifetime = "no known end; it is refreshed when the partner refuses it"
    assert bare(done.stdout) == (
        f"{partner}: logged in\n"
        "  origin    http://HOST\n"
        f"  user      {USERS[partner]}\n"
        "  token     FINGERPRINT is its fingerprint; `partnerauth token` prints it\n"
        f"  lifetime  {'30 min, until DATE UTC' if partner == 'fiserv-partner' else lifetime}\n"
        "  time      N s for the login\n"
        "  kept      in memory, until this command ends; --cache file keeps it for the next\n"
    )
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("command", ["check", "token"])
@pytest.mark.parametrize("partner", PARTNERS)
def test_wrong_secret(simulator: PartnerSimulator, partner: str, command: str) -> None:
    """Refused credentials are one line: who was refused, where, what was said, what to check. Exit code 1."""
    wrong = wrong_secret(simulator.partners[partner])
    done = partnerauth(command, partner, settings=settings_of(simulator.partners[partner], **wrong))
    assert bare(done.stderr) == (
        f"partnerauth: {partner} refused the login of {USERS[partner]} at http://HOST{REFUSALS[partner]}\n"
    )
    assert (done.stdout, done.returncode) == ("", 1)
    assert simulator.partners[partner].login_attempts == 1


def test_a_lifetime_beyond_the_calendar(simulator: PartnerSimulator) -> None:
    """A partner that says 9999999999 minutes, and means never, is told without a date."""
    simulator.fiserv_partner.ttl = 9_999_999_999
    done = partnerauth("check", "fiserv-partner", settings=settings_of(simulator.fiserv_partner))
    assert (
        " d, until after the year 9999\n" in done.stdout or " h, until after the year 9999\n" in done.stdout
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_unavailable(served: Served) -> None:
    """A partner that can't be reached is exit code 3, and the line says at which address."""
    given = served_settings(served, "bex", base_url="http://127.0.0.1:1")
    done = partnerauth("check", "bex", settings=given)
    assert done.stderr == (
        "partnerauth: bex is not available for a login of 'user123' at "
        "http://127.0.0.1:1/api/service/login: the connection was refused; "
        "check the address, the network and any proxy, or try again later\n"
    )
    assert (done.stdout, done.returncode) == ("", 3)


def test_an_answer_that_is_none(simulator: PartnerSimulator) -> None:
    """An answer that no login document describes is exit code 3 as well."""
    simulator.bex.answer_logins(Reply.of_text("<html>Welcome!</html>"))
    done = partnerauth("token", "bex", settings=settings_of(simulator.bex))
    assert done.stderr.startswith("partnerauth: bex gave an unknown answer to the login of 'user123'")
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 3)


@pytest.mark.parametrize("given", [(), ("--login-path", "/msg/Login")])
def test_the_other_path_is_advised_as_it_is_set(simulator: PartnerSimulator, given: tuple[str, ...]) -> None:
    """What Python would pass is told as the option that was used, else as the variable."""
    partner = simulator.rp_gateway
    partner.answer_logins(Reply.of_text("Not Found", 404))
    partner.login_path = given[-1] if given else partner.login_path
    done = partnerauth("check", "rp-gateway", *given, settings=settings_of(partner))
    name = "--login-path" if given else "PARTNERAUTH_RP_GATEWAY_LOGIN_PATH"
    assert f"every operation at one path, set {name} to /msg" in done.stderr
    assert (done.returncode, "login_path=" in done.stderr) == (3, False)


@pytest.mark.parametrize("partner", PARTNERS)
def test_token(simulator: PartnerSimulator, partner: str) -> None:
    """token prints the token and nothing else, on one line."""
    done = partnerauth("token", partner, settings=settings_of(simulator.partners[partner]))
    assert (done.stdout.splitlines(), done.stderr) == (simulator.partners[partner].issued, "")


@pytest.mark.parametrize("partner", [name for name in PARTNERS if name != "rp-gateway"])
def test_token_header(simulator: PartnerSimulator, partner: str) -> None:
    """token --header prints a header line with which the partner answers."""
    brain = simulator.partners[partner]
    done = partnerauth("token", partner, "--header", settings=settings_of(brain))
    name, _, value = done.stdout.removesuffix("\n").partition(": ")
    assert requests.get(f"{brain.base_url}/a", headers={name: value}).json()
    assert (brain.accepted, brain.refusals) == (1, 0)


def test_token_header_with_prefix(simulator: PartnerSimulator) -> None:
    """The header line has the prefix that the settings ask for."""
    options = ("--token-header", "X-Token", "--token-prefix", "Bearer ")
    done = partnerauth(
        "token", "fiserv-boarding", "--header", *options, settings=settings_of(simulator.fiserv_boarding)
    )
    assert done.stdout == f"X-Token: Bearer {simulator.fiserv_boarding.issued[0]}\n"


def test_no_header_at_rp_gateway(simulator: PartnerSimulator) -> None:
    """rp.Gateway takes no header: said before any login ends somebody's session."""
    done = partnerauth("token", "rp-gateway", "--header", settings=settings_of(simulator.rp_gateway))
    assert done.stderr == "partnerauth: rp-gateway takes its token in body or query, not in a header\n"
    assert (done.returncode, simulator.rp_gateway.login_attempts) == (2, 0)


def test_verbose(served: Served) -> None:
    """-v tells the login on standard error, and standard output keeps the token alone."""
    done = partnerauth("token", "bex", "-v", settings=served_settings(served, "bex"))
    assert done.stderr.startswith("partnerauth: bex: logged in 'user123' in ")
    assert len(done.stdout.splitlines()) == 1


def test_signs_of_life(simulator: PartnerSimulator) -> None:
    """-vv tells what is tried and, while the partner says nothing, how long it has been; -v does not."""
    heard = threading.Event()

    def slow(_: object) -> Reply:
        assert heard.wait(30)
        return Reply.of_json({"value": "late-token"})

    simulator.bex.answer_logins(slow)
    given = environment(**settings_of(simulator.bex))
    with running("token", "bex", "-vv", env=given) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, b"")
        told = []
        while not told or "still waiting after" not in told[-1]:
            told.append(bare(next(lines).decode()))
        heard.set()
        out, _ = process.communicate(timeout=30)
    assert told[0] == (
        "partnerauth: bex: a token for 'user123' from http://HOST, 35 s at most for its login\n"
    )
    assert [line for line in told if "POST http://HOST/bex/api/service/login for 'user123'" in line]
    assert out == b"late-token\n"


def test_json_of_check(served: Served, tmp_path: Path) -> None:
    """check --json says the same as the screen in one line for programs, and no secret."""
    given = {**served_settings(served, "fiserv-partner"), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    first, second = (
        json.loads(partnerauth("check", "fiserv-partner", "--json", settings=given).stdout) for _ in range(2)
    )
    assert first.pop("seconds") > 0
    assert second.pop("seconds") is None
    assert (first.pop("from_cache"), second.pop("from_cache")) == (False, True)
    assert first == second
    assert first.pop("expires_at") == pytest.approx(first.pop("issued_at") + 1800)
    assert first.pop("fingerprint").isalnum()
    assert first == {
        "partner": "fiserv-partner",
        "origin": served["fiserv-partner"]["base_url"].removesuffix("/fiserv-partner"),
        "user": "partneruser1",
        "kept_in": str(FileTokenCache(tmp_path)),
    }


@pytest.mark.parametrize("partner", PARTNERS)
def test_json_of_token(simulator: PartnerSimulator, partner: str) -> None:
    """token --json prints the token, the header that carries it, if one does, and its end."""
    brain = simulator.partners[partner]
    entry = json.loads(partnerauth("token", partner, "--json", settings=settings_of(brain)).stdout)
    assert entry["token"] == brain.issued[0]
    assert set(entry) == {"partner", "token", "header", "from_cache", "issued_at", "expires_at"}
    if partner == "rp-gateway":
        assert entry["header"] is None
    else:
        assert requests.get(f"{brain.base_url}/a", headers=entry["header"]).json()
        assert brain.accepted == 1


@pytest.mark.parametrize("command", ["check", "token"])
def test_json_of_a_refusal(simulator: PartnerSimulator, command: str) -> None:
    """A refusal under --json leaves standard output empty; line and exit code are those without."""
    done = partnerauth(command, "bex", "--json", settings=settings_of(simulator.bex, password="wrong"))
    assert done.stderr.startswith("partnerauth: bex refused the login of 'user123'")
    assert (done.stdout, done.returncode) == ("", 1)


def test_no_python_in_what_a_command_says(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Where the library would name forget(), a command names the command that does it."""
    simulator.bex.answer_logins(Reply.of_text("?", status=418))
    given = {**settings_of(simulator.bex), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    done = partnerauth("check", "bex", settings=given)
    assert done.stderr.endswith("; they are not tried again for 300 s, or until `partnerauth forget bex`\n")
    assert "forget()" not in done.stderr


@pytest.mark.parametrize("status", [401, 418])
def test_nothing_is_remembered_without_a_shared_cache(simulator: PartnerSimulator, status: int) -> None:
    """A refusal that ends with the command is not said to be remembered: there is nothing to forget."""
    simulator.bex.answer_logins(Reply.of_text("?", status=status))
    done = partnerauth("check", "bex", settings=settings_of(simulator.bex))
    assert "check base_url" in done.stderr
    assert "tried again" not in done.stderr
