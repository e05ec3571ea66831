"""``partnerauth`` with a class of the user's own: ``partnerauth check acme_api:AcmeAuth``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import environment, partnerauth

from requests_partnerauth.simulator import PartnerSimulator, Reply

HERE = Path(__file__).parent
ACME = "acme_api:AcmeAuth"


def settings(simulator: PartnerSimulator, **changed: str) -> dict[str, str]:
    """What the account at the simulated BEX is to the class in acme_api.py."""
    credentials = simulator.bex.credentials
    given = {
        "TENANT": credentials["username"],
        "API_KEY": credentials["password"],
        "BASE_URL": credentials["base_url"],
        **changed,
    }
    return {f"PARTNERAUTH_ACME_{name}": text for name, text in given.items()}


def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return partnerauth(*arguments, **{"cwd": HERE, **more})


def test_login(simulator: PartnerSimulator) -> None:
    """check, token and its header work for a class in a module of the current directory."""
    checked = run("check", ACME, settings=settings(simulator))
    assert checked.stdout.startswith("acme: logged in\n")
    token = run("token", ACME, "--header", settings=settings(simulator))
    assert token.stdout == f"X-Acme-Token: Acme {simulator.bex.issued[-1]}\n"
    assert (checked.returncode, token.returncode, simulator.bex.logins) == (0, 0, 2)


def test_installed_command_finds_the_module(simulator: PartnerSimulator) -> None:
    """The console script, which Python starts elsewhere, looks into the current directory too."""
    script = Path(sys.executable).with_name("partnerauth")
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run(
        [script, "check", ACME], env=environment(**settings(simulator)), cwd=HERE,
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_options_from_the_constructor(simulator: PartnerSimulator) -> None:
    """The constructor's arguments are options, what it hands on included; its secret comes from stdin."""
    given = settings(simulator)
    options = (
        *("--tenant", given["PARTNERAUTH_ACME_TENANT"], "--base-url", given["PARTNERAUTH_ACME_BASE_URL"]),
        *("--region", "us", "--partner-no", "7", "--login-timeout", "2,9", "--password-stdin"),
    )
    done = run("token", ACME, *options, stdin=given["PARTNERAUTH_ACME_API_KEY"] + "\n")
    assert (done.stdout.splitlines(), done.stderr) == (simulator.bex.issued, "")


def test_help_from_the_constructor() -> None:
    """Help lists what the class takes, and not what others take."""
    shown, _, _ = run("check", ACME, "--help").stdout.partition("example:")
    assert "each also as PARTNERAUTH_ACME_<ARGUMENT>; " in shown
    assert "  --tenant TEXT         tenant of AcmeAuth\n" in shown
    assert "  --base-url TEXT       the partner's address\n" in shown
    assert "read api_key from standard input" in shown
    assert not [other for other in ("--ain", "--username", "--api-key") if other in shown]


