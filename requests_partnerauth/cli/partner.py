"""Which auth class a command is about: one of the five by its short name, or the user's own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

import requests_partnerauth

from .._auth import PartnerAuth
from .._settings.own_class import class_named, names_a_class
from .ending import USAGE, CommandFailed

AUTHS: dict[str, type[PartnerAuth]] = {
    cls.partner: cls
    for cls in (getattr(requests_partnerauth, name) for name in requests_partnerauth.__all__)
    if isinstance(cls, type) and issubclass(cls, PartnerAuth) and cls.partner
}

_MAY_BE_SHOWN = re.compile(r"[\w.-]{1,40}")


def auth_class(word: str) -> type[PartnerAuth]:
    """The class that a word names.

    Raises:
        CommandFailed: It names none. The message repeats the word, and the nearest that there is.
    """
    cls = AUTHS.get(word)
    if cls is not None:
        return cls
    if not names_a_class(word):
        raise CommandFailed(USAGE, f"PARTNER: {_unknown(word)}")
    try:
        return class_named(word, PartnerAuth)
    except ValueError as error:
        why = str(error)
    raise CommandFailed(USAGE, f"{word}: {why}")


def partner_word(words: Sequence[str], flags: Collection[str], with_value: Collection[str]) -> str | None:
    """The word that stands for the partner behind a command; None where that can't be told.

    Behind an option that nobody knows yet a word may be that one's value, and a secret.

    Args:
        words: What stands behind the command.
        flags: Options that stand alone.
        with_value: Options that a value follows.
    """
    waiting = iter(words)
    for word in waiting:
        name, equals, _ = word.partition("=")
        if word == "--":
            return next(waiting, None)
        if not word.startswith("-"):
            return word
        if name in with_value:
            if not equals:
                next(waiting, None)
        elif name not in flags and word.strip("v") != "-":
            return None
    return None


def _unknown(word: str) -> str:
    known = sorted(AUTHS)
    close = difflib.get_close_matches(word.lower().replace("_", "-"), known, 1, 0.5)
    shown = f"{word} is none" if _MAY_BE_SHOWN.fullmatch(word) else "that is none"
    more = f", did you mean {close[0]}? One" if close else "; one"
    return f"{shown}{more} of {', '.join(known)} is wanted, or module:Class for a class of your own"
