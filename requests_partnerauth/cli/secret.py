"""Secrets of a command: never an option; a line of standard input, or typed at a prompt without echo."""

from __future__ import annotations

import argparse
import getpass
import sys
import warnings
from typing import Any, NoReturn

from .ending import USAGE, CommandFailed


class NeverAnOption(argparse.Action):
    """Turns down a secret on the command line, where everyone who lists processes reads it."""

    def __call__(self, *_: Any) -> NoReturn:
        raise CommandFailed(
            USAGE,
            f"{self.option_strings[0]}: a secret is no option, as others can read it there; "
            "set it in the environment, or use --password-stdin or the prompt",
        )


def has_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def line_of_stdin(name: str, option: str) -> str:
    """The next line of standard input; `name` is what it should hold, `option` asked for it."""
    try:
        line = sys.stdin.buffer.readline() if sys.stdin else b""
        text = line.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise CommandFailed(USAGE, f"{option}: no {name} came, or it is no text in UTF-8")
    return text


def typed(question: str, complaint: str) -> str:
    """What is typed at a prompt without echo; `complaint` is what to say where nothing is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            text = getpass.getpass(question)
    except (EOFError, OSError, UnicodeError, getpass.GetPassWarning):
        text = ""
    if not text:
        raise CommandFailed(USAGE, complaint)
    return text
