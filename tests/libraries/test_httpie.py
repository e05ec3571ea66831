"""HTTPie, run for real: one login for many commands, clear messages, no password in its files.

`http -A bex -a user:password URL` takes the rest from the environment. The plugin is told no URL: the
base URL is in the environment too, and a request elsewhere is refused before anything is sent.

`--session` stores the plugin's name and the user name, in a file that HTTPie leaves readable for others; the
password is taken from the environment or asked for at each command. `--offline` needs the token
that it shows: with one in the cache nothing goes out, else the login does. `--offline` and `-v` print it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import AUTH_CLASSES

from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

Run = subprocess.CompletedProcess[str]
HERE = Path(__file__).parents[1]
HTTP = str(Path(sys.executable).with_name("http"))


def settings(partner: SimulatedPartner, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """The environment of a partner's account, apart from some arguments."""
    prefix = f"PARTNERAUTH_{partner.name.upper().replace('-', '_')}_"
    return {
        prefix + name.upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in partner.credentials.items()
        if name not in without
    }


def http(
    home: Path, *arguments: str, given: str | None = None, cwd: Path | None = None, **environment: str
) -> Run:
    """Run HTTPie with a home directory, and without a terminal."""
    paths = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    home_paths = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "HTTPIE_CONFIG_DIR": str(home / "conf"),
    }
    stdin: Any = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    return subprocess.run(
        [HTTP, *(["--ignore-stdin"] if given is None else []), *arguments],
        env={**paths, **home_paths, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        start_new_session=True,
        cwd=cwd,
        **stdin,
    )


def stored(home: Path) -> str:
    """All that HTTPie and the plugin left in files, the names of the files included."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return "\n".join(f"{path}\n{path.read_bytes().decode('latin-1')}" for path in files)


def test_a_second_command_does_not_log_in_again(partner: SimulatedPartner, tmp_path: Path) -> None:
    """Two commands, two processes, one login: the token is found in the user's cache directory."""
    environment = settings(partner)
    for _ in range(2):
        run = http(tmp_path, "-A", partner.name, f"{partner.base_url}/anything", **environment)
        assert (run.returncode, run.stderr) == (0, "")
        assert '"echo"' in run.stdout
    assert (partner.logins, partner.accepted) == (1, 2)
    assert (tmp_path / "cache").is_dir()


def test_user_and_password_are_given_on_the_command_line(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """`-a user:password` stands before the environment, a colon in the password included."""
    partner = simulator.fiserv_partner
    partner.change_password("pass:with:colons")
    environment = settings(partner, without=("password",))
    environment["PARTNERAUTH_FISERV_PARTNER_USERNAME"] = "somebody else"
    run = http(
        tmp_path,
        *("-A", "fiserv-partner", "-a", "partneruser1:pass:with:colons", f"{partner.base_url}/anything"),
        **environment,
    )
    assert (run.returncode, partner.logins, partner.accepted) == (0, 1, 1)


def test_the_directory_of_the_tokens_can_be_chosen(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """`PARTNERAUTH_CACHE=file:/path` keeps the tokens there, and `memory` keeps none."""
    bex = simulator.bex
    chosen = tmp_path / "chosen"
    for cache, logins in ((f"file:{chosen}", 1), (f"file:{chosen}", 1), ("memory", 2), ("memory", 3)):
        environment = {**settings(bex), "PARTNERAUTH_CACHE": cache}
        http(tmp_path, "-A", "bex", f"{bex.base_url}/anything", **environment)
        assert bex.logins == logins
    assert chosen.is_dir()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["bex", "rp-gateway"])
def test_a_token_that_ended_is_replaced(simulator: PartnerSimulator, tmp_path: Path, name: str) -> None:
    """A command whose token the partner refuses logs in once, and gets its answer."""
    partner = simulator.partners[name]
    environment = settings(partner)
    http(tmp_path, "-A", partner.name, f"{partner.base_url}/anything", **environment)
    partner.revoke()
    for _ in range(2):
        run = http(tmp_path, "-A", partner.name, f"{partner.base_url}/anything", **environment)
        assert (run.returncode, run.stderr) == (0, "")
    assert (partner.logins, partner.refusals, partner.accepted) == (2, 1, 3)


def test_a_wrong_password_is_tried_once(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """The second command says what the first one found out, without asking the partner again."""
    bex = simulator.bex
    for _ in range(2):
        run = http(tmp_path, "-A", "bex", "-a", "user123:wrong-one", f"{bex.base_url}/x", **settings(bex))
        assert run.returncode == 1
        assert "or until `partnerauth forget bex --cache file`" in run.stderr
        assert "forget()" not in run.stderr
        assert "http: error: LoginRejected: bex refused the login" in run.stderr
        assert "Traceback" not in run.stderr
        assert "wrong-one" not in run.stderr + run.stdout
    assert bex.login_attempts == 1


def test_a_password_that_was_changed(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """What is said of a login that answers a refused token names no Python either."""
    bex = simulator.bex
    environment = {**settings(bex), "PARTNERAUTH_CACHE": f"file:{tmp_path}/kept"}
    http(tmp_path, "-A", "bex", f"{bex.base_url}/anything", **environment)
    bex.revoke()
    bex.change_password("another-one")
    run = http(tmp_path, "-A", "bex", f"{bex.base_url}/anything", **environment)
    assert "http: error: LoginRejected: bex refused the login" in run.stderr
    assert "or until `partnerauth forget bex`" in run.stderr
    assert "forget()" not in run.stderr


@pytest.mark.parametrize("given", [(), ("-a", "user123:pass1234")])
def test_a_class_of_your_own(simulator: PartnerSimulator, tmp_path: Path, given: tuple[str, ...]) -> None:
    """`-A partnerauth` takes the class that PARTNERAUTH_CLASS names; `-a` is its user and its secret."""
    bex = simulator.bex
    account = {} if given else {"PARTNERAUTH_ACME_TENANT": "user123", "PARTNERAUTH_ACME_API_KEY": "pass1234"}
    environment = {
        "PARTNERAUTH_CLASS": "acme_api:AcmeAuth",
        "PARTNERAUTH_ACME_BASE_URL": bex.credentials["base_url"],
        **account,
    }
    arguments = ("-A", "partnerauth", *given, "--offline", f"{bex.base_url}/anything")
    for _ in range(2):
        run = http(tmp_path, *arguments, cwd=HERE, **environment)
        assert (run.returncode, run.stderr) == (0, "")
        assert f"X-Acme-Token: Acme {bex.issued[0]}" in run.stdout
    assert bex.logins == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (None, "PARTNERAUTH_CLASS: module:Class is wanted, such as acme_api:AcmeAuth"),
        ("acme_apy:AcmeAuth", "PARTNERAUTH_CLASS: there is no module acme_apy, neither here nor among"),
        (
            "acme_api:UnfinishedAuth",
            "PARTNERAUTH_CLASS: UnfinishedAuth is not finished: it lacks login_request",
        ),
        ("acme_api:UnbuildableAuth", "partnerauth: UnbuildableAuth is at fault: RuntimeError in acme_api.py"),
        ("acme_api:AcmeAuth", "partnerauth: PARTNERAUTH_ACME_BASE_URL is not set"),
    ],
)
def test_a_class_that_is_none(tmp_path: Path, name: str | None, words: str) -> None:
    """What is wrong with the class, or missing for it, is one line without a traceback."""
    environment = {} if name is None else {"PARTNERAUTH_CLASS": name}
    run = http(tmp_path, "-A", "partnerauth", "-a", "u:p", "http://127.0.0.1:9/", cwd=HERE, **environment)
    assert f"http: error: {words}" in run.stderr
    assert "Traceback" not in run.stderr
    assert run.returncode == 1


def test_another_host_gets_nothing(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A request outside the base URL's origin ends in a message; no login, no request."""
    bex = simulator.bex
    run = http(tmp_path, "-A", "bex", "http://127.0.0.1:9/elsewhere", **settings(bex))
    assert run.returncode == 1
    assert "http: error: ForeignOrigin: bex: http://127.0.0.1:9 may not see the token" in run.stderr
    assert "name it in PARTNERAUTH_BEX_ORIGINS" in run.stderr
    assert "origins=" not in run.stderr
    assert "Traceback" not in run.stderr
    assert bex.login_attempts == 0


def test_a_login_that_takes_too_long(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A partner that keeps silent is told as such, not as a request that came to HTTPie's own limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {
            **settings(simulator.bex),
            "PARTNERAUTH_BEX_BASE_URL": url,
            "PARTNERAUTH_BEX_LOGIN_TIMEOUT": "0.3,0.3",
        }
        run = http(tmp_path, "-A", "bex", f"{url}/anything", **environment)
    assert f"bex is not available for a login of 'user123' at {url}/api/service/login: no " in run.stderr
    assert " answer within 0." in run.stderr
    assert "timed out" not in run.stderr
    assert "timeout=" not in run.stderr
    assert run.returncode == 1


def test_another_path_is_advised_by_its_variable(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Where the library would have Python pass an argument, HTTPie's user sets a variable."""
    partner = simulator.rp_gateway
    partner.answer_logins(Reply.of_text("Not Found", 404))
    run = http(tmp_path, "-A", partner.name, f"{partner.base_url}/anything", **settings(partner))
    said = " ".join(run.stderr.split())
    assert "takes every operation at one path, set PARTNERAUTH_RP_GATEWAY_LOGIN_PATH to /msg" in said
    assert "login_path=" not in said


def test_what_is_missing_or_wrong_is_named(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Variables that lack or hold nonsense are named, without a traceback and without their values."""
    partner = simulator.fiserv_partner
    missing = http(tmp_path, "-A", "fiserv-partner", "-a", "u:p", partner.base_url)
    wrong = {**settings(partner), "PARTNERAUTH_FISERV_PARTNER_LOGIN_TIMEOUT": "soon"}
    nonsense = http(tmp_path, "-A", "fiserv-partner", partner.base_url, **wrong)
    assert (missing.returncode, nonsense.returncode) == (1, 1)
    assert (
        "fiserv-partner: PARTNERAUTH_FISERV_PARTNER_BASE_URL, PARTNERAUTH_FISERV_PARTNER_AIN"
        in missing.stderr
    )
    assert "fiserv-partner: PARTNERAUTH_FISERV_PARTNER_LOGIN_TIMEOUT" in nonsense.stderr
    assert "soon" not in nonsense.stderr
    assert "Traceback" not in missing.stderr + nonsense.stderr


def test_commerce_connect_takes_no_user(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Where there is neither user nor password, `-a` is refused rather than ignored."""
    partner = simulator.fiserv_commerce_connect
    run = http(tmp_path, "-A", partner.name, "-a", "user:secret", partner.base_url, **settings(partner))
    assert run.returncode == 1
    assert "-a has no meaning here" in run.stderr
    assert partner.login_attempts == 0


def test_a_password_that_lacks_is_asked_for(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """`-a user` alone brings HTTPie's own prompt; nothing typed is a message, not silence."""
    bex = simulator.bex
    environment = settings(bex, without=("username", "password"))
    arguments = ("-A", "bex", "-a", "user123", "GET", f"{bex.base_url}/anything")
    run = http(tmp_path, *arguments, given="pass1234\n", **environment)
    assert "http: password for user123@127.0.0.1" in run.stderr
    assert (run.returncode, bex.logins, bex.accepted) == (0, 1, 1)
    run = http(tmp_path, *arguments, given="", **environment)
    assert run.returncode == 1
    assert "http: error: bex: no password was given" in run.stderr


@pytest.mark.parametrize("given", ["user123:pass1234", "user123"])
def test_a_session_stores_no_password(simulator: PartnerSimulator, tmp_path: Path, given: str) -> None:
    """The session file holds plugin and user name; later commands take the password from the environment."""
    bex = simulator.bex
    environment = settings(bex, without=("username", "password"))
    url = f"{bex.base_url}/anything"
    typed = None if ":" in given else "pass1234\n"
    run = http(
        tmp_path, "-A", "bex", "-a", given, "--session", "work", "GET", url, given=typed, **environment
    )
    assert run.returncode == 0
    (file,) = tmp_path.glob("conf/sessions/*/work.json")
    assert json.loads(file.read_text())["auth"] == {"type": "bex", "raw_auth": "user123"}
    later = http(
        tmp_path, "--session", "work", "GET", url, **environment, PARTNERAUTH_BEX_PASSWORD="pass1234"
    )
    assert (later.returncode, bex.logins, bex.accepted) == (0, 1, 2)
    left = stored(tmp_path)
    assert "work.json" in left
    assert "pass1234" not in left
    assert bex.issued[0] not in left


def test_a_session_without_user_is_loaded_again(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A session that was saved without `-a` works in the next command, all from the environment."""
    partner = simulator.fiserv_commerce_connect
    url = f"{partner.base_url}/anything"
    http(tmp_path, "-A", partner.name, "--session", "work", url, **settings(partner))
    run = http(tmp_path, "--session", "work", url, **settings(partner))
    assert (run.returncode, partner.logins, partner.accepted) == (0, 1, 2)


def test_offline_sends_nothing_with_a_token_at_hand(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """`--offline` shows the token that is cached, and nothing goes out; without one, the login does."""
    bex = simulator.bex
    arguments = ("-A", "bex", "--offline", f"{bex.base_url}/anything")
    shown = [http(tmp_path, *arguments, **settings(bex)).stdout for _ in range(2)]
    assert [f"token: {bex.issued[0]}" in text for text in shown] == [True, True]
    assert (bex.login_attempts, bex.calls) == (1, [])


def test_every_partner_has_a_plugin(tmp_path: Path) -> None:
    """HTTPie offers each partner by its short name."""
    run = http(tmp_path, "-A", "nobody", "http://127.0.0.1:9/")
    assert [name for name in (*AUTH_CLASSES, "partnerauth") if name not in run.stderr] == []
