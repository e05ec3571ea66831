"""Where ``partnerauth`` has its settings from, and what it says of bad ones."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from command import Served, partnerauth, served_settings, settings_of

from requests_partnerauth.cli import options
from requests_partnerauth.simulator import PartnerSimulator

PASSWORD_IN_URL = (
    "--cache: a URL with a password is no option, as others can read it there; "
    "set PARTNERAUTH_CACHE to it in the environment"
)


@pytest.mark.parametrize(
    ("partner", "lacking", "words"),
    [
        ("bex", ["username"], "bex: give --username, or set PARTNERAUTH_BEX_USERNAME"),
        ("bex", ["password"], "bex: no password: set PARTNERAUTH_BEX_PASSWORD, or use --password-stdin"),
        (
            "fiserv-partner",
            ["base_url", "ain", "password"],
            "fiserv-partner: give --base-url, --ain, or set PARTNERAUTH_FISERV_PARTNER_BASE_URL, "
            "PARTNERAUTH_FISERV_PARTNER_AIN; no password: set PARTNERAUTH_FISERV_PARTNER_PASSWORD, "
            "or use --password-stdin",
        ),
        (
            "fiserv-commerce-connect",
            ["iv"],
            "fiserv-commerce-connect: no iv: set PARTNERAUTH_FISERV_COMMERCE_CONNECT_IV, "
            "or use --password-stdin",
        ),
        (
            "fiserv-commerce-connect",
            ["base_url", "key", "iv"],
            "fiserv-commerce-connect: give --base-url, or set PARTNERAUTH_FISERV_COMMERCE_CONNECT_BASE_URL; "
            "no key, iv: set PARTNERAUTH_FISERV_COMMERCE_CONNECT_KEY, "
            "PARTNERAUTH_FISERV_COMMERCE_CONNECT_IV, or use --password-stdin",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "token"])
def test_missing_settings(served: Served, command: str, partner: str, lacking: list[str], words: str) -> None:
    """What is missing is named, as variable and option; nothing is asked where there is no terminal."""
    given = served_settings(served, partner, **dict.fromkeys(lacking, ""))
    done = partnerauth(command, partner, settings=given)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {words}\n", 2)


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
    given = settings_of(partner, payload="")
    done = partnerauth("token", partner.name, "--payload", "@payment.json", settings=given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert partner.payloads == [partner.accounts[0]["payload"]]


def test_what_python_alone_can_do(served: Served) -> None:
    """An HMAC made otherwise takes a callable: no variable and no option is named for it."""
    given = served_settings(served, "fiserv-commerce-connect")
    done = partnerauth("check", "fiserv-commerce-connect", "--payload", "{}", settings=given)
    assert done.stderr.startswith("partnerauth: --payload: the HMAC needs transactionDetails with ")
    assert done.stderr.endswith("; where yours is made otherwise, give hmac= in Python\n")
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": 1,\n "s3cret" 2}', ": line 2, column 11"),
        ("", ": line 1, column 1"),
        ('["s3cret"]', ""),
        ("9" * 5000, ""),
        ("[" * 100_000, ""),
    ],
    ids=["broken", "empty", "list", "endless", "deep"],
)
def test_file_without_a_payload(served: Served, tmp_path: Path, text: str, where: str) -> None:
    """A payment's file that holds no JSON object is told as such: where it breaks, nothing of its text."""
    (tmp_path / "payment.json").write_text(text)
    given = served_settings(served, "fiserv-commerce-connect", payload="")
    options = ("--payload", "@payment.json")
    done = partnerauth("check", "fiserv-commerce-connect", *options, settings=given, cwd=tmp_path)
    assert done.stderr == f"partnerauth: --payload: the file that it names holds no JSON object{where}\n"
    assert done.returncode == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_payload_that_can_be_read_once(served: Served, tmp_path: Path) -> None:
    """What a shell puts in place of a file, ``@<(...)``, is read once: a second time it would be empty."""
    given = served_settings(served, "fiserv-commerce-connect")
    payload = given.pop("PARTNERAUTH_FISERV_COMMERCE_CONNECT_PAYLOAD")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(payload,), daemon=True)
    writer.start()
    done = partnerauth("check", "fiserv-commerce-connect", "--payload", f"@{pipe}", settings=given)
    assert (done.stderr, done.returncode) == ("", 0)


def test_password_from_stdin(simulator: PartnerSimulator) -> None:
    """--password-stdin reads the password, which wins over the environment's; any character arrives."""
    password = ' p+%&=#é:ü "\\'
    simulator.bex.change_password(password)
    done = partnerauth(
        "token",
        "bex",
        "--password-stdin",
        settings=settings_of(simulator.bex, password="old"),
        stdin=password + "\r\n",
    )
    assert (done.stdout.splitlines(), done.stderr) == (simulator.bex.issued, "")


