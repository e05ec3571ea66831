"""``partnerauth``: each command in a process of its own, most of them against ``partnerauth serve``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import requests
from command import COMMAND, bare, environment, partnerauth, running, settings_for
from conftest import AUTH_CLASSES, wrong_secret

from requests_partnerauth.commands import _settings
from requests_partnerauth.simulator import PartnerSimulator, Reply, SimulatedPartner

PARTNERS = sorted(AUTH_CLASSES)
Served = dict[str, dict[str, Any]]

USERS = {
    "bex": "'user123'",
    "fiserv-boarding": "'bocmuser1'",
    "fiserv-commerce-connect": "merchant 'MERCHANT0001'",
    "fiserv-partner": "'partneruser1'",
    "rp-gateway": "'bsguser.rpmob3.apple'",
}
REFUSALS = {
    "bex": "(Invalid username or password.); check username, password",
    "fiserv-boarding": "(402: Bad Credential); check username, password",
    "fiserv-commerce-connect": "(FPDR4002: HMAC is empty); check key, iv, payload",
    "fiserv-partner": "(402: Bad Credential); check username, password, ain",
    "rp-gateway": "(error description); check username, password, uid",
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """What `partnerauth serve --json` says, while it serves."""
    with running("serve", "--json") as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


def settings(served: Served, partner: str, **changed: Any) -> dict[str, str]:
    """Settings for a served partner."""
    entry = served[partner]
    return settings_for(partner, {"base_url": entry["base_url"], **entry["credentials"], **changed})


def of(partner: SimulatedPartner, **changed: Any) -> dict[str, str]:
    """Settings for a partner of the test's own simulator."""
    return settings_for(partner.name, {**partner.credentials, **changed})


def test_what_serve_says(served: Served) -> None:
    """One line of JSON gives every partner's base URL and the credentials that its auth takes."""
    assert sorted(served) == PARTNERS
    for name, entry in served.items():
        assert sorted(entry) == ["base_url", "credentials"]
        token = AUTH_CLASSES[name](base_url=entry["base_url"], **entry["credentials"]).token()
        assert token.value


@pytest.mark.parametrize("partner", PARTNERS)
def test_check(served: Served, partner: str) -> None:
    """check logs in and tells on one screen what it got."""
    done = partnerauth("check", partner, settings=settings(served, partner))
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
    """Refused credentials are one line: what the partner said, whom it meant, what to check. Exit code 1."""
    wrong = wrong_secret(simulator.partners[partner])
    done = partnerauth(command, partner, settings=of(simulator.partners[partner], **wrong))
    assert (
        done.stderr == f"partnerauth: {partner} refused the login of {USERS[partner]} {REFUSALS[partner]}\n"
    )
    assert (done.stdout, done.returncode) == ("", 1)
    assert simulator.partners[partner].login_attempts == 1


@pytest.mark.parametrize(
    ("partner", "lacking", "words"),
    [
        ("bex", ["username"], "bex: give --username, or set PARTNERAUTH_BEX_USERNAME"),
        ("bex", ["password"], "bex: no password: set PARTNERAUTH_BEX_PASSWORD, or use --password-stdin"),
        (
            "fiserv-partner",
            ["base_url", "ain", "password"],
            "fiserv-partner: give --base-url, --ain, or set PARTNERAUTH_FISERV_PARTNER_BASE_URL, "
            "PARTNERAUTH_FISERV_PARTNER_AIN",
        ),
        (
            "fiserv-commerce-connect",
            ["iv"],
            "fiserv-commerce-connect: no iv: set PARTNERAUTH_FISERV_COMMERCE_CONNECT_IV, "
            "or use --password-stdin",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "token"])
def test_missing_settings(served: Served, command: str, partner: str, lacking: list[str], words: str) -> None:
    """What is missing is named, as variable and option; nothing is asked where there is no terminal."""
    given = settings(served, partner, **dict.fromkeys(lacking, ""))
    done = partnerauth(command, partner, settings=given)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {words}\n", 2)


def test_unavailable(served: Served) -> None:
    """A partner that can't be reached is exit code 3, and the line says at which address."""
    given = settings(served, "bex", base_url="http://127.0.0.1:1")
    done = partnerauth("check", "bex", settings=given)
    assert done.stderr == (
        "partnerauth: bex is not available for a login of 'user123': the connection was refused "
        "(http://127.0.0.1:1); check the address, the network and any proxy, or try again later\n"
    )
    assert (done.stdout, done.returncode) == ("", 3)


def test_an_answer_that_is_none(simulator: PartnerSimulator) -> None:
    """An answer that no login document describes is exit code 3 as well."""
    simulator.bex.answer_logins(Reply.of_text("<html>Welcome!</html>"))
    done = partnerauth("token", "bex", settings=of(simulator.bex))
    assert done.stderr.startswith("partnerauth: bex gave an unknown answer to the login of 'user123'")
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 3)


