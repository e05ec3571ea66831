"""``partnerauth``: the command line. Reads what is asked for; one module does each command."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from .ending import BROKEN_PIPE, INTERRUPTED, USAGE, CommandFailed
from .screen import Screen

_DISTRIBUTION = "requests-partnerauth"

_EXIT_CODES = """\
exit codes:
  0  good
  1  the partner refused the credentials; for demo: something shown did not happen
  2  usage: a setting is missing or wrong, or an optional library is not installed
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
the next one to need a token logs in.
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. What a user can cause ends in a line, not in a traceback.

    Args:
        arguments: What stands after the program's name; that of this process by default.
    """
    screen, errors = Screen(sys.stdout), Screen(sys.stderr)
    try:
        code = _run(arguments, screen, errors)
        screen.flush()
    except CommandFailed as failure:
        _let_go_of_stdout()
        with contextlib.suppress(CommandFailed, OSError):
            errors.line(f"partnerauth: {errors.painted(str(failure), 'red')}")
        return failure.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return BROKEN_PIPE
    return code


def _run(arguments: Sequence[str] | None, screen: Screen, errors: Screen) -> int:
    try:
        options, unknown = _parser().parse_known_args(arguments)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else USAGE
    if unknown:
        raise CommandFailed(USAGE, f"{options.command}: {_complaint(unknown)}; see --help")
    package = __name__.partition(".")[0]
    logger, handler = logging.getLogger(package), _LogLines(errors, told_anyway=f"{package}._http.login")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(options.verbose, 2)])
    try:
        # Only now, and only this command: the simulator is of no use to `check`.
        command = importlib.import_module(f".{options.command}", __name__)
        return int(command.run(options, screen))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _parser() -> argparse.ArgumentParser:
    from .options import add_settings

    parser = argparse.ArgumentParser(
        prog="partnerauth",
        description="Logins that partner APIs want first, from the command line.",
        epilog=f"example:\n  partnerauth demo\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.add_argument(
            "-v", "--verbose", action="count", default=0, help="tell more on standard error; -vv: all"
        )
        return added

    command("demo", "show what it does, without a network", _DEMO, "example:\n  partnerauth demo\n")
    check = command("check", "log in and say what came of it", _CHECK, _CHECK_EXAMPLE)
    token = command("token", "print the token", _TOKEN, _TOKEN_EXAMPLE)
    token.add_argument("--header", action="store_true", help="print the whole header line, for curl")
    for logging_in in (check, token):
        logging_in.add_argument(
            "--fresh", action="store_true", help="log in even where the cache has a token, which it forgets"
        )
    serve = command("serve", "serve the simulated partners", _SERVE, _SERVE_EXAMPLE)
    serve.add_argument("--json", action="store_true", help="print one line of JSON, for programs")
    serve.add_argument("--port", type=_port, default=0, help="the port to serve on; any free one by default")
    forget = command("forget", "drop a token from a shared cache", _FORGET, _FORGET_EXAMPLE)
    for about_a_partner in (check, token, forget):
        add_settings(about_a_partner)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib import metadata

        try:
            version = metadata.version(_DISTRIBUTION)
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        Screen(sys.stdout).line(f"partnerauth {version}")
        parser.exit()


class _LogLines(logging.Handler):
    """The log on standard error, less the refusals that a command tells in its own words."""

    def __init__(self, errors: Screen, told_anyway: str) -> None:
        super().__init__()
        self._errors = errors
        self._told_anyway = told_anyway

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            self._errors.line(f"partnerauth: {record.getMessage()}")
        elif record.name != self._told_anyway:
            self._errors.line(f"partnerauth: {self._errors.painted('note', 'yellow')}: {record.getMessage()}")


def _complaint(unknown: Sequence[str]) -> str:
    """What is wrong with words that no command takes; of an option the name alone: it may hold a secret."""
    options = [
        word.partition("=")[0] if word.startswith("--") else word[:2]
        for word in unknown
        if word.startswith("-") and word.strip("-")
    ]
    # The other words may be the values of these.
    return f"no such option {', '.join(options)}" if options else "a word too many"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port from 0 to 65535 is wanted")
    return int(text)


def _let_go_of_stdout() -> None:
    """Where it can't be written, let nothing be written at exit: the interpreter would complain once more."""
    with contextlib.suppress(AttributeError, ValueError):
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
