"""``partnerauth`` with a token cache: tokens and refusals that are kept, and forgotten."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from command import Served, bare, partnerauth, served_settings, settings_of

from requests_partnerauth import FileTokenCache
from requests_partnerauth.simulator import PartnerSimulator


def test_cached_token_is_said_to_be_one(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """check shows a token that is in the cache as what it is; --fresh logs in."""
    given = {**settings_of(simulator.rp_gateway), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    first, second, fresh = (
        partnerauth("check", "rp-gateway", *options, settings=given) for options in ([], [], ["--fresh"])
    )
    assert [done.stdout.splitlines()[0] for done in (first, second, fresh)] == [
        "rp-gateway: logged in",
        "rp-gateway: a token from the cache; nothing was sent, --fresh logs in again",
        "rp-gateway: logged in",
    ]
    assert "  time      issued " in second.stdout
    assert f"  kept      in {FileTokenCache(tmp_path)}\n" in second.stdout
    assert simulator.rp_gateway.logins == 2
    shown = partnerauth(
        "token", "rp-gateway", "--cache", f"file:{tmp_path}", settings=settings_of(simulator.rp_gateway)
    )
    assert shown.stdout.strip() == simulator.rp_gateway.issued[-1]


def test_fresh_token(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """token --fresh forgets the token that is in the cache, logs in, and keeps the new one."""
    given = {**settings_of(simulator.bex), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    shown = [
        partnerauth("token", "bex", *options, settings=given).stdout.strip()
        for options in ([], ["--fresh"], [])
    ]
    first, second = simulator.bex.issued
    assert shown == [first, second, second]


def test_forget(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """forget takes the token out of the shared cache: the next command logs in."""
    given = {**settings_of(simulator.bex), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    partnerauth("token", "bex", settings=given)
    done = partnerauth("forget", "bex", settings=given)
    assert done.stdout == "bex: nothing is kept any more for 'user123', neither token nor refusal\n"
    assert (done.stderr, done.returncode) == ("", 0)
    partnerauth("token", "bex", settings=given)
    assert simulator.bex.logins == 2


def test_remembered_refusal(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A refusal in a shared cache is said to be remembered, and forget lets the login be tried again."""
    given = {**settings_of(simulator.bex, password="wrong"), "PARTNERAUTH_CACHE": f"file:{tmp_path}"}
    partnerauth("check", "bex", settings=given)
    done = partnerauth("check", "bex", settings=given)
    assert bare(done.stderr) == (
        "partnerauth: bex refused the login of 'user123' at http://HOST/bex/api/service/login "
        "(Invalid username or password.): check the credentials (username, password); remembered from "
        "an earlier try, nothing was sent; `partnerauth forget bex` lets it be tried again\n"
    )
    assert (done.returncode, simulator.bex.login_attempts) == (1, 1)
    partnerauth("forget", "bex", settings=given)
    partnerauth("check", "bex", settings=given)
    assert simulator.bex.login_attempts == 2


def test_hint_that_can_be_typed(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """The command that a remembered refusal names has the options that lead to it, and does what it says."""
    given = settings_of(simulator.bex, username="", password="wrong", base_url="")
    base_url = simulator.bex.credentials["base_url"]
    options = [
        *("--base-url", base_url, "--cache", f"file:{tmp_path}/a b", "--username", "user123"),
        *("--login-via", "query", "--no-alternate-token"),
    ]
    for _ in range(2):
        done = partnerauth("check", "bex", *options, settings=given)
    _, hint, _ = done.stderr.split("`")
    program, *words = shlex.split(hint)
    assert program == "partnerauth"
    assert sorted(words[2:]) == sorted(options)
    forgotten = partnerauth(*words, settings=given)
    assert forgotten.stdout == "bex: nothing is kept any more for 'user123', neither token nor refusal\n"
    partnerauth("check", "bex", *options, settings=given)
    assert simulator.bex.login_attempts == 2


def test_hint_without_the_payment(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A payment that was typed is not repeated; the path of its file is, and that secrets came from stdin."""
    partner = simulator.fiserv_commerce_connect
    given = settings_of(partner, payload="", key="", iv="", merchant_id="")
    stdin = f"{partner.credentials['key']}\n{partner.credentials['iv']}\n"
    payload = json.dumps(partner.credentials["payload"])
    (tmp_path / "payment.json").write_text(payload)
    for text, repeated in (("@payment.json", "@payment.json"), (payload, "...")):
        options = ["--cache", f"file:{tmp_path}/kept", "--payload", text, "--password-stdin"]
        for _ in range(2):
            done = partnerauth("check", partner.name, *options, settings=given, stdin=stdin, cwd=tmp_path)
        hint = f"--payload {repeated} --cache {shlex.quote(f'file:{tmp_path}/kept')} --password-stdin`"
        assert f"`partnerauth forget fiserv-commerce-connect {hint}" in done.stderr


def test_directory_that_is_not_ours(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A directory that can't be used is named, in the note and on the screen."""
    (tmp_path / "file").write_text("")
    cache = FileTokenCache(tmp_path / "file" / "below")
    done = partnerauth(
        "check", "bex", "--cache", f"file:{tmp_path}/file/below", settings=settings_of(simulator.bex)
    )
    assert done.stderr.startswith(f"partnerauth: note: {cache} can't be used (NotADirectoryError")
    assert f"  kept      in memory, until this command ends: {cache} can't be used\n" in done.stdout


def test_cache_that_is_down(served: Served) -> None:
    """A cache that can't be used is noted and gone without; forget, which is about it, ends with 3."""
    given = {**served_settings(served, "bex"), "PARTNERAUTH_CACHE": "redis://user:s3cret@127.0.0.1:1/0"}
    done = partnerauth("check", "bex", settings=given)
    redis = "RedisTokenCache('redis://127.0.0.1:1/0') can't be used"
    assert f"in memory, until this command ends: {redis}\n" in done.stdout
    assert done.stderr.startswith(f"partnerauth: note: {redis}")
    assert done.returncode == 0
    forgotten = partnerauth("forget", "bex", settings=given)
    assert (forgotten.stdout, forgotten.returncode) == ("", 3)
    assert forgotten.stderr.endswith("partnerauth: bex: the cache can't be used, nothing was forgotten\n")
    assert "s3cret" not in done.stderr + forgotten.stderr