@pytest.mark.parametrize("partner", PARTNERS)
def test_token(simulator: PartnerSimulator, partner: str) -> None:
    """token prints the token and nothing else, on one line."""
    done = partnerauth("token", partner, settings=of(simulator.partners[partner]))
    assert (done.stdout.splitlines(), done.stderr) == (simulator.partners[partner].issued, "")


@pytest.mark.parametrize("partner", [name for name in PARTNERS if name != "rp-gateway"])
def test_token_header(simulator: PartnerSimulator, partner: str) -> None:
    """token --header prints a header line with which the partner answers."""
    brain = simulator.partners[partner]
    done = partnerauth("token", partner, "--header", settings=of(brain))
    name, _, value = done.stdout.removesuffix("\n").partition(": ")
    assert requests.get(f"{brain.base_url}/a", headers={name: value}).json()
    assert (brain.accepted, brain.refusals) == (1, 0)


def test_token_header_with_prefix(simulator: PartnerSimulator) -> None:
    """The header line has the prefix that the settings ask for."""
    options = ("--token-header", "X-Token", "--token-prefix", "Bearer ")
    done = partnerauth(
        "token", "fiserv-boarding", "--header", *options, settings=of(simulator.fiserv_boarding)
    )
    assert done.stdout == f"X-Token: Bearer {simulator.fiserv_boarding.issued[0]}\n"


def test_no_header_at_rp_gateway(simulator: PartnerSimulator) -> None:
    """rp.Gateway takes no header: said before any login ends somebody's session."""
    done = partnerauth("token", "rp-gateway", "--header", settings=of(simulator.rp_gateway))
    assert done.stderr == "partnerauth: rp-gateway takes its token in body or query, not in a header\n"
    assert (done.returncode, simulator.rp_gateway.login_attempts) == (2, 0)


def test_options_win(simulator: PartnerSimulator) -> None:
    """Options say what the environment could, and win over it."""
    credentials = simulator.fiserv_partner.credentials
    done = partnerauth(
        "token", "fiserv-partner", "--base-url", credentials["base_url"], "--ain", credentials["ain"],
        "--username", credentials["username"], "--source", "API", "--login-timeout", "2,9",
        "--ttl-unit", "seconds", "--no-allow-http",
        settings={
            "PARTNERAUTH_FISERV_PARTNER_PASSWORD": credentials["password"],
            "PARTNERAUTH_FISERV_PARTNER_AIN": "1",
            "PARTNERAUTH_FISERV_PARTNER_LOGIN_TIMEOUT": "soon",
        },
    )  # fmt: skip
    assert done.stdout.splitlines() == simulator.fiserv_partner.issued


