"""What the author of a partner's class gives to its contract: the class, its arguments and samples."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import requests

from .._auth import PartnerAuth
from .._token import Token
from ..caches.memory import MemoryTokenCache
from ..errors import PartnerAuthError
from ..simulator import Call
from .played import PlayedPartner, reply_of

_TELLING = ("pass", "secret", "key", "pin", "token")


class Samples:
    """The class under test and what its partner's document says; see `PartnerContract`."""

    auth_class: ClassVar[type[PartnerAuth]]
    arguments: ClassVar[Mapping[str, Any]]
    login_reply: ClassVar[Any]
    rejection: ClassVar[Any]
    expiry: ClassVar[Any]
    good_reply: ClassVar[Any] = {"played": "good"}

    def earlier_step(self, call: Call) -> Any:
        """The sample that answers a step of the login before its last; None (the default): it is the last."""
        return None

    def wrong(self, why: str) -> BaseException:
        """What a test raises to say what is wrong with the class, without a traceback."""
        name = getattr(getattr(self, "auth_class", None), "__name__", type(self).__name__)
        return pytest.fail.Exception(f"{name}: {why}", pytrace=False)

    @contextmanager
    def play(self, *, rejecting: bool = False) -> Iterator[PlayedPartner]:
        """The partner on a loopback socket; with `rejecting` it refuses every login."""
        names = ("auth_class", "arguments", "login_reply", "rejection", "expiry")
        lacking = [name for name in names if not hasattr(self, name)]
        if lacking:
            raise self.wrong(f"set {', '.join(lacking)} on {type(self).__name__}")

        def earlier_step(call: Call) -> Any:
            sample = self.earlier_step(call)
            return None if sample is None else reply_of(sample)

        login = reply_of(self.rejection if rejecting else self.login_reply)
        with pytest.MonkeyPatch.context() as patch:
            for name in ("NO_PROXY", "no_proxy"):
                patch.setenv(name, "127.0.0.1")
            with PlayedPartner(
                login, reply_of(self.expiry), reply_of(self.good_reply), earlier_step
            ) as partner:
                yield partner

    def build(self, partner: PlayedPartner, **more: Any) -> PartnerAuth:
        """An auth with `arguments`, the played base URL and a memory of its own."""
        arguments = {"cache": MemoryTokenCache(), **self.arguments, "base_url": partner.base_url, **more}
        try:
            return self.auth_class(**arguments)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
        raise self.wrong(
            f"it can't be built from `arguments`, base_url and cache ({why}); __init__ takes base_url and "
            "**common and hands both on to super().__init__"
        )

    def log_in(self, auth: PartnerAuth) -> Token:
        """The auth's token."""
        try:
            token = auth.token()
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
        else:
            if token.expires_at is None or token.expires_at > time.time():
                return token
            why = "its token has ended already; make the end in the sample lie ahead"
        raise self.wrong(f"`login_reply` gave no token: {why}")

    def first_step(self, auth: PartnerAuth) -> list[object]:
        """What the first request of a login says."""
        try:
            request = next(auth.login_flow(None))
        except Exception as error:
            raise self.wrong(f"its login can't be begun: {type(error).__name__}: {error}") from None
        parts = ("method", "url", "headers", "params", "data", "json", "auth")
        return [getattr(request, part) for part in parts]

    def learn(self, partner: PlayedPartner) -> Token:
        """Let the partner know the token of `login_reply`, by a login of an auth that is then forgotten."""
        token = self.log_in(self.build(partner))
        partner.value = token.value
        partner.reset()
        return token

    def ask(self, session: requests.Session, partner: PlayedPartner, **request: Any) -> requests.Response:
        """The answer to a call, by GET unless told otherwise."""
        try:
            return session.request(**{"method": "GET", "url": partner.url(), "timeout": 60, **request})
        except PartnerAuthError as error:
            why = f"{type(error).__name__}: {error}"
        raise self.wrong(f"a request got no token: {why}")

    def secrets_of(self, auth: PartnerAuth) -> dict[str, str]:
        """What nobody may read, by where it comes from: `secrets()`, and arguments that sound like it."""
        named = {
            f"argument {name}": value
            for name, value in self.arguments.items()
            if isinstance(value, str) and any(word in name.lower() for word in _TELLING) and len(value) > 3
        }
        others = {f"secrets()[{number}]": secret for number, secret in enumerate(auth.secrets()) if secret}
        return {**others, **named}


def as_text(value: object, metavar: str) -> str | None:
    """An argument as the environment writes it; None where no text stands for it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, (tuple, list)) and all(isinstance(part, str) for part in value):
        return (":" if metavar.startswith("USER") else ",").join(value)
    return str(value) if isinstance(value, (str, int, float)) and value != "" else None
