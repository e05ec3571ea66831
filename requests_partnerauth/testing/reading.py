"""All that can be read of an error and in a log: where a secret would show."""

from __future__ import annotations

import copy
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

_MOST_ECHOES = 12


def readable_in(error: BaseException) -> str:
    """An error's text, repr, traceback, and the request and response that it carries."""
    told = [str(error), repr(error), *traceback.format_exception(type(error), error, error.__traceback__)]
    response, request = getattr(error, "response", None), getattr(error, "request", None)
    if isinstance(response, requests.Response):
        told += [str(response.url), str(response.reason), str(response.headers), response.text]
    if isinstance(request, requests.PreparedRequest):
        told += [str(request.url), str(request.headers), str(request.body)]
    return "\n".join(told)


@contextmanager
def logged() -> Iterator[list[str]]:
    """Every line that is logged meanwhile, from DEBUG on; urllib3 alone, which logs each URL, is left out."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    keeper = Keeper()
    root = logging.getLogger()
    wanted = {"": logging.DEBUG, "requests_partnerauth": logging.DEBUG, "urllib3": logging.WARNING}
    levels = {name: logging.getLogger(name).level for name in wanted}
    root.addHandler(keeper)
    try:
        for name, level in wanted.items():
            logging.getLogger(name).setLevel(level)
        yield lines
    finally:
        root.removeHandler(keeper)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def echoes(body: bytes, words: str) -> Iterator[Any]:
    """A rejection with these words in one of its texts, one text after the other."""
    sample = json.loads(body or b"{}")
    for place in list(_texts(sample))[:_MOST_ECHOES]:
        changed = copy.deepcopy(sample)
        at = changed
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] += " " + words
        yield changed


def _texts(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        yield from [(*place, name)] if isinstance(member, str) else _texts(member, (*place, name))