def test_key_and_iv_from_stdin(simulator: PartnerSimulator) -> None:
    """Commerce Connect's two secrets come on a line each."""
    partner = simulator.fiserv_commerce_connect
    given = settings_of(partner, key="", iv="")
    stdin = f"{partner.credentials['key']}\n{partner.credentials['iv']}"
    done = partnerauth("token", partner.name, "--password-stdin", settings=given, stdin=stdin)
    assert done.stdout.splitlines() == partner.issued


@pytest.mark.parametrize("stdin", [b"", b"\n", b"\xff\xfe\n"])
def test_no_password_from_stdin(served: Served, stdin: bytes) -> None:
    """An empty or unreadable standard input is told, not guessed at."""
    done = partnerauth(
        "check", "bex", "--password-stdin", settings=served_settings(served, "bex"), stdin=stdin
    )
    assert done.stderr == "partnerauth: --password-stdin: no password came, or it is no text in UTF-8\n"
    assert done.returncode == 2


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
            "--cache: one of memory, file, file:/path, redis://host, rediss://host, unix:///path, "
            "keyring is wanted",
        ),
        (
            ["forget", "bex", "--cache", "redis://:s3cret@127.0.0.1"],
            PASSWORD_IN_URL,
        ),
        (
            ["check", "fiserv-commerce-connect", "--payload", '{"s3cret": 1'],
            "--payload: a JSON object is wanted, or @ and the path of a file that holds one",
        ),
        (
            ["check", "bex", "--base-url", "https://s3cret.example:99999"],
            "--base-url: no host, or no port from 1 to 65535, could be read from this URL",
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
        (["token", "bex", "s3cret"], "token: a word too many; see --help"),
        (["token", "bex", "--pasword=s3cret"], "token: no such option --pasword; see --help"),
        (["token", "bex", "--user", "s3cret"], "token: no such option --user; see --help"),
        (["token", "bex", "-ps3cret", "s3cret"], "token: no such option -p; see --help"),
        (
            ["forget", "bex"],
            "nothing to forget: tokens in memory end with the command that got them; "
            "name the shared cache with --cache or PARTNERAUTH_CACHE",
        ),
    ],
)  # fmt: skip
def test_usage(served: Served, arguments: list[str], words: str) -> None:
    """What is used wrongly is one line that names the option, never its value. Exit code 2."""
    done = partnerauth(*arguments, settings=served_settings(served, arguments[1]))
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {words}\n", 2)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1?password=s3cret",
        "rediss://127.0.0.1/0?db=0&ssl_password=s3cret",
        "redis://127.0.0.1/0?PassWord=s3cret",
        "redis://127.0.0.1/0?%70assword=s3cret",
        "redis://127.0.0.1/0?%2570assword=s3cret",
        "redis://127.0.0.1/0?a=b;passwd=s3cret",
        "redis://user:s3cret@127.0.0.1",
        "redis://:s3/cret@127.0.0.1",
        "redis://user%3As3cret@127.0.0.1",
        "unix://:s3cret@/run/redis.sock",
    ],
)
def test_password_in_a_cache_url(url: str) -> None:
    """However a URL spells its password, it is turned down as an option, with what to do instead."""
    # Promise: command-line
    done = partnerauth("forget", "bex", "--cache", url)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"partnerauth: {PASSWORD_IN_URL}\n", 2)


@pytest.mark.parametrize("url", ["redis://user@127.0.0.1:1/0", "rediss://127.0.0.1:1/0?ssl_keyfile=/k"])
def test_cache_url_without_a_password(served: Served, url: str) -> None:
    """A user name or the path of a key is no password: such a URL is used."""
    done = partnerauth("check", "bex", "--cache", url, settings=served_settings(served, "bex"))
    assert (done.returncode, ": logged in\n" in done.stdout) == (0, True)


def test_bad_variable_names_itself(served: Served) -> None:
    """A bad value from the environment is told by its variable, without the value."""
    done = partnerauth("check", "bex", settings=served_settings(served, "bex", login_via="s3cret"))
    words = "PARTNERAUTH_BEX_LOGIN_VIA: one of json, query, get is wanted"
    assert (done.stderr, done.returncode) == (f"partnerauth: {words}\n", 2)


def test_typo_is_noted(served: Served) -> None:
    """A variable that means nothing is noted on standard error; the rest goes on."""
    done = partnerauth("token", "bex", settings=served_settings(served, "bex", alternate_tokn="1"))
    assert done.stderr == (
        "partnerauth: note: PARTNERAUTH_BEX_ALTERNATE_TOKN is no setting of BexAuth and is passed over; "
        "did you mean PARTNERAUTH_BEX_ALTERNATE_TOKEN?\n"
    )
    assert done.returncode == 0


def test_every_option_is_explained() -> None:
    """Each setting that is an option has its words in the help text, and no secret is one."""
    names = {name for name, _, _ in options.settings_for(None)}
    assert names == set(options._HELP)
    assert not names & {"password", "key", "iv", "gateway_auth"}
    assert "--password " not in partnerauth("token", "--help").stdout.replace("--password-stdin", "")
