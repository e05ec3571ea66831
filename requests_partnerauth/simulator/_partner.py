"""What all simulated partners share: their memory and the controls of a test."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from attrs import define, field

from . import _special
from ._messages import Call, Reply
from ._mischief import KINDS, Answer, Mischief, make, misbehave_after, misbehave_before
from ._tokens import Grant, TokenMemory
from ._wire_facts import Account, Replies, WireFacts

REMEMBERED_CALLS = 20_000


class Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
"""A `ttl` that the login reply does not state."""


@define(eq=False, slots=False)
class SimulatedPartner(WireFacts):
    """One partner: a callable from `Call` to `Reply`, with memory and with controls for a test.

    Thread-safe: one lock guards the memory and is never held while a delay passes or a test's own callable
    runs (`clock` excepted). Attributes may be set at any time and hold from the next call on.
    """

    name: ClassVar[str]
    credential_fields: ClassVar[tuple[str, ...]]
    secret_field: ClassVar[str] = "password"
    body_signal: ClassVar[str]
    token_fields: ClassVar[frozenset[str]] = frozenset()

    base_url: str = field(init=False)
    login_path: str = "/login"
    one_session: bool = False
    lifetime: float | None = None
    ttl: object = ABSENT
    clock: Callable[[], float] = time.monotonic
    login_delay: float = 0.0
    reply_delay: float = 0.0
    same_value: str | None = field(default=None, repr=False)

    accounts: list[Account] = field(init=False, repr=False)
    expiry_signals: Replies = field(init=False, repr=False)
    expiry_signal: str = field(init=False)
    business_errors: Replies = field(init=False, repr=False)
    login_errors: Replies = field(init=False, repr=False)
    login_outages: Replies = field(init=False, repr=False)
    login_complaints: Replies = field(init=False, repr=False)

    logins: int = field(default=0, init=False)
    login_attempts: int = field(default=0, init=False)
    refused_logins: int = field(default=0, init=False)
    refusals: int = field(default=0, init=False)
    accepted: int = field(default=0, init=False)
    always_refused: int = field(default=0, init=False)
    misbehaved: Counter[str] = field(factory=Counter, init=False, repr=False)
    calls: list[Call] = field(factory=list, init=False, repr=False)
    login_calls: list[Call] = field(factory=list, init=False, repr=False)
    issued: list[str] = field(factory=list, init=False, repr=False)

    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    _tokens: TokenMemory = field(factory=TokenMemory, init=False, repr=False)
    _answers: dict[str, Answer] = field(factory=dict, init=False, repr=False)
    _login_answer: Answer | None = field(default=None, init=False, repr=False)
    _login_answers_left: int | None = field(default=None, init=False, repr=False)
    _mischief: Mischief | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Open the main account and look up what this partner answers."""
        self.base_url = f"https://{self.name}.simulator.test"
        self.accounts = [self._main_account()]
        self.expiry_signals = self._expiry_signals()
        self.expiry_signal = self._default_expiry_signal()
        self.business_errors = self._business_errors()
        self.login_errors = self._login_errors()
        self.login_outages = self._login_outages()
        self.login_complaints = self._login_complaints()

    def _echo(self, call: Call) -> dict[str, Any]:
        return _special.echo(call, self.token_fields)

    def _answer_api(self, call: Call) -> Reply:
        """The reply to an API call with a good token."""

        def success(members: dict[str, Any]) -> Reply:
            return self._success({**members, "echo": self._echo(call)})

        return _special.special(call, success, self.business_errors) or success({})

    @property
    def credentials(self) -> dict[str, Any]:
        """Good constructor arguments for the main account, `base_url` included; a fresh dict each time."""
        return {**self.accounts[0], "base_url": self.base_url}

    @property
    def live_tokens(self) -> set[str]:
        """The values that the partner would accept now."""
        with self._lock:
            return self._tokens.values(now=self.clock(), lifetime=self.lifetime)

    def add_account(self, **fields: Any) -> None:
        """Open a further account; a field that is not given is as in the main account.

        `base_url` and other constructor arguments that make no account are accepted and ignored.
        """
        given = {name: value for name, value in fields.items() if name in self.credential_fields}
        main = {name: value for name, value in self.accounts[0].items() if name in self.credential_fields}
        with self._lock:
            self.accounts.append({**main, **given})

    def change_password(self, new: str) -> None:
        """Change the main account's secret, in `credentials` too; tokens stay good."""
        with self._lock:
            self.accounts[0][self.secret_field] = new

    def revoke(self) -> None:
        """End all live tokens now."""
        with self._lock:
            self._tokens.clear()

    def login_elsewhere(self) -> str:
        """Log the main account in as another client would; its token is neither counted nor `issued`."""
        with self._lock:
            return self._grant(self.accounts[0], "")

    def answer_logins(self, reply: Answer | None, times: int | None = None) -> None:
        """Answer the next `times` logins (all, where None) with this; `answer_logins(None)` ends it."""
        with self._lock:
            self._login_answer = reply
            self._login_answers_left = times

    def answer(self, path_prefix: str, reply: Answer | None) -> None:
        """Answer API calls under a path with this, whatever their token; None ends it."""
        with self._lock:
            if reply is None:
                self._answers.pop(path_prefix, None)
            else:
                self._answers[path_prefix] = reply

    def misbehave(
        self,
        rng: random.Random,
        *,
        rate: float = 0.05,
        kinds: tuple[str, ...] = KINDS,
        login_kinds: tuple[str, ...] | None = None,
    ) -> None:
        """Misbehave at random until `behave()`, at this rate for each kind; logins in other ways where given.

        "refuse" is HTTP 401, "body" an expiry signal in the body, "outage" HTTP 503, "truncate" a body cut in
        two, "reset" no answer at all, "delay" 300 ms more. `misbehaved` counts them.
        """
        unknown = {*kinds, *(login_kinds or ())} - set(KINDS)
        if unknown:
            raise ValueError(f"unknown kinds of misbehaviour: {sorted(unknown)}")
        with self._lock:
            self._mischief = Mischief(rng, rate, kinds, kinds if login_kinds is None else login_kinds)

    def behave(self) -> None:
        """End `misbehave()`."""
        with self._lock:
            self._mischief = None

    def reset_counts(self) -> None:
        """Forget what was counted and which calls were seen; tokens and `issued` stay."""
        with self._lock:
            self.logins = self.login_attempts = self.refused_logins = 0
            self.refusals = self.accepted = self.always_refused = 0
            self.misbehaved.clear()
            self.calls.clear()
            self.login_calls.clear()

    def __call__(self, call: Call) -> Reply:
        """Answer one call; waits as long as the answer is delayed."""
        reply = self._log_in(call) if self._is_login(call) else self._serve(call)
        _wait(reply.delay)
        return reply

    def _log_in(self, call: Call) -> Reply:
        with self._lock:
            self.login_attempts += 1
            _remember(self.login_calls, call)
            answer, mischief = self._next_login_answer(), self._draw(login=True)
        _wait(self.login_delay)
        early = answer and make(answer, call)
        if not early:
            early = misbehave_before(
                mischief, refusal=self.expiry_signals["status"], body=self.expiry_signals[self.body_signal]
            )
        return early or misbehave_after(mischief, self._judge_login(call))

    def _next_login_answer(self) -> Answer | None:
        if self._login_answers_left is None:
            return self._login_answer
        if self._login_answers_left <= 0:
            return None
        self._login_answers_left -= 1
        return self._login_answer

    def _judge_login(self, call: Call) -> Reply:
        account = self._turned_away(call) or self._account_of(call)
        with self._lock:
            if isinstance(account, Reply):
                self.refused_logins += 1
                return account
            value = self._grant(account, self._kind_of_login(call))
            self.logins += 1
            self.issued.append(value)
        return self._granted(value, account)

    def _grant(self, account: Account, kind: str) -> str:
        value = self.same_value or self._new_value()
        self._tokens.add(Grant(value, kind, account, self.clock()), one_session=self.one_session)
        return value

    def _serve(self, call: Call) -> Reply:
        with self._lock:
            _remember(self.calls, call)
            mischief = self._draw(login=False)
            prefixes = [prefix for prefix in self._answers if call.path.startswith(prefix)]
            answer = self._answers[max(prefixes, key=len)] if prefixes else None
        early = self._turned_away(call) or misbehave_before(
            mischief, refusal=self.expiry_signals["status"], body=self.expiry_signals[self.body_signal]
        )
        if not early and answer:
            early = make(answer, call)
        reply = early or misbehave_after(mischief, self._without_token(call) or self._judge_call(call))
        _wait(self.reply_delay)
        return reply

    def _judge_call(self, call: Call) -> Reply:
        value = self._token_of(call)
        with self._lock:
            if call.path == "/always-refuse":
                self.always_refused += 1
                return self.expiry_signals["status"]()
            grant = value and self._tokens.find(
                self._kind_of_call(call), value, now=self.clock(), lifetime=self.lifetime
            )
            if not grant or not self._belongs(call, grant.account):
                self.refusals += 1
                return self.expiry_signals[self.expiry_signal]()
            self.accepted += 1
        return self._answer_api(call)

    def _draw(self, *, login: bool) -> str | None:
        kind = self._mischief.draw(login=login) if self._mischief else None
        if kind:
            self.misbehaved["login-" + kind if login else kind] += 1
        return kind

    def _first_login_error(self) -> Reply:
        return next(iter(self.login_errors.values()))()

    def _with_ttl(self, members: dict[str, Any]) -> dict[str, Any]:
        return members if self.ttl is ABSENT else {**members, "ttl": self.ttl}


def _remember(calls: list[Call], call: Call) -> None:
    if len(calls) >= REMEMBERED_CALLS:
        del calls[: REMEMBERED_CALLS // 2]
    calls.append(call)


def _wait(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)
