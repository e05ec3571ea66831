"""An auth from a command's options, the environment and, for its secrets, a prompt or standard input."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from .._auth import PartnerAuth
from .._settings.from_env import built, missing_arguments, read, read_settings, variable
from .._settings.textual import Argument, Form, arguments_of, is_secret
from .._settings.wording import reworded
from .ending import USAGE, CommandFailed
from .partner import AUTHS
from .secret import NeverAnOption, has_terminal, line_of_stdin, typed

_SWITCH = "yes|no"
_NOT_FOR_LOGINS = ("origins", "refresh_ahead", "refresh_cooldown", "resend")

_HELP = {
    "username": "who logs in",
    "base_url": "the partner's address",
    "cache": "memory (default), file, file:/path, redis://host, keyring; also PARTNERAUTH_CACHE",
    "login_timeout": "to connect and to read; together they bound the login (5,30)",
    "keep_login_cookies": "cookies that the login sets travel with the token",
    "rejection_cooldown": "seconds in which refused credentials are not tried again (300)",
    "allow_http": "permit plain http to a host that is not this one",
    "login_path": "the path of the login, where it is not the one of the partner's document",
    "login_via": "json, query or get",
    "login_fields": "further members of the login, as JSON or as @ and the path of a JSON file",
    "alternate_token": "the account's second token, for downloads",
    "ttl_unit": "what one unit of the partner's ttl is: minutes, seconds, hours or a number of seconds",
    "token_header": "the header that carries the token",
    "token_prefix": "what stands before the token in it",
    "ain": "the ain of the login",
    "source": "the source of the login (API)",
    "payload": "the payment, as JSON or as @ and the path of a JSON file",
    "merchant_id": "the merchant id, sent with an HMAC",
    "hmac": "server: ask the partner for the HMAC, in place of making it here",
    "uid": "the user id of the integration",
    "customer_id": "which customer to act for",
}


def add_settings(parser: argparse.ArgumentParser, cls: type[PartnerAuth] | None) -> None:
    """Add the partner, and an option for each argument that matters to a login; of all partners for None."""
    parser.add_argument(
        "partner",
        metavar="PARTNER",
        help=f"{', '.join(sorted(AUTHS))}, or module:Class for a class of your own",
    )
    variables = "PARTNERAUTH_<PARTNER>_<ARGUMENT>" if cls is None else variable(cls, "<argument>")
    group = parser.add_argument_group(
        "settings", f"each also as {variables}; an option wins over the environment"
    )
    for name, form, takers in settings_for(cls):
        words = _words_on(name, cls)
        if cls is None and len(takers) < len(AUTHS):
            words += f" [{', '.join(takers)}]"
        kind: dict[str, Any] = {"metavar": form.metavar}
        if form.metavar == _SWITCH:
            kind = {"action": argparse.BooleanOptionalAction, "default": None}
        # An own class may have an argument whose option the command has for itself: its variable is left.
        with contextlib.suppress(argparse.ArgumentError):
            group.add_argument(_option(name), dest=_dest(name), help=words, **kind)
    group.add_argument("--password-stdin", action="store_true", help=_words_on_stdin(cls))
    for name in _secret_names(cls):
        with contextlib.suppress(argparse.ArgumentError):
            parser.add_argument(
                _option(name), nargs="?", action=NeverAnOption, dest=argparse.SUPPRESS, help=argparse.SUPPRESS
            )


def settings_for(cls: type[PartnerAuth] | None) -> Iterator[tuple[str, Form, list[str]]]:
    """The arguments that are options, and who takes each: those of a class, or of the five for None."""
    forms: dict[str, Form] = {}
    takers: dict[str, list[str]] = {}
    for partner, taker in sorted(AUTHS.items()) if cls is None else [("", cls)]:
        for name, argument in arguments_of(taker).items():
            if argument.form is not None and not is_secret(argument) and name not in _NOT_FOR_LOGINS:
                forms.setdefault(name, argument.form)
                takers.setdefault(name, []).append(partner)
    for name in sorted(forms, key=lambda name: -len(takers[name])):
        yield name, forms[name], takers[name]


def option_strings(*, switches: bool) -> set[str]:
    """The options of the five's settings that stand alone, or those that a value follows."""
    names = {_option(name) for name, form, _ in settings_for(None) if (form.metavar == _SWITCH) is switches}
    return names | {name.replace("--", "--no-", 1) for name in names if switches}


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What options and environment say about the partner's auth; its secrets may still be missing."""
    cls = options.auth_class
    try:
        return read_settings(cls, dict(_given(cls, options)))
    except (ImportError, OSError, ValueError) as error:
        raise CommandFailed(USAGE, str(error)) from None