def test_payload_from_a_file(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A payment is read from the file that --payload names."""
    partner = simulator.fiserv_commerce_connect
    (tmp_path / "payment.json").write_text(json.dumps(partner.credentials["payload"]))
    given = of(partner, payload="")
    done = partnerauth("token", partner.name, "--payload", "@payment.json", settings=given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert partner.payloads == [partner.accounts[0]["payload"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "bex", "--ain", "1"], "--ain: bex has no such setting"),
        (["check", "bex", "--login-timeout", "s3cret"], "--login-timeout: a number is wanted"),
        (["check", "bex", "--login-via", "s3cret"], "--login-via: one of json, query, get is wanted"),
        (
            ["check", "bex", "--base-url", "http://s3cret.example"],
            "--base-url: plain http shows password and token to everyone on the way; use https, or set "
            "PARTNERAUTH_BEX_ALLOW_HTTP if the partner has nothing else",
        ),
        (
            ["check", "bex", "--cache", "s3cret"],
            "--cache: one of memory, file, file:/path, redis://host, rediss://host, keyring is wanted",
        ),
        (
            ["forget", "bex", "--cache", "redis://:s3cret@127.0.0.1"],
            "--cache: a URL with a password belongs in PARTNERAUTH_CACHE",
        ),
        (
            ["check", "fiserv-commerce-connect", "--payload", "@s3cret.json"],
            "--payload: the file that it names can't be read (No such file or directory)",
        ),
        (
            ["token", "bex", "--password", "s3cret"],
            "--password: a secret is no option, as others can read it there; set it in the environment, "
            "or use --password-stdin or the prompt",
        ),
        (
            ["token", "rp-gateway", "--gateway-auth=s3cret"],
            "--gateway-auth: a secret is no option, as others can read it there; set it in the environment, "
            "or use --password-stdin or the prompt",
        ),
        (["token", "bex", "s3cret"], "token: a word too many: not understood; see --help"),
        (["token", "bex", "--pasword=s3cret"], "token: --pasword: not understood; see --help"),
        (
            ["forget", "bex"],
            "nothing to forget: tokens in memory end with the command that got them; "
            "name the shared cache with --cache or PARTNERAUTH_CACHE",
        ),
    ],
)  # fmt: skip
def test_usage(served: Served, arguments: list[str], words: str) -> None:
    """What is used wrongly is one line that names the option, never its value. Exit code 2."""
    done = partnerauth(*arguments, settings=settings(served, arguments[1]))
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {words}\n", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["check"],
        ["check", "nobody"],
        ["serve", "--port", "99999"],
        ["serve", "--port", "x"],
    ],
)
def test_usage_of_the_parser(arguments: list[str]) -> None:
    """What can't be a command at all is told with the usage, as every program does. Exit code 2."""
    done = partnerauth(*arguments)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.startswith("usage: partnerauth")


def test_bad_variable_names_itself(served: Served) -> None:
    """A bad value from the environment is told by its variable, without the value."""
    done = partnerauth("check", "bex", settings=settings(served, "bex", login_via="s3cret"))
    words = "PARTNERAUTH_BEX_LOGIN_VIA: one of json, query, get is wanted"
    assert (done.stderr, done.returncode) == (f"partnerauth: {words}\n", 2)


def test_typo_is_noted(served: Served) -> None:
    """A variable that means nothing is noted on standard error; the rest goes on."""
    done = partnerauth("token", "bex", settings=settings(served, "bex", alternate_tokn="1"))
    assert done.stderr == (
        "partnerauth: note: PARTNERAUTH_BEX_ALTERNATE_TOKN is no setting of BexAuth and is passed over; "
        "did you mean PARTNERAUTH_BEX_ALTERNATE_TOKEN?\n"
    )
    assert done.returncode == 0


def test_cached_token_is_said_to_be_one(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """check shows a token that is in the cache as what it is; --fresh logs in."""
    given = {**of(simulator.rp_gateway), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    first, second, fresh = (
        partnerauth("check", "rp-gateway", *options, settings=given) for options in ([], [], ["--fresh"])
    )
    assert [done.stdout.splitlines()[0] for done in (first, second, fresh)] == [
        "rp-gateway: logged in",
        "rp-gateway: a token from the cache; nothing was sent, --fresh logs in again",
        "rp-gateway: logged in",
    ]
    assert "  time      issued " in second.stdout
    assert "  kept      in the FileTokenCache\n" in second.stdout
    assert simulator.rp_gateway.logins == 2
    shown = partnerauth(
        "token", "rp-gateway", "--cache", f"file:{tmp_path}", settings=of(simulator.rp_gateway)
    )
    assert shown.stdout.strip() == simulator.rp_gateway.issued[-1]


def test_forget(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """forget takes the token out of the shared cache: the next command logs in."""
    given = {**of(simulator.bex), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    partnerauth("token", "bex", settings=given)
    done = partnerauth("forget", "bex", settings=given)
    assert done.stdout == "bex: nothing is kept any more for 'user123', neither token nor refusal\n"
    assert (done.stderr, done.returncode) == ("", 0)
    partnerauth("token", "bex", settings=given)
    assert simulator.bex.logins == 2


def test_remembered_refusal(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A refusal in a shared cache is said to be remembered, and forget lets the login be tried again."""
    given = {**of(simulator.bex, password="wrong"), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    partnerauth("check", "bex", settings=given)
    done = partnerauth("check", "bex", settings=given)
    assert done.stderr == (
        "partnerauth: bex refused the login of 'user123' (Invalid username or password.); remembered from "
        "an earlier try, nothing was sent; `partnerauth forget bex` lets it be tried again\n"
    )
    assert (done.returncode, simulator.bex.login_attempts) == (1, 1)
    partnerauth("forget", "bex", settings=given)
    partnerauth("check", "bex", settings=given)
    assert simulator.bex.login_attempts == 2


def test_cache_that_is_down(served: Served) -> None:
    """A cache that can't be used is noted and gone without; forget, which is about it, ends with 3."""
    given = {**settings(served, "bex"), "PARTNERAUTH_CACHE": "redis://user:s3cret@127.0.0.1:1/0"}
    done = partnerauth("check", "bex", settings=given)
    assert "in memory, until this command ends: the RedisTokenCache can't be used\n" in done.stdout
    assert done.stderr.startswith("partnerauth: note: RedisTokenCache can't be used")
    assert done.returncode == 0
    forgotten = partnerauth("forget", "bex", settings=given)
    assert (forgotten.stdout, forgotten.returncode) == ("", 3)
    assert forgotten.stderr.endswith("partnerauth: bex: the cache can't be used, nothing was forgotten\n")
    assert "s3cret" not in done.stderr + forgotten.stderr


def test_password_from_stdin(simulator: PartnerSimulator) -> None:
    """--password-stdin reads the password, which wins over the environment's; any character arrives."""
    password = ' p+%&=#é:ü "\\'
    simulator.bex.change_password(password)
    done = partnerauth(
        "token",
        "bex",
        "--password-stdin",
        settings=of(simulator.bex, password="old"),
        stdin=password + "\r\n",
    )
    assert (done.stdout.splitlines(), done.stderr) == (simulator.bex.issued, "")


def test_key_and_iv_from_stdin(simulator: PartnerSimulator) -> None:
    """Commerce Connect's two secrets come on a line each."""
    partner = simulator.fiserv_commerce_connect
    given = of(partner, key="", iv="")
    stdin = f"{partner.credentials['key']}\n{partner.credentials['iv']}"
    done = partnerauth("token", partner.name, "--password-stdin", settings=given, stdin=stdin)
    assert done.stdout.splitlines() == partner.issued


@pytest.mark.parametrize("stdin", [b"", b"\n", b"\xff\xfe\n"])
def test_no_password_from_stdin(served: Served, stdin: bytes) -> None:
    """An empty or unreadable standard input is told, not guessed at."""
    done = partnerauth("check", "bex", "--password-stdin", settings=settings(served, "bex"), stdin=stdin)
    assert done.stderr == "partnerauth: --password-stdin: no password came, or it is no text in UTF-8\n"
    assert done.returncode == 2


ON_A_TERMINAL = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


class Terminal:
    """A command on a terminal of its own, which is a process between it and the test."""

    def __init__(self, *arguments: str, settings: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, *COMMAND, *arguments],
            env=environment(TERM="xterm", **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.shown = b""

    def __enter__(self) -> Terminal:
        self.process.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.process.kill()
        self.process.__exit__(*error)

    def until(self, text: bytes) -> None:
        """Wait until this is shown."""
        assert self.process.stdout is not None
        while text not in self.shown:
            piece = self.process.stdout.read1()
            assert piece, self.shown
            self.shown += piece

    def end(self, typed: bytes = b"") -> int:
        """Type this, wait for the end; the exit code."""
        out, _ = self.process.communicate(typed, timeout=60)
        self.shown += out
        assert b"Traceback" not in self.shown
        return self.process.returncode


def test_prompt_without_echo(simulator: PartnerSimulator) -> None:
    """On a terminal a missing password is asked for, and what is typed is not shown."""
    with Terminal("check", "bex", settings=of(simulator.bex, password="")) as terminal:
        terminal.until(b"bex, password of user123: ")
        code = terminal.end(b"pass1234\n")
    assert (code, b"logged in" in terminal.shown) == (0, True)
    assert b"pass1234" not in terminal.shown


@pytest.mark.parametrize(("typed", "code"), [(b"\n", 2), (b"\x04", 2), (b"\x03", 130)])
def test_prompt_left(simulator: PartnerSimulator, typed: bytes, code: int) -> None:
    """Return, end of input and Ctrl-C at the prompt end the command in peace, without a login."""
    with Terminal("token", "bex", settings=of(simulator.bex, password="")) as terminal:
        terminal.until(b"bex, password of user123: ")
        assert terminal.end(typed) == code
    assert simulator.bex.login_attempts == 0


@pytest.mark.parametrize(
    ("settings_", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour(simulator: PartnerSimulator, settings_: dict[str, str], coloured: bool) -> None:
    """There is colour on a terminal, unless NO_COLOR or the terminal says no; a pipe never gets any."""
    variables = environment(**{"TERM": "xterm", **of(simulator.bex), **settings_})
    done = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL, *COMMAND, "check", "bex"],
        env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=True,
    )  # fmt: skip
    assert (b"\x1b[" in done.stdout) == coloured
    assert b"logged in" in done.stdout


def test_interrupted_login(simulator: PartnerSimulator) -> None:
    """Ctrl-C during a login ends with 130, without a traceback."""
    came = threading.Event()

    def hang(_: object) -> Reply:
        came.set()
        return Reply(delay=5.0)

    simulator.bex.answer_logins(hang)
    with running("check", "bex", env=environment(**of(simulator.bex))) as process:
        assert came.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == (b"", b"", 130)


def test_interrupted_serve() -> None:
    """Ctrl-C ends serve with 0, without a traceback."""
    with running("serve") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (err, process.returncode) == (b"", 0)


@pytest.mark.parametrize("arguments", [["token", "bex"], ["check", "bex"], ["serve", "--json"]])
def test_reader_that_left(served: Served, arguments: list[str]) -> None:
    """A closed pipe on standard output ends the command silently, with what shells give for it."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = partnerauth(*arguments, settings=settings(served, "bex"), stdout=writing)
    finally:
        os.close(writing)
    assert (done.stderr, done.returncode) == ("", 141)


def test_help_for_a_reader_that_left() -> None:
    """Help for a closed pipe is silent too; argparse may have taken the failure for itself."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = partnerauth("--help", stdout=writing)
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_full_disk(served: Served) -> None:
    """Output that can't be written is told in one line."""
    with open("/dev/full", "wb") as full:
        done = partnerauth("token", "bex", settings=settings(served, "bex"), stdout=full)
    words = "partnerauth: the output can't be written: No space left on device\n"
    assert (done.stderr, done.returncode) == (words, 2)


def test_port_in_use(served: Served) -> None:
    """A port that is taken is told in one line."""
    port = served["bex"]["base_url"].split(":")[2].split("/")[0]
    done = partnerauth("serve", "--port", port)
    assert done.stderr == f"partnerauth: port {port} can't be used: Address already in use\n"
    assert (done.stdout, done.returncode) == ("", 2)


def test_serve_for_people(tmp_path: Path) -> None:
    """What serve prints for people is a shell script after which check finds every partner."""
    script = tmp_path / "settings.sh"
    with script.open("wb") as written, running("serve", stdout=written):
        limit = time.monotonic() + 30
        while "RP_GATEWAY_BASE_URL" not in script.read_text():
            assert time.monotonic() < limit
            time.sleep(0.02)
        checks = " && ".join(f'"$@" check {partner}' for partner in PARTNERS)
        done = subprocess.run(
            ["sh", "-c", f'. "$0" && {checks}', str(script), *COMMAND],
            env=environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": logged in\n") == len(PARTNERS)


def test_verbose(served: Served) -> None:
    """-v tells the login on standard error, and standard output keeps the token alone."""
    done = partnerauth("token", "bex", "-v", settings=settings(served, "bex"))
    assert done.stderr.startswith("partnerauth: bex: logged in 'user123' in ")
    assert len(done.stdout.splitlines()) == 1


def test_name_that_the_stream_lacks(simulator: PartnerSimulator) -> None:
    """A user name that an ASCII terminal can't show is shown escaped, and is no error."""
    simulator.bex.add_account(username="jürgen")
    given = {**of(simulator.bex, username="jürgen"), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = partnerauth("check", "bex", settings=given)
    assert r"  user      'j\xfcrgen'" in done.stdout
    assert done.returncode == 0


def test_version() -> None:
    """--version tells what is installed."""
    done = partnerauth("--version")
    assert done.stdout == f"partnerauth {metadata.version('requests-partnerauth')}\n"


@pytest.mark.parametrize("command", ["", "demo", "check", "token", "serve", "forget"])
def test_help(command: str) -> None:
    """Every help text has an example and the exit codes."""
    done = partnerauth(*filter(None, [command]), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: partnerauth {command}".rstrip())
    assert f"example:\n  {'export PARTNERAUTH_' if command == 'check' else 'partnerauth '}" in done.stdout
    assert "exit codes:\n  0  good\n" in done.stdout


def test_every_option_is_explained() -> None:
    """Each setting that is an option has its words in the help text, and no secret is one."""
    names = {name for name, _, _ in _settings._options()}
    assert names == set(_settings._HELP)
    assert not names & set(_settings._SECRETS)
    assert "--password " not in partnerauth("token", "--help").stdout.replace("--password-stdin", "")


def test_installed_command(served: Served) -> None:
    """The console script is the same program."""
    script = Path(sys.executable).with_name("partnerauth")
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run(
        [script, "check", "bex"], env=environment(**settings(served, "bex")), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_only_what_is_needed_is_imported(served: Served) -> None:
    """check has no use for the simulator, the other commands or the libraries behind other caches."""
    code = (
        "import sys; from requests_partnerauth.cli import main; code = main(['check', 'bex']); "
        "print(*sorted(name for name in sys.modules if 'simulator' in name or name.startswith("
        "('requests_partnerauth.commands.', 'redis', 'keyring', 'filelock', 'cryptography', 'responses'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(**settings(served, "bex")),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded = done.stdout.splitlines()[-1].split()
    assert [name for name in loaded if not name.startswith("requests_partnerauth.commands._")] == [
        "requests_partnerauth.commands.check"
    ]
