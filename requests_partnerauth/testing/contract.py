"""The contract that every partner's class keeps, the five's own and anybody's."""

from __future__ import annotations

import copy
import os
import pickle  # nosec B403  # what it loads it has just dumped
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests

from .._auth import PartnerAuth
from .._settings.from_env import variable
from .._settings.textual import arguments_of
from ..caches.memory import MemoryTokenCache
from ..errors import ForeignOrigin, LoginRejected
from .played import PlayedPartner, holds, reply_of
from .reading import echoes, logged, readable_in
from .samples import Samples, as_text

_THREADS = 16
_OVERLAP = 0.2
_BODY = bytes(range(128, 256)) * 80


class PartnerContract(Samples):
    """What holds for every partner. Subclass it, say what the partner's document says, and let pytest run it.

    A partner is played on a loopback socket from the samples: each is a JSON value, answered with 200, or a
    pair of status and JSON value; None is an empty body. What is wrong with the class fails a test that
    says it. Nothing else is needed: no server, no fixture.

    Attributes:
        auth_class: The class.
        arguments: Its arguments, all but `base_url`; made-up credentials.
        login_reply: The reply to a good login. An end that it names lies ahead.
        rejection: The reply to a login with wrong credentials.
        expiry: The reply to a call whose token is no longer good.
        good_reply: The reply to a good call, where the class wants a certain one.

    A login of several steps also overrides `earlier_step`. The class stands at the top of its module, so
    that it can be pickled.
    """

    def test_building_one_sends_nothing(self) -> None:
        """The partner hears of an auth with the first request, not before."""
        with self.play() as partner:
            self.build(partner)
            if partner.steps or partner.calls:
                raise self.wrong("__init__ sends something; an auth logs in with its first request")

    def test_the_first_request_logs_in_and_later_ones_do_not(self) -> None:
        """One login serves every request, and each carries the token."""
        with self.play() as partner, requests.Session() as session:
            self.learn(partner)
            session.auth = self.build(partner)
            for _ in range(3):
                if self.ask(session, partner).content != partner.good.body:
                    raise self.wrong("the token is not in the request; `placement` says where it goes")
            if partner.logins != 1:
                raise self.wrong(
                    f"{partner.logins} logins for three requests, 1 is wanted; does its token end at once?"
                )

    def test_sixteen_threads_share_one_login(self) -> None:
        """Whoever comes while a login is under way takes part in it, cold and after an expiry."""
        with self.play() as partner:
            self.learn(partner)
            auth, partner.overlap = self.build(partner), _OVERLAP
            for moment in ("cold", "after an expiry"):
                answers = _together(lambda: requests.get(partner.url(), auth=auth, timeout=60))
                failed = [answer for answer in answers if isinstance(answer, BaseException)]
                if failed:
                    raise self.wrong(f"{len(failed)} of {_THREADS} threads failed, {moment}: {failed[0]!r}")
                if partner.logins != 1:
                    raise self.wrong(f"{partner.logins} logins for {_THREADS} threads, {moment}; 1 is wanted")
                partner.reset()
                partner.revoked = True

    def test_an_expiry_signal_costs_one_login_and_one_resend(self) -> None:
        """The refused request is sent once more with a new token, its body byte for byte the same."""
        with self.play() as partner, requests.Session() as session:
            self.learn(partner)
            session.auth = auth = self.build(partner)
            self.ask(session, partner)
            partner.reset()
            partner.revoked = True
            headers = {"Content-Type": "application/octet-stream"}
            answer = self.ask(session, partner, method="POST", data=_BODY, headers=headers)
            if not auth.signals_expiry(answer.history[0] if answer.history else answer):
                raise self.wrong("signals_expiry says no to `expiry`")
            if (partner.logins, len(partner.calls)) != (1, 2) or answer.content != partner.good.body:
                raise self.wrong(
                    f"an expiry led to {partner.logins} logins and {len(partner.calls)} sendings, and "
                    f"HTTP {answer.status_code}; 1 login, 2 sendings and the good reply are wanted"
                )
            if {call.body for call in partner.calls} != {_BODY}:
                raise self.wrong(
                    "the body was changed on its way; `placement` leaves what is no JSON or form as it is"
                )

    def test_a_good_reply_is_no_expiry_signal(self) -> None:
        """JSON, a file or nothing at all that comes with 200 starts no login."""
        with self.play() as partner, requests.Session() as session:
            self.learn(partner)
            session.auth = self.build(partner)
            for good in (partner.good, reply_of([]), reply_of(None), reply_of({"note": "no token here"})):
                partner.good = good
                self.ask(session, partner)
            if partner.logins != 1 or len(partner.calls) != 4:
                raise self.wrong("signals_expiry takes a good reply for an expiry")

    def test_the_expiry_markers_stand_in_the_expiry(self) -> None:
        """A body without any of the markers is not looked into, so a signal needs one."""
        with self.play() as partner:
            markers = self.build(partner).expiry_markers
            if not isinstance(markers, tuple) or not all(isinstance(marker, bytes) for marker in markers):
                raise self.wrong("expiry_markers: a tuple of bytes is wanted")
            found = any(marker in partner.expiry.body for marker in markers)
            if markers and partner.expiry.status != 401 and not found:
                raise self.wrong(
                    "no one of its expiry_markers stands in `expiry`, so that this is never noticed"
                )

    def test_refused_credentials_are_tried_once(self) -> None:
        """A rejection is told as LoginRejected, and remembered: a loop can't lock the account."""
        with self.play(rejecting=True) as partner:
            auth = self.build(partner)
            for _ in range(3):
                error = _error_of(auth)
                if not isinstance(error, LoginRejected):
                    raise self.wrong(
                        f"`rejection` is told as {error!r}; parse_login raises LoginRejected for it"
                    )
            if partner.logins != 1:
                raise self.wrong(f"refused credentials were sent {partner.logins} times; once is wanted")

    def test_what_shapes_the_login_tells_accounts_apart(self) -> None:
        """Who has other credentials never sees the token: they belong to `account` or `secret`."""
        with self.play() as partner:
            auth = self.build(partner)
            if (
                auth.account is None
                or auth.secret is None
                or self.first_step(auth) != self.first_step(self.build(partner))
            ):
                return
            for name, value in self.arguments.items():
                other = self._built_with(partner, name, value)
                if other is None or self.first_step(other) == self.first_step(auth):
                    continue
                if (other.account, other.secret) == (auth.account, auth.secret):
                    raise self.wrong(
                        f"another {name} makes another login, and is in neither account nor secret"
                    )

    def _built_with(self, partner: PlayedPartner, name: str, value: object) -> PartnerAuth | None:
        if not isinstance(value, str):
            return None
        arguments: dict[str, Any] = {**self.arguments, "base_url": partner.base_url, name: value + "x"}
        try:
            return self.auth_class(**arguments)
        except Exception:
            return None

    def test_the_token_stays_at_home(self) -> None:
        """A redirect to a foreign host takes neither token nor secret along, before and after a resend."""
        with self.play() as partner, requests.Session() as session:
            value = self.learn(partner).value
            session.auth = auth = self.build(partner)
            for revoked in (False, True):
                partner.revoked = revoked
                for body in ({"json": {"order": 7}}, {"data": {"order": 7}}, {"data": _BODY}):
                    self.ask(session, partner, method="POST", url=partner.redirect_url(), **body)
            if len(partner.abroad) != 6:
                raise self.wrong(
                    f"{6 - len(partner.abroad)} of 6 redirects to a foreign host were not followed"
                )
            secrets = {"the token": value, **self.secrets_of(auth)}
            for name, secret in secrets.items():
                if any(holds(call, secret) for call in partner.abroad):
                    raise self.wrong(
                        f"a redirect takes {name} to a foreign host; does `placement` remove all it placed?"
                    )
            partner.reset()
            with suppress(ForeignOrigin):
                session.get(partner.foreign_url, timeout=60)
            if partner.abroad:
                raise self.wrong(
                    "a request to a foreign host was sent; who overrides __call__ calls super().__call__"
                )

    def test_no_secret_is_told(self) -> None:
        """Neither repr, log nor error shows a secret, not even where the partner's own words repeat it."""
        with logged() as lines:
            told = list(self._told())
        told.append(("the log", "\n".join(lines)))
        with self.play() as partner:
            auth = self.build(partner)
            secrets = {**self.secrets_of(auth), "the token": self.log_in(auth).value}
        for name, secret in secrets.items():
            for where, text in told:
                if secret in text:
                    raise self.wrong(
                        f"{name} can be read in {where}; what `secrets()` names is cut out of messages"
                    )

    def _told(self) -> Iterator[tuple[str, str]]:
        with self.play() as partner, requests.Session() as session:
            self.learn(partner)
            session.auth = auth = self.build(partner)
            self.ask(session, partner)
            yield "its repr", f"{auth!r} {auth} {auth.token()!r} {auth.who()}"
            secrets = self.secrets_of(auth).values()
        with self.play(rejecting=True) as partner:
            yield "the error of a refused login", readable_in(_error_of(self.build(partner)))
            for sample in echoes(reply_of(self.rejection).body, " ".join(secrets)):
                partner.login = reply_of((partner.login.status, sample))
                error = _error_of(self.build(partner))
                yield "an error whose words the partner made of it", readable_in(error)

    def test_a_copy_is_as_good(self) -> None:
        """An auth, and a session with it, can be pickled and copied; the token stays behind."""
        with self.play() as partner:
            self.learn(partner)
            auth = self.build(partner)
            value = self.log_in(auth).value
            try:
                pickled = pickle.dumps(auth)
                copies = {"pickle": pickle.loads(pickled), "copy": copy.copy(auth)}  # noqa: S301  # nosec B301  # our own
                copies["deep copy"] = copy.deepcopy(auth)
            except Exception as error:
                raise self.wrong(f"it can't be pickled or copied: {error!r}") from None
            if value.encode() in pickled:
                raise self.wrong("its pickle holds the token; keep no token on the auth")
            for name, other in copies.items():
                with requests.Session() as session:
                    session.auth = other
                    if self.ask(session, partner).content != partner.good.body:
                        raise self.wrong(f"a {name} of it does not send the token")

    def test_it_can_be_built_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`from_env` finds every argument that a text can stand for, and makes the same account of them."""
        with self.play() as partner:
            auth = self.build(partner)
            forms = {name: found.form for name, found in arguments_of(self.auth_class).items()}
            for name in [each for each in os.environ if each.startswith(variable(self.auth_class, ""))]:
                monkeypatch.delenv(name)
            others: dict[str, Any] = {"cache": MemoryTokenCache()}
            for name, value in {**self.arguments, "base_url": partner.base_url}.items():
                form = forms.get(name)
                text = None if form is None else as_text(value, form.metavar)
                if text is None:
                    others[name] = value
                else:
                    monkeypatch.setenv(variable(self.auth_class, name), text)
            try:
                found = self.auth_class.from_env(**others)
            except Exception as error:
                raise self.wrong(f"from_env: {type(error).__name__}: {error}") from None
            if (found.account, found.secret) != (auth.account, auth.secret):
                raise self.wrong("from_env makes another account than the arguments; are they annotated?")
            self.log_in(found)


def _together(action: Callable[[], Any]) -> list[Any]:
    outcomes: list[Any] = [None] * _THREADS
    barrier = threading.Barrier(_THREADS)

    def run(number: int) -> None:
        barrier.wait(60)
        try:
            outcomes[number] = action()
        except BaseException as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes


def _error_of(auth: PartnerAuth) -> BaseException:
    try:
        auth.token()
    except Exception as error:
        return error
    return AssertionError("a token")