def auth_of(options: argparse.Namespace, settings: Mapping[str, Any]) -> PartnerAuth:
    """The partner's auth with these settings; asks for secrets that are missing where there is a terminal."""
    settings = dict(settings)
    cls: type[PartnerAuth] = options.auth_class
    if options.password_stdin:
        for argument in _secrets_of(cls):
            text = line_of_stdin(argument.name, "--password-stdin")
            settings[argument.name] = _as_setting(argument, text, "--password-stdin")
    missing = missing_arguments(cls, settings)
    _turn_down(missing, cls)
    for argument in missing:
        whose = f" of {settings['username']}" if "username" in settings else ""
        complaint = f"{cls.partner}: no {argument.name} was given: {_advice(cls, [argument.name])}"
        text = typed(f"{cls.partner}, {argument.name}{whose}: ", complaint)
        settings[argument.name] = _as_setting(argument, text, argument.name)
    try:
        return built(cls, settings, name_of(options))
    except ValueError as error:
        raise CommandFailed(USAGE, str(error)) from None


def name_of(options: argparse.Namespace) -> Callable[[str], str]:
    """What the user calls an argument: its option where that was given, else its variable."""

    def name(argument: str) -> str:
        is_option = getattr(options, _dest(argument), None) is not None
        return _option(argument) if is_option else variable(options.auth_class, argument)

    return name


def in_users_words(message: str, options: argparse.Namespace) -> str:
    """What the library says, with options, variables and commands for what Python would write."""
    return reworded(message, arguments_of(options.auth_class), name_of(options), forget_command(options))


def forget_command(options: argparse.Namespace) -> str:
    """The command that drops what is kept for the same account."""
    return f"partnerauth forget {options.partner} {_typed_again(options)}".rstrip()


def _typed_again(options: argparse.Namespace) -> str:
    words: list[str] = []
    for name, form, _ in settings_for(options.auth_class):
        option, value = _option(name), getattr(options, _dest(name), None)
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
        elif value is not None and form.metavar == "JSON|@FILE" and not value.startswith("@"):
            words += [option, "..."]
        elif value is not None:
            words += [f"{option}={value}"] if value.startswith("-") else [option, value]
    return shlex.join([*words, "--password-stdin"] if options.password_stdin else words)


def _option(argument: str) -> str:
    return "--" + argument.replace("_", "-")


def _dest(argument: str) -> str:
    # An own class may have an argument `partner` or `verbose`.
    return f"setting_{argument}"


def _words_on(name: str, cls: type[PartnerAuth] | None) -> str:
    if cls is None or cls in AUTHS.values() or name == "username" or name in arguments_of(PartnerAuth):
        return _HELP.get(name, "")
    # The five's words would not be true of it.
    return f"{name} of {cls.__name__}"


def _words_on_stdin(cls: type[PartnerAuth] | None) -> str:
    if cls is None:
        return "read the password from standard input; for fiserv-commerce-connect key and iv, a line each"
    names = [argument.name for argument in _secrets_of(cls)]
    more = ", a line each" if len(names) > 1 else ""
    return f"read {' and '.join(names) or 'nothing'} from standard input{more}"


def _secrets_of(cls: type[PartnerAuth]) -> list[Argument]:
    return [argument for argument in arguments_of(cls).values() if argument.required and is_secret(argument)]


def _secret_names(cls: type[PartnerAuth] | None) -> Collection[str]:
    takers = [*AUTHS.values(), *([] if cls is None else [cls])]
    arguments = [argument for taker in takers for argument in arguments_of(taker).values()]
    return dict.fromkeys(argument.name for argument in arguments if is_secret(argument))


def _given(cls: type[PartnerAuth], options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for name, form, _ in settings_for(cls):
        value = getattr(options, _dest(name), None)
        if value is None:
            continue
        option = _option(name)
        if name == "cache" and _holds_password(value):
            raise ValueError(
                f"{option}: a URL with a password is no option, as others can read it there; "
                "set PARTNERAUTH_CACHE to it in the environment"
            )
        yield name, read(form, value, option) if isinstance(value, str) else value


def _holds_password(url: str) -> bool:
    rest = unquote(unquote(url)).lower().partition("://")[2]
    return ":" in rest.rpartition("@")[0] or bool(re.search(r"[?&;#][^=&]*(pass|pwd|secret)[^=&]*=", rest))


def _as_setting(argument: Argument, text: str, name: str) -> Any:
    try:
        return text if argument.form is None else read(argument.form, text, name)
    except ValueError as error:
        raise CommandFailed(USAGE, str(error)) from None


def _turn_down(missing: Sequence[Argument], cls: type[PartnerAuth]) -> None:
    objects = [argument.name for argument in missing if argument.form is None]
    plain = [argument.name for argument in missing if argument.form and not is_secret(argument)]
    secret = [argument.name for argument in missing if argument.form and is_secret(argument)]
    complaints = []
    if objects:
        complaints.append(f"{cls.__name__} wants {', '.join(objects)}, which no text can stand for")
    if plain:
        complaints.append(f"give {', '.join(map(_option, plain))}, or set {_variables(cls, plain)}")
    if secret and not has_terminal():
        complaints.append(f"no {', '.join(secret)}: {_advice(cls, secret)}")
    if complaints:
        raise CommandFailed(USAGE, f"{cls.partner}: {'; '.join(complaints)}")


def _advice(cls: type[PartnerAuth], secrets: Sequence[str]) -> str:
    return f"set {_variables(cls, secrets)}, or use --password-stdin"


def _variables(cls: type[PartnerAuth], arguments: Sequence[str]) -> str:
    return ", ".join(variable(cls, argument) for argument in arguments)
