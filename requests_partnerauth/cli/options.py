"""An auth from a command's options, the environment and, for its secrets, a prompt or standard input."""

from __future__ import annotations

import argparse
import getpass
import shlex
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import requests_partnerauth

from .._auth import PartnerAuth
from .._settings.from_env import built, missing_arguments, read, read_settings, variable
from .._settings.textual import Argument, Form, arguments_of
from ..caches._base import TokenCache
from ..caches.memory import MemoryTokenCache
from .ending import USAGE, CommandFailed

AUTHS: dict[str, type[PartnerAuth]] = {
    cls.partner: cls
    for cls in (getattr(requests_partnerauth, name) for name in requests_partnerauth.__all__)
    if isinstance(cls, type) and issubclass(cls, PartnerAuth) and cls.partner
}

_SECRETS = ("password", "key", "iv", "gateway_auth")
_NOT_FOR_LOGINS = ("origins", "refresh_ahead", "refresh_cooldown", "resend")

_HELP = {
    "username": "who logs in",
    "base_url": "the partner's address",
    "cache": "memory (default), file, file:/path, redis://host, keyring; also PARTNERAUTH_CACHE",
    "login_timeout": "to connect and to read; together they bound the login (5,30)",
    "keep_login_cookies": "cookies that the login sets travel with the token",
    "rejection_cooldown": "seconds in which refused credentials are not tried again (300)",
    "allow_http": "permit plain http to a host that is not this one",
    "login_via": "json, query or get",
    "alternate_token": "the account's second token, for downloads",
    "ttl_unit": "what one unit of the partner's ttl is: minutes, seconds, hours or a number of seconds",
    "token_header": "the header that carries the token",
    "token_prefix": "what stands before the token in it",
    "ain": "the ain of the login",
    "source": "the source of the login (API)",
    "payload": "the payment, as JSON or as @ and the path of a JSON file",
    "merchant_id": "the merchant id, sent with an HMAC",
    "uid": "the user id of the integration",
    "customer_id": "which customer to act for",
}


class _NeverAnOption(argparse.Action):
    """Turns down a secret on the command line, where everyone who lists processes reads it."""

    def __call__(self, *_: Any) -> NoReturn:
        raise CommandFailed(
            USAGE,
            f"{self.option_strings[0]}: a secret is no option, as others can read it there; "
            "set it in the environment, or use --password-stdin or the prompt",
        )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the partner, and an option for each argument that matters to a login."""
    parser.add_argument("partner", metavar="PARTNER", help=", ".join(sorted(AUTHS)))
    group = parser.add_argument_group(
        "settings", "each also as PARTNERAUTH_<PARTNER>_<ARGUMENT>; an option wins over the environment"
    )
    for name, form, takers in _options():
        words = _HELP.get(name, "")
        if len(takers) < len(AUTHS):
            words += f" [{', '.join(takers)}]"
        if form.metavar == "yes|no":
            group.add_argument(_option(name), action=argparse.BooleanOptionalAction, default=None, help=words)
        else:
            group.add_argument(_option(name), metavar=form.metavar, help=words)
    group.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; for fiserv-commerce-connect key and iv, a line each",
    )
    for name in _SECRETS:
        parser.add_argument(
            _option(name), nargs="?", action=_NeverAnOption, dest=argparse.SUPPRESS, help=argparse.SUPPRESS
        )


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What options and environment say about the partner's auth; its secrets may still be missing."""
    cls = AUTHS.get(options.partner)
    if cls is None:
        raise CommandFailed(USAGE, f"PARTNER: one of {', '.join(sorted(AUTHS))} is wanted")
    try:
        return read_settings(cls, dict(_given(cls, options)))
    except (ImportError, OSError, ValueError) as error:
        raise CommandFailed(USAGE, str(error)) from None


def shared_cache_of(settings: Mapping[str, Any]) -> TokenCache | None:
    """The cache that outlives the command; None where tokens are kept in its memory."""
    cache: TokenCache | None = settings.get("cache")
    return None if isinstance(cache, MemoryTokenCache) else cache