def test_cache_is_shared_and_forgotten(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Two commands share one login in a cache, and forget drops it."""
    given = {**settings(simulator), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    shown = [run("token", ACME, settings=given).stdout for _ in range(2)]
    assert shown[0] == shown[1]
    assert run("forget", ACME, settings=given).stdout.startswith("acme: nothing is kept any more for ")
    run("token", ACME, settings=given)
    assert simulator.bex.logins == 2


def test_forget_logs_out(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """forget sends the logout of a class that has one, with the token that the cache kept; once."""
    given = {**settings(simulator), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    leaving = "acme_api:LeavingAuth"
    token = run("token", leaving, settings=given).stdout.strip()
    for _ in range(2):
        assert run("forget", leaving, settings=given).returncode == 0
    (call,) = simulator.bex.calls
    assert (call.path, call.headers["X-Acme-Token"]) == ("/logout", f"Acme {token}")


def test_hint_names_the_class(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A remembered refusal names the command by what was typed."""
    given = {**settings(simulator, API_KEY="wrong"), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    for _ in range(2):
        done = run("check", ACME, settings=given)
    assert f"`partnerauth forget {ACME}` lets it be tried again" in done.stderr
    assert (done.returncode, simulator.bex.login_attempts) == (1, 1)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("acme_apy:AcmeAuth", "there is no module acme_apy, neither here nor among what is installed"),
        ("broken_api:AcmeAuth", "broken_api can't be imported: ZeroDivisionError in broken_api.py, line 2"),
        ("garbled_api:AcmeAuth", "garbled_api can't be imported: SyntaxError in garbled_api.py, line 1"),
        ("needy_api:AcmeAuth", "needy_api can't be imported: there is no module nowhere"),
        ("leaving_api:AcmeAuth", "leaving_api can't be imported: SystemExit in leaving_api.py, line 1"),
        ("acme_api:AcmeAuht", "acme_api has no AcmeAuht"),
        ("acme_api:nothing", "nothing is no class derived from PartnerAuth"),
        ("acme_api:Path", "acme_api has no Path"),
        ("acme_api:Token", "Token is no class derived from PartnerAuth"),
        ("acme_api:PartnerAuth", "PartnerAuth is not finished: it lacks partner, login_request, parse_login"),
        ("acme_api:UnfinishedAuth", "UnfinishedAuth is not finished: it lacks login_request, parse_login"),
        ("acme_api:NamelessAuth", "NamelessAuth is not finished: it lacks partner"),
        ("acme_api:AbstractAuth", "AbstractAuth is not finished: it lacks tenant_of"),
    ],
)
def test_class_that_is_none(tmp_path: Path, word: str, words: str) -> None:
    """A module that can't be imported and a class that can't be built are told apart, in one line."""
    (tmp_path / "acme_api.py").write_text((HERE / "acme_api.py").read_text())
    (tmp_path / "broken_api.py").write_text("secret = 's3cret'\n1 / 0\n")
    (tmp_path / "garbled_api.py").write_text("class s3cret:::\n")
    (tmp_path / "needy_api.py").write_text("import nowhere\n")
    (tmp_path / "leaving_api.py").write_text("raise SystemExit('s3cret')\n")
    done = run("check", word, cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {word}: {words}\n", 2)


@pytest.mark.parametrize(
    ("arguments", "changed", "words"),
    [
        (["check", ACME], {"TENANT": ""}, "acme: give --tenant, or set PARTNERAUTH_ACME_TENANT"),
        (
            ["check", ACME], {"API_KEY": ""},
            "acme: no api_key: set PARTNERAUTH_ACME_API_KEY, or use --password-stdin",
        ),
        (["check", ACME, "--region", "s3cret"], {}, "--region: one of eu, us is wanted"),
        (["check", ACME, "--partner-no", "s3cret"], {}, "--partner-no: a whole number is wanted"),
        (["check", ACME, "--ain", "1"], {}, "--ain: acme has no such setting"),
        (
            ["check", ACME, "--api-key", "s3cret"], {},
            "--api-key: a secret is no option, as others can read it there; set it in the environment, "
            "or use --password-stdin or the prompt",
        ),
        (
            ["check", "acme_api:PickyAuth"], {},
            "acme: PickyAuth wants signer, which no text can stand for",
        ),
        (
            ["forget", "acme_api:LonelyAuth", "--cache", "file:there"], {},
            "nothing to forget: LonelyAuth sets no account and secret, so it shares nothing",
        ),
    ],
)  # fmt: skip
def test_what_goes_wrong(
    simulator: PartnerSimulator, arguments: list[str], changed: dict[str, str], words: str
) -> None:
    """What is missing or wrong is one line that names option or variable, never a value. Exit code 2."""
    done = run(*arguments, settings=settings(simulator, **changed))
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {words}\n", 2)


@pytest.mark.parametrize(
    ("name", "error", "place"),
    [("BuggyAuth", "KeyError", "BuggyAuth.login_request, "), ("UnbuildableAuth", "RuntimeError", "")],
)
def test_class_at_fault(simulator: PartnerSimulator, name: str, error: str, place: str) -> None:
    """A class that raises what nobody expects is told once, by kind, file and line, without its words."""
    lines = (HERE / "acme_api.py").read_text().splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if f"raise {error}(" in text]
    done = run("check", f"acme_api:{name}", settings=settings(simulator))
    words = f"acme_api:{name}: {name} is at fault: {error} in {place}acme_api.py, line {line}"
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {words}\n", 2)


@pytest.mark.parametrize(("status", "code"), [(200, 3), (401, 1), (418, 3)])
def test_class_at_fault_over_a_reply(simulator: PartnerSimulator, status: int, code: int) -> None:
    """What a class does wrong over the partner's reply is told once, in the line on the login."""
    simulator.bex.answer_logins(Reply.of_json({"key": "a token"}, status))
    done = run("check", ACME, settings=settings(simulator))
    assert done.stderr.count("KeyError in AcmeAuth.parse_login, acme_api.py, line ") == 1
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, code)


def test_class_at_fault_where_the_command_succeeds(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A fault on which the command itself has no word is told as a note."""
    given = {**settings(simulator), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    run("token", "acme_api:StuckAuth", settings=given)
    done = run("forget", "acme_api:StuckAuth", settings=given)
    note = "partnerauth: note: acme: KeyError in StuckAuth.logout_request, acme_api.py, line "
    assert done.stdout.startswith("acme: nothing is kept any more")
    assert (done.stderr.startswith(note), done.stderr.count("KeyError"), done.returncode) == (True, 1, 0)


def test_refusal(simulator: PartnerSimulator) -> None:
    """Of a class that names none, the arguments that its constructor wants are the ones to check."""
    done = run("check", ACME, settings=settings(simulator, API_KEY="wrong"))
    assert done.stderr.endswith("): check the credentials (tenant, api_key), then base_url\n")
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 1)


def test_login_abroad(simulator: PartnerSimulator) -> None:
    """A class whose login goes to another host is told which, and the variable that allows it, which does."""
    done = run("check", "acme_api:AbroadAuth", settings=settings(simulator))
    words = (
        "partnerauth: acme: the login of 'user123' may not go to https://login.acme.example; "
        "nothing was sent. If it is the partner's as well, name it in PARTNERAUTH_ACME_ORIGINS"
    )
    assert done.stderr.startswith(words)
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 3)


def test_class_that_shares_with_nobody(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A class without an account keeps nothing in a cache, and check says so, in JSON too."""
    given = {**settings(simulator), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    words = "in memory, until this command ends: LonelyAuth sets no account and secret"
    assert f"  kept      {words}\n" in run("check", "acme_api:LonelyAuth", settings=given).stdout
    entry = json.loads(run("check", "acme_api:LonelyAuth", "--json", settings=given).stdout)
    assert entry["kept_in"] is None
