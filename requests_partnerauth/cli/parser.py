"""What can be typed: the commands, their options, and the help on them."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from .._auth import PartnerAuth
from .ending import USAGE, CommandFailed
from .options import add_settings, option_strings
from .partner import auth_class, partner_word
from .screen import Screen

_DISTRIBUTION = "requests-partnerauth"

_ABOUT_A_PARTNER = ("check", "token", "preset", "forget")
_ALONE = {"-h", "--help", "--verbose", "--fresh", "--header", "--json", "--stdin", "--password-stdin"}
_WITH_VALUE = {"--expires-in"}

_EXIT_CODES = """\
exit codes:
  0  good
  1  the partner refused the credentials; for demo: something shown did not happen
  2  usage: a setting is missing or wrong, an optional library is not installed, a class of your own fails
  3  no usable answer: network, outage, an answer that no login document describes
  130  stopped by Ctrl-C (serve: 0)
  141  nobody reads the output any more
"""

_DEMO = """\
Start the five simulated partners on this machine and show what an auth does for each: nothing sent when it
is built, one login, an expired token refreshed and its request resent, one login for 32 threads, a wrong
password told in plain words. Needs no network and no account.
"""

_CHECK = """\
Log in at the partner and say what came of it: origin, user, lifetime, time taken; or in one line why not. A
token that is in a shared cache already is shown instead, without a login, as a login may end the session
that others work with; --fresh logs in all the same.
"""

_TOKEN = """\
Print the token, from a shared cache or a login, and nothing else. Where a partner allows an account but one
session (rp-gateway), use a shared cache, or each call ends the session of the call before. --fresh forgets
the token that is in the cache and logs in.
"""

_SERVE = """\
Serve the five simulated partners on this machine until Ctrl-C, for people and for clients in any language.
"""

_FORGET = """\
Drop the account's token, and the remembered refusal of its credentials, from a shared token cache, so that
the next one to need a token logs in. Where the partner has a logout, the token is ended there too.
"""

_PRESET = """\
Leave a token that a person got by hand, past a second factor say, in a shared token cache: whoever shares the
cache uses it until the partner refuses it. Account and password are wanted all the same: they name and seal
what is kept.
"""

_CHECK_EXAMPLE = """\
example:
  export PARTNERAUTH_BEX_PASSWORD=...
  partnerauth check bex --username user123
"""

_TOKEN_EXAMPLE = """\
example:
  partnerauth token bex --cache file --header | curl -H @- https://api.bex.co.za/...
"""

_SERVE_EXAMPLE = """\
example:
  partnerauth serve --json
  {"bex": {"base_url": "http://127.0.0.1:...", "credentials": {...}}, ...}
"""

_FORGET_EXAMPLE = """\
example:
  partnerauth forget rp-gateway --cache file
"""

_PRESET_EXAMPLE = """\
example:
  partnerauth preset bex --cache file --stdin --expires-in 3600 < token.txt
"""


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """What these words ask for: the command, its options, and the class that it is about.

    Raises:
        CommandFailed: Something in them means nothing.
        SystemExit: They ask for help, or are so wrong that the usage has been shown.
    """
    cls = _class_in(words)
    options, unknown = _parser(cls).parse_known_args(words)
    if unknown:
        raise CommandFailed(USAGE, _complaint(unknown, options.command, cls))
    if options.command in _ABOUT_A_PARTNER:
        options.auth_class = cls or auth_class(options.partner)
    return options


def _class_in(words: Sequence[str]) -> type[PartnerAuth] | None:
    """The class that a command is about, and whose options it takes; None where it can't be told yet."""
    if not words or words[0] not in _ABOUT_A_PARTNER:
        return None
    alone = _ALONE | option_strings(switches=True)
    word = partner_word(words[1:], alone, _WITH_VALUE | option_strings(switches=False))
    if word is None:
        return None
    try:
        return auth_class(word)
    except CommandFailed:
        if not {"-h", "--help"}.intersection(words):
            raise
    return None


def _complaint(unknown: Sequence[str], command: str, cls: type[PartnerAuth] | None) -> str:
    """What is wrong with words that no command takes; of an option the name alone: it may hold a secret."""
    options = [
        word.partition("=")[0] if word.startswith("--") else word[:2]
        for word in unknown
        if word.startswith("-") and word.strip("-")
    ]
    if not options:
        return f"{command}: a word too many; see --help"
    if cls is not None and options[0] in option_strings(switches=True) | option_strings(switches=False):
        return f"{options[0]}: {cls.partner} has no such setting"
    # The other words may be the values of these.
    return f"{command}: no such option {', '.join(options)}; see --help"


def _parser(cls: type[PartnerAuth] | None) -> argparse.ArgumentParser:
    """The parser of the command line, with the options that this class takes; None: any of the five."""
    parser = argparse.ArgumentParser(
        prog="partnerauth",
        description="Logins that partner APIs want first, from the command line.",
        epilog=f"example:\n  partnerauth demo\n\n{_EXIT_CODES}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, description: str, example: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=f"{example}\n{_EXIT_CODES}",
            formatter_class=_Help,
            allow_abbrev=False,
        )
        added.add_argument(
            "-v", "--verbose", action="count", default=0, help="tell more on standard error; -vv: all"
        )
        return added

    command("demo", "show what it does, without a network", _DEMO, "example:\n  partnerauth demo\n")
    check = command("check", "log in and say what came of it", _CHECK, _CHECK_EXAMPLE)
    check.add_argument("--json", action="store_true", help="print one line of JSON, for programs")
    token = command("token", "print the token", _TOKEN, _TOKEN_EXAMPLE)
    form = token.add_mutually_exclusive_group()
    form.add_argument("--header", action="store_true", help="print the whole header line, for curl")
    form.add_argument("--json", action="store_true", help="print token, header and end as one line of JSON")
    for logging_in in (check, token):
        logging_in.add_argument(
            "--fresh", action="store_true", help="log in even where the cache has a token, which it forgets"
        )
    serve = command("serve", "serve the simulated partners", _SERVE, _SERVE_EXAMPLE)
    serve.add_argument("--json", action="store_true", help="print one line of JSON, for programs")
    serve.add_argument("--port", type=_port, default=0, help="the port to serve on; any free one by default")
    preset = command("preset", "leave a token in a shared cache", _PRESET, _PRESET_EXAMPLE)
    preset.add_argument(
        "--stdin",
        action="store_true",
        help="read the token from standard input, behind --password-stdin's lines",
    )
    preset.add_argument(
        "--expires-in", type=_seconds, metavar="SECONDS", help="its life; by default it has no known end"
    )
    forget = command("forget", "drop a token from a shared cache, and log out", _FORGET, _FORGET_EXAMPLE)
    for about_a_partner in (check, token, preset, forget):
        add_settings(about_a_partner, cls)
    return parser


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that breaks lines at blanks alone: ``fiserv-partner`` stays in one piece."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False, break_long_words=False)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib import metadata

        try:
            version = metadata.version(_DISTRIBUTION)
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        Screen(sys.stdout).line(f"partnerauth {version}")
        parser.exit()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port from 0 to 65535 is wanted")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError("a number of seconds above zero is wanted")
    return seconds