def auth_of(options: argparse.Namespace, settings: Mapping[str, Any]) -> PartnerAuth:
    """The partner's auth with these settings; asks for secrets that are missing where there is a terminal."""
    settings = dict(settings)
    cls = AUTHS[options.partner]
    if options.password_stdin:
        settings.update(_from_stdin(cls))
    missing = missing_arguments(cls, settings)
    _turn_down(missing, cls)
    settings.update(_asked_for(missing, cls, settings))

    def name_of(argument: str) -> str:
        option = getattr(options, argument, None) is not None
        return _option(argument) if option else variable(cls, argument)

    try:
        return built(cls, settings, name_of)
    except ValueError as error:
        raise CommandFailed(USAGE, str(error)) from None


def typed_again(options: argparse.Namespace) -> str:
    """The settings among the options, to be typed behind another command for the same account and cache."""
    words: list[str] = []
    for name, form, _ in _options():
        option, value = _option(name), getattr(options, name)
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
        elif value is not None and form.metavar == "JSON|@FILE" and not value.startswith("@"):
            words += [option, "..."]
        elif value is not None:
            words += [f"{option}={value}"] if value.startswith("-") else [option, value]
    return shlex.join([*words, "--password-stdin"] if options.password_stdin else words)


def _options() -> Iterator[tuple[str, Form, list[str]]]:
    forms: dict[str, Form] = {}
    takers: dict[str, list[str]] = {}
    for partner, cls in sorted(AUTHS.items()):
        for name, argument in arguments_of(cls).items():
            if argument.form is not None and name not in _SECRETS + _NOT_FOR_LOGINS:
                forms.setdefault(name, argument.form)
                takers.setdefault(name, []).append(partner)
    for name in sorted(forms, key=lambda name: -len(takers[name])):
        yield name, forms[name], takers[name]


def _option(argument: str) -> str:
    return "--" + argument.replace("_", "-")


def _given(cls: type[PartnerAuth], options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    arguments = arguments_of(cls)
    for name, form, _ in _options():
        value = getattr(options, name)
        if value is None:
            continue
        option = _option(name)
        if name not in arguments:
            raise ValueError(f"{option}: {cls.partner} has no such setting")
        if name == "cache" and _holds_password(value):
            raise ValueError(f"{option}: a URL with a password belongs in PARTNERAUTH_CACHE")
        yield name, read(form, value, option) if isinstance(value, str) else value


def _holds_password(url: str) -> bool:
    try:
        split = urlsplit(url)
        return split.password is not None or "password" in parse_qs(split.query)
    except ValueError:
        return False


def _turn_down(missing: Sequence[Argument], cls: type[PartnerAuth]) -> None:
    plain = [argument.name for argument in missing if argument.name not in _SECRETS]
    secret = [argument.name for argument in missing if argument.name in _SECRETS]
    complaints = []
    if plain:
        complaints.append(f"give {', '.join(map(_option, plain))}, or set {_variables(cls, plain)}")
    if secret and not _is_terminal():
        complaints.append(f"no {', '.join(secret)}: {_advice(cls, secret)}")
    if complaints:
        raise CommandFailed(USAGE, f"{cls.partner}: {'; '.join(complaints)}")


def _advice(cls: type[PartnerAuth], secrets: Sequence[str]) -> str:
    return f"set {_variables(cls, secrets)}, or use --password-stdin"


def _variables(cls: type[PartnerAuth], arguments: Sequence[str]) -> str:
    return ", ".join(variable(cls, argument) for argument in arguments)


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _from_stdin(cls: type[PartnerAuth]) -> Iterator[tuple[str, str]]:
    for name, argument in arguments_of(cls).items():
        if name in _SECRETS and argument.required:
            try:
                line = sys.stdin.buffer.readline() if sys.stdin else b""
                text = line.decode().rstrip("\r\n")
            except (OSError, UnicodeDecodeError):
                text = ""
            if not text:
                raise CommandFailed(USAGE, f"--password-stdin: no {name} came, or it is no text in UTF-8")
            yield name, text


def _asked_for(
    missing: Sequence[Argument], cls: type[PartnerAuth], settings: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    for name in (argument.name for argument in missing):
        if name not in _SECRETS:
            continue
        whose = f" of {settings['username']}" if "username" in settings else ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", getpass.GetPassWarning)
                text = getpass.getpass(f"{cls.partner}, {name}{whose}: ")
        except (EOFError, OSError, UnicodeError, getpass.GetPassWarning):
            text = ""
        if not text:
            raise CommandFailed(USAGE, f"{cls.partner}: no {name} was given: {_advice(cls, [name])}")
        yield name, text
