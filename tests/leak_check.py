"""Looks for secrets in everything that can be reached from an error, and in the log."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests
from conftest import AUTH_CLASSES, make_auth

from requests_partnerauth import (
    PartnerAuth,
)
from requests_partnerauth.simulator import Call, SimulatedPartner

HARD = 'p+%&=#é:ü "\\/€x'


VIA = {"bex": [{}, {"login_via": "query"}, {"login_via": "get"}]}
AUTHS = [
    pytest.param(name, more, id="-".join([name, *more.values()]))
    for name in AUTH_CLASSES
    for more in VIA.get(name, [{}])
]


@contextmanager
def all_records() -> Iterator[list[logging.LogRecord]]:
    """Every record that a logger of the library makes, from DEBUG on."""
    made: list[logging.LogRecord] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            made.append(record)

    logger, keeper = logging.getLogger("requests_partnerauth"), Keeper()
    level = logger.level
    logger.addHandler(keeper)
    logger.setLevel(logging.DEBUG)
    try:
        yield made
    finally:
        logger.removeHandler(keeper)
        logger.setLevel(level)


def secrets_of(auth: PartnerAuth, *tokens: str) -> set[str]:
    """Everything of an auth that may be read nowhere, in the spellings in which requests sends it."""
    plain = [*auth.secrets(), *tokens]
    written = {spelling(secret) for secret in plain for spelling in (str, quote, quote_plus)}
    request = auth.login_request().prepare()
    written |= {value for name, value in request.headers.items() if name in ("HMAC", "Authorization")}
    return {secret for secret in written if secret}


def everything_in(thing: object) -> str:
    """All texts that can be reached from an object: attributes, items, causes, formatted tracebacks."""
    found: list[str] = []
    seen: list[object] = []
    waiting: list[object] = [thing]
    no_way_on = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType,
                 types.TracebackType, types.FrameType, threading.Thread, PartnerAuth,
                 socket.socket)  # fmt: skip
    while waiting:
        at = waiting.pop()
        if at is None or isinstance(at, (*no_way_on, bool, int, float)) or any(at is one for one in seen):
            continue
        seen.append(at)
        if isinstance(at, (bytes, bytearray)):
            found.append(bytes(at).decode("latin-1"))
            continue
        found += [str(at), repr(at)]
        if isinstance(at, BaseException):
            found += traceback.format_exception(at)
            waiting += [at.__cause__, at.__context__, *at.args, getattr(at, "__notes__", None)]
        if isinstance(at, dict):
            waiting += [*at.keys(), *at.values()]
        elif isinstance(at, (list, tuple, set, frozenset)):
            waiting += list(at)
        elif hasattr(at, "items") and not isinstance(at, (str, requests.cookies.RequestsCookieJar)):
            waiting += [list(at.items())]
        waiting += list(getattr(at, "__dict__", {}).values())
        waiting += [getattr(at, name, None) for name in getattr(type(at), "__slots__", ())]
    return "\n".join(found)


def of_logs(records: list[logging.LogRecord]) -> str:
    formatter = logging.Formatter()
    return "\n".join(
        f"{formatter.format(record)} {record.args!r} {everything_in(record.exc_info)}" for record in records
    )


def assert_no_secret(
    auth: PartnerAuth, error: BaseException, records: list[logging.LogRecord], *tokens: str
) -> None:
    """Neither the error, nor what hangs on it, nor a copy out of a pickle, nor the log knows a secret."""
    kept = pickle.loads(pickle.dumps(error))
    assert type(kept) is type(error)
    assert str(kept) == str(error)
    told = "\n".join([everything_in(error), everything_in(kept), of_logs(records), repr(auth), str(auth)])
    for secret in secrets_of(auth, *tokens):
        assert secret not in told


def hard_auth(partner: SimulatedPartner, **arguments: Any) -> PartnerAuth:
    """An auth with a password that is written in many ways, where the partner has passwords."""
    hard = {"password": HARD} if partner.secret_field == "password" else {}
    if partner.name == "rp-gateway":
        hard["gateway_auth"] = ("gate", HARD + "too")
    return make_auth(partner, **{"login_timeout": (10, 10), **hard, **arguments})


def echo_of(call: Call) -> str:
    """All that a login said, as a partner might repeat it; what is secret first, for messages are cut off."""
    dull = ("host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "content-type")
    telling = [f"{name}: {value}" for name, value in call.headers.items() if name.lower() not in dull]
    return " ".join([*telling, call.url, call.body.decode(), str(dict(call.headers))])


class QuickClock:
    """Real time, and pauses that take none."""

    def __init__(self) -> None:
        import time

        self.monotonic, self.wall = time.monotonic, time.time

    def sleep(self, seconds: float) -> None:
        pass
