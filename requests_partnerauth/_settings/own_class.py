"""A class that a text names as ``module:Class``: a partner of the user's own."""

from __future__ import annotations

import inspect
import os
import re
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from .whose import is_authors

_Base = TypeVar("_Base")

_FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def names_a_class(text: str) -> bool:
    """Whether a text has the form ``module:Class``."""
    return _FORM.fullmatch(text) is not None


def class_named(text: str, base: type[_Base]) -> type[_Base]:
    """The class that ``module:Class`` names, which is one to build; modules of this directory are found.

    Args:
        text: What names it.
        base: The class that it must be derived from.

    Raises:
        ValueError: There is none; the message says whether it is the module or the class, and what to do.
    """
    if not names_a_class(text):
        raise ValueError("module:Class is wanted, such as acme_api:AcmeAuth")
    module_name, _, name = text.partition(":")
    cls = getattr(_module(module_name), name, None)
    if cls is None:
        raise ValueError(f"{module_name} has no {name}")
    if not isinstance(cls, type) or not issubclass(cls, base):
        raise ValueError(f"{name} is no class derived from {base.__name__}")
    lacking = _lacking(cls, base)
    if lacking:
        raise ValueError(f"{name} is not finished: it lacks {', '.join(lacking)}")
    return cls


def place(error: BaseException) -> str:
    """What went wrong in the user's code, by kind and line; nothing of its text, which may hold anything."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__} in {Path(error.filename).name}, line {error.lineno}"
    steps = [step for step in traceback.walk_tb(error.__traceback__) if is_authors(step[0])]
    if not steps:
        return type(error).__name__
    frame, line = steps[-1]
    return f"{type(error).__name__} in {Path(frame.f_code.co_filename).name}, line {line}"


def _module(name: str) -> object:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        lacking = error.name or ""
        if f"{name}.".startswith(f"{lacking}."):
            why = f"there is no module {lacking}, neither here nor among what is installed"
        else:
            why = f"{name} can't be imported: there is no module {lacking}"
    except (Exception, SystemExit) as error:
        why = f"{name} can't be imported: {place(error)}"
    raise ValueError(why)


def _lacking(cls: type, base: type) -> list[str]:
    if inspect.isabstract(cls):
        return sorted(getattr(cls, "__abstractmethods__", ()))
    lacking = [] if getattr(cls, "partner", "") else ["partner"]
    if _is_inherited("login_flow", cls, base):
        lacking += [name for name in ("login_request", "parse_login") if _is_inherited(name, cls, base)]
    return lacking


def _is_inherited(name: str, cls: type, base: type) -> bool:
    return getattr(cls, name) is getattr(base, name)
