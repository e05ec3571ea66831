"""What the log says: who, why, how long, and which token by one fingerprint for all its life."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import make_auth, wrong_secret
from together import together

from requests_partnerauth import FileTokenCache, LoginRejected, LoginUnavailable
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    """All that the package logs is caught."""
    caplog.set_level(logging.DEBUG, "requests_partnerauth")


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What was logged at this level or above, without durations."""
    return [
        f"{record.levelname} {re.sub(r'[0-9.]+ s', 'N s', record.getMessage())}"
        for record in caplog.records
        if record.levelno >= level and record.name.startswith("requests_partnerauth")
    ]


def test_a_tokens_life(
    partner: SimulatedPartner, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """A login and a refresh are one line each: partner, user, duration, reason; and all lines of a token's
    life name it alike."""
    # Promise: fingerprint
    session.auth = auth = make_auth(partner)
    session.get(f"{partner.base_url}/a")
    first = auth.token().fingerprint
    session.get(f"{partner.base_url}/a")
    partner.revoke()
    session.get(f"{partner.base_url}/a")
    second = auth.token().fingerprint

    assert lines(caplog) == [
        f"INFO {partner.name}: logged in {auth.who()} in N s (no usable token), token {first}",
        f"INFO {partner.name}: logged in {auth.who()} in N s (token refused), token {second}",
        f"INFO {partner.name}: token {first} refused, resending with {second}",
    ]
    assert first != second


def test_a_refusal_is_over_once_its_login_has_landed(
    simulator: PartnerSimulator, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """A login after that, for another reason, is not said to be for a refused token."""
    partner = simulator.bex
    session.auth = auth = make_auth(partner)
    session.get(f"{partner.base_url}/a")
    partner.revoke()
    session.get(f"{partner.base_url}/a")
    auth.preset("PRESET", expires_at=auth.token().issued_at - 1)
    session.get(f"{partner.base_url}/a")
    reasons = [re.findall(r"\((.*)\)", line) for line in lines(caplog) if "logged in" in line]
    assert reasons == [["no usable token"], ["token refused"], ["no usable token"]]


def test_a_token_from_the_cache(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that another process could have left in a cache goes by the name it was logged in under."""
    first = make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    posted, *told = lines(caplog, logging.DEBUG)
    assert posted.startswith(
        f"DEBUG bex: POST {simulator.bex.base_url}/api/service/login for 'user123', within "
    )
    assert told == [
        f"INFO bex: logged in 'user123' in N s (no usable token), token {first.fingerprint}",
        f"DEBUG token {first.fingerprint} found in FileTokenCache",
    ]
    assert simulator.bex.logins == 1


def test_a_refusal_is_a_warning(
    partner: SimulatedPartner, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused credentials are a person's business: one warning, however many requests meet them."""
    session.auth = auth = make_auth(partner, **wrong_secret(partner))
    for _ in range(3):
        with pytest.raises(LoginRejected):
            session.get(f"{partner.base_url}/a")
    assert lines(caplog) == [
        f"WARNING {partner.name}: no login for {auth.who()} after N s (no usable token): LoginRejected"
    ]


def test_an_outage_is_not(simulator: PartnerSimulator, caplog: pytest.LogCaptureFixture) -> None:
    """An outage that may pass is told at INFO, each retry at DEBUG."""
    simulator.bex.answer_logins(Reply.of_text("no", 503))
    with pytest.raises(LoginUnavailable):
        make_auth(simulator.bex).token()
    assert lines(caplog) == ["INFO bex: no login for 'user123' after N s (no usable token): LoginUnavailable"]
    debug = [line for line in lines(caplog, logging.DEBUG) if line.startswith("DEBUG")]
    assert sum("DEBUG bex: POST " in line for line in debug) == 3
    assert sum("DEBUG bex: HTTP 503; trying again" in line for line in debug) == 2


def test_a_refresh_that_does_not_help(
    partner: SimulatedPartner, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """A new token that is refused as well is a warning, once for the pause that follows."""
    session.auth = auth = make_auth(partner)
    for _ in range(3):
        session.get(f"{partner.base_url}/always-refuse")
    warnings = lines(caplog, logging.WARNING)
    assert warnings == [
        f"WARNING {partner.name}: token {auth.token().fingerprint} refused, though new; "
        "for N s that starts no further login"
    ]


def test_many_threads_tell_it_once(partner: SimulatedPartner, caplog: pytest.LogCaptureFixture) -> None:
    """32 threads that come to an endpoint that always refuses are one refresh and one warning."""
    auth = make_auth(partner)
    together(32, lambda number: requests.get(f"{partner.base_url}/always-refuse", auth=auth))
    assert (partner.logins, len(lines(caplog, logging.WARNING))) == (2, 1)


def test_a_body_that_goes_once(simulator: PartnerSimulator, caplog: pytest.LogCaptureFixture) -> None:
    """What is not resent for its body's sake is a warning that names the token."""
    partner = simulator.fiserv_boarding
    auth = make_auth(partner)
    first = auth.token().fingerprint
    partner.revoke()
    requests.post(f"{partner.base_url}/a", data=(part for part in [b"a", b"b"]), auth=auth)
    assert lines(caplog, logging.WARNING) == [
        f"WARNING fiserv-boarding: token {first} refused; a body that can't be replayed is not resent"
    ]


def test_one_logger_per_module(
    simulator: PartnerSimulator, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Each module logs under its own name, so that one can be turned off by itself."""
    session.auth = make_auth(simulator.bex)
    session.get(f"{simulator.bex.base_url}/a")
    simulator.bex.revoke()
    session.get(f"{simulator.bex.base_url}/a")
    modules = {
        (record.name.rpartition(".")[2], record.module)
        for record in caplog.records
        if "partnerauth" in record.name
    }
    assert {"login", "refusal"} <= {name for name, _ in modules}
    assert all(name == module for name, module in modules)


def test_no_secret_in_any_line(
    partner: SimulatedPartner, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever happens, no line at any level holds a token or a credential that is secret."""
    # Promise: silent-log
    secrets: list[Any] = [partner.credentials[partner.secret_field], *wrong_secret(partner).values()]
    session.auth = make_auth(partner)
    session.get(f"{partner.base_url}/a")
    partner.revoke()
    session.get(f"{partner.base_url}/a")
    session.get(f"{partner.base_url}/always-refuse")
    with pytest.raises(LoginRejected):
        make_auth(partner, **wrong_secret(partner)).token()
    ours = [record for record in caplog.records if record.name.startswith("requests_partnerauth")]
    told = "\n".join(f"{record.getMessage()} {record.args}" for record in ours)
    assert ours
    assert not [secret for secret in [*secrets, *partner.issued] if secret in told]
