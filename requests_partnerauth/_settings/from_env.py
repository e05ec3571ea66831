"""Auths from the environment: ``PARTNERAUTH_<PARTNER>_<ARGUMENT>``, and ``PARTNERAUTH_CACHE`` for all."""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from .textual import Argument, Form, arguments_of
from .wording import reworded

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "PARTNERAUTH_CACHE"
_told_of: set[str] = set()


class Named(Protocol):
    """What is asked of a class here: the short name of its partner."""

    partner: str


Auth = TypeVar("Auth", bound=Named)


def auth_from_env(cls: type[Auth], overrides: Mapping[str, Any]) -> Auth:
    """An auth whose arguments come from the environment, where `overrides` does not give them.

    Raises:
        ValueError: A variable is missing, or holds what it should not. The message names the variable, never
            the value.
    """

    def name_of(argument: str) -> str:
        return argument if argument in overrides else variable(cls, argument)

    return built(cls, settings_from_env(cls, overrides), name_of)


def settings_from_env(cls: type[Named], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's keyword arguments: `overrides`, and the environment for what they lack.

    An empty variable counts as one that is not set. A variable of this partner that no argument goes with
    is told in the log, once.

    Raises:
        ValueError: A required variable is missing, or one can't be read. The message names the variable,
            never the value.
    """
    settings = read_settings(cls, overrides)
    missing = [_wanted(cls, argument) for argument in missing_arguments(cls, settings)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ValueError(f"{', '.join(missing)} {verb} not set, and {cls.__name__} can't do without")
    return settings


def read_settings(cls: type[Named], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """As `settings_from_env`, without a word about what is missing."""
    if not cls.partner:
        raise ValueError(f"partner: {cls.__name__} needs a short name in this class attribute")
    arguments = arguments_of(cls)
    settings = dict(overrides)
    for name, argument in arguments.items():
        if argument.form is None or name in settings:
            continue
        for name_of_variable in _variables(cls, name):
            text = os.environ.get(name_of_variable)
            if text:
                settings[name] = read(argument.form, text, name_of_variable)
                break
    _tell_of_unknown(cls, arguments)
    return settings


def missing_arguments(cls: type[Named], settings: Mapping[str, Any]) -> list[Argument]:
    """The required arguments that settings lack."""
    return [
        argument
        for argument in arguments_of(cls).values()
        if argument.required and not argument.handed_on and argument.name not in settings
    ]


def built(cls: type[Auth], settings: Mapping[str, Any], name_of: Callable[[str], str]) -> Auth:
    """An auth from settings. Its complaints name what the user wrote: `name_of` an argument."""
    try:
        return cls(**settings)
    except ValueError as error:
        argument, _, why = str(error).partition(": ")
        name = name_of(argument) if argument in settings else argument
        if name == argument:
            raise
        message = f"{name}: {reworded(why, arguments_of(cls), name_of)}"
    except TypeError as error:
        lacking = [
            argument
            for argument in arguments_of(cls).values()
            if argument.required and argument.name not in settings and f"'{argument.name}'" in str(error)
        ]
        if not lacking:
            raise
        message = f"{name_of(lacking[0].name)} is not set, and {cls.__name__} can't do without"
    raise ValueError(message)


def variable(cls: type[Named], argument: str) -> str:
    """The environment variable of an argument."""
    return _prefix(cls) + argument.upper()


def read(form: Form, text: str, name: str) -> Any:
    """What a text means; `name` is what the user called it, for the complaint."""
    if not _is_text(text):
        raise ValueError(f"{name}: it is no text in UTF-8")
    try:
        return form.read(text)
    except ValueError as error:
        why = str(error)
    raise ValueError(f"{name}: {why}")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _prefix(cls: type[Named]) -> str:
    return f"PARTNERAUTH_{re.sub('[^0-9A-Za-z]', '_', cls.partner).upper()}_"


def _variables(cls: type[Named], argument: str) -> list[str]:
    own = variable(cls, argument)
    return [own, CACHE_VARIABLE] if argument == "cache" else [own]


def _wanted(cls: type[Named], argument: Argument) -> str:
    return f"{argument.name}= (an argument only)" if argument.form is None else variable(cls, argument.name)


def _tell_of_unknown(cls: type[Named], arguments: Mapping[str, Argument]) -> None:
    prefix = _prefix(cls)
    others = tuple(other for other in map(_prefix, _all_classes(cls)) if len(other) > len(prefix))
    known = [name.upper() for name, argument in arguments.items() if argument.form is not None]
    for name in sorted(os.environ):
        rest = name.removeprefix(prefix)
        if rest == name or rest in known or name.startswith(others) or name in _told_of:
            continue
        _told_of.add(name)
        close = difflib.get_close_matches(rest, known, 1)
        hint = f"; did you mean {prefix}{close[0]}?" if close else ""
        logger.warning("%s is no setting of %s and is passed over%s", name, cls.__name__, hint)


def _all_classes(cls: type[Named]) -> list[type[Named]]:
    known = [[base for base in cls.__mro__ if hasattr(base, "partner")][-1]]
    for base in known:
        known += base.__subclasses__()
    return [base for base in known if base.partner]
