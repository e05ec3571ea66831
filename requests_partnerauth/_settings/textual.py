"""Constructor arguments as texts: which ones an auth class takes, and how each is read from a text."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from ..caches._base import TokenCache
from .cache_choice import cache_named

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


_SECRET_WORDS = (
    "auth", "cookie", "credential", "credentials", "iv", "key", "otp", "pass", "passphrase", "passwd",
    "password", "pin", "pwd", "secret", "token",
)  # fmt: skip


class Form(NamedTuple):
    """How an argument is written: what stands for it in a help text, and what reads it."""

    metavar: str
    read: Callable[[str], Any]


class Argument(NamedTuple):
    """One argument of an auth's constructor.

    `form` is None where no text can stand for it, as for a callable. `handed_on` says that the class passes
    it to its superclass by ``**``, and may give it itself.
    """

    name: str
    form: Form | None
    required: bool
    handed_on: bool


def is_secret(argument: Argument) -> bool:
    """Whether an argument's name says that it holds a secret, as ``client_secret`` and ``api_key`` do."""
    is_switch = argument.form is not None and argument.form.metavar == "yes|no"
    return not is_switch and argument.name.rpartition("_")[2] in _SECRET_WORDS


def arguments_of(cls: type) -> dict[str, Argument]:
    """The arguments of a class's constructor by name, those included that it hands on by ``**``."""
    arguments: dict[str, Argument] = {}
    handed_on = False
    for base in cls.__mro__:
        constructor = vars(base).get("__init__")
        if not inspect.isfunction(constructor):
            continue
        constructor = inspect.unwrap(constructor)
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        for parameter in parameters:
            for argument in _arguments_of(parameter, constructor, handed_on=handed_on):
                arguments.setdefault(argument.name, argument)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
        handed_on = True
    return arguments


def _arguments_of(
    parameter: inspect.Parameter, constructor: Callable[..., Any], *, handed_on: bool
) -> Iterator[Argument]:
    hint = _resolved(parameter.annotation, constructor)
    if parameter.kind is parameter.VAR_KEYWORD:
        for name, member in _members(hint).items():
            yield Argument(name, _form(member), required=False, handed_on=True)
    elif parameter.kind is not parameter.VAR_POSITIONAL:
        required = parameter.default is parameter.empty
        if hint is None:
            hint = str if required or parameter.default is None else type(parameter.default)
        yield Argument(parameter.name, _form(hint), required, handed_on)


class _Unpack:
    """Stands for typing's Unpack, which modules import for type checkers alone."""

    def __class_getitem__(cls, members: Any) -> Any:
        return members


def _resolved(annotation: Any, constructor: Any) -> Any:
    """What an annotation means; None where there is none, or where it can't be known at run time."""
    if annotation is inspect.Parameter.empty:
        return None

    def probe() -> None: ...

    probe.__annotations__ = {"argument": annotation}
    try:
        return get_type_hints(probe, constructor.__globals__, {"Unpack": _Unpack})["argument"]
    except (AttributeError, NameError, SyntaxError, TypeError):
        return None


def _members(hint: Any) -> dict[str, Any]:
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and hasattr(kind, "__total__"):
            return get_type_hints(kind)
    return {}


def _alternatives(hint: Any) -> Iterator[Any]:
    # X | Y has a type of its own, which typing.Union is not before Python 3.14.
    if get_origin(hint) is Union or type(hint).__name__ == "UnionType":
        for part in get_args(hint):
            yield from _alternatives(part)
    else:
        yield hint


def _form(hint: Any) -> Form | None:
    kinds = list(_alternatives(hint))
    for fits, form in _FORMS:
        if any(fits(kind) for kind in kinds):
            return form
    return None


def _is_text(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return kind is str or kind is Any or origin is Literal


def _is_texts(kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple:
        return parts == (str, ...)
    return isinstance(origin, type) and issubclass(origin, Iterable) and parts == (str,)


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_cache(kind: Any) -> bool:
    # On Python 3.10 tuple[str, str] is an instance of type, which issubclass does not take.
    return get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, TokenCache)


def _text(text: str) -> str:
    return text


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(f"one of {', '.join(_TRUE + _FALSE)} is wanted")
    return word in _TRUE


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    # Raised outside the except, here and below: what a parser says quotes the text.
    raise ValueError("a number is wanted")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    raise ValueError("a whole number is wanted")


def _span(text: str) -> timedelta:
    word = text.strip().lower()
    unit = _UNITS.get(word.removesuffix("s"))
    if unit is not None:
        return unit
    try:
        return timedelta(seconds=float(word))
    except (ValueError, OverflowError):
        pass
    raise ValueError("seconds, minutes, hours, days or a number of seconds is wanted")


def _timeouts(text: str) -> float | tuple[float, float]:
    parts = text.split(",")
    if len(parts) > 2:
        raise ValueError("seconds are wanted, one number or connect,read")
    numbers = [_number(part) for part in parts]
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


def _pair(text: str) -> tuple[str, str]:
    first, colon, second = text.partition(":")
    if not colon:
        raise ValueError("user:password is wanted")
    return first, second


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)


def _mapping(text: str) -> dict[str, Any]:
    named = text.startswith("@")
    if named:
        text = _file_text(text[1:])
    members, where = None, ""
    try:
        members = json.loads(text)
    except json.JSONDecodeError as error:
        where = f": line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        pass
    if isinstance(members, dict):
        return members
    if named:
        raise ValueError(f"the file that it names holds no JSON object{where}")
    raise ValueError("a JSON object is wanted, or @ and the path of a file that holds one")


def _file_text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8-sig")
    except OSError as error:
        why = error.strerror or type(error).__name__
    except (RuntimeError, ValueError):
        why = "no text in UTF-8, or no path"
    raise ValueError(f"the file that it names can't be read ({why})")


_Fits = Callable[[Any], bool]

_FORMS: Collection[tuple[_Fits, Form]] = (
    (_is_cache, Form("CACHE", cache_named)),
    (_is_text, Form("TEXT", _text)),
    (lambda kind: kind is timedelta, Form("UNIT", _span)),
    (lambda kind: kind is bool, Form("yes|no", _truth)),
    (lambda kind: kind == tuple[float, float], Form("SECONDS[,SECONDS]", _timeouts)),
    (lambda kind: kind is float, Form("NUMBER", _number)),
    (lambda kind: kind is int, Form("NUMBER", _whole)),
    (lambda kind: kind == tuple[str, str], Form("USER:PASSWORD", _pair)),
    (_is_texts, Form("TEXT,TEXT", _texts)),
    (_is_mapping, Form("JSON|@FILE", _mapping)),
)
