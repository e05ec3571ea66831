"""One login: its flow, begun anew after an outage as long as the time allows, and what came of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from .._engine.clock import Clock
from .._engine.flying import Lease
from .._engine.outcome import Failure
from .._token import Token, secrets_of
from .answers import Answers
from .origins import Origins

if TYPE_CHECKING:
    from .conversation import Conversation
    from .outage import Outage
    from .wire import Wire

logger = logging.getLogger(__name__)

_RETRY = Retry(total=2, backoff_factor=0.3)


class Login:
    """How one auth logs in and out. Holds no token; every call is one login, with its retries.

    Args:
        answers: What the partner says about its login.
        session: The user's transport for logins; None makes one for each login.
        timeouts: Seconds to connect and to read; together they bound the whole login.
        rejection_cooldown: Seconds in which refused credentials are not tried again.
        clock: What tells the time.
        origins: Where a login's requests may go.
        keeps_cookies: Whether the cookies of a login stay with its token.
    """

    __slots__ = (
        "_answers", "_clock", "_origins", "_session", "_timeouts", "keeps_cookies", "rejection_cooldown",
    )  # fmt: skip

    def __init__(
        self,
        answers: Answers,
        session: requests.Session | None,
        timeouts: tuple[float, float],
        rejection_cooldown: float,
        clock: Clock,
        origins: Origins,
        *,
        keeps_cookies: bool = False,
    ) -> None:
        _load()
        self.rejection_cooldown = rejection_cooldown
        self._answers = answers
        self._session = session
        self._timeouts = timeouts
        self._clock = clock
        self._origins = origins
        self.keeps_cookies = keeps_cookies

    @property
    def limit(self) -> float:
        """How many seconds a whole login may take."""
        return sum(self._timeouts)

    def of(self, answers: Answers) -> Login:
        """The same for a copy of whoever gave the answers."""
        return Login(
            answers, self._session, self._timeouts, self.rejection_cooldown, self._clock, self._origins,
            keeps_cookies=self.keeps_cookies,
        )  # fmt: skip

    def __call__(
        self, reason: str, previous: Token | None = None, lease: Lease | None = None
    ) -> Token | Failure:
        """Log in once. What it raises was thrown in from outside; all else is a `Failure`.

        Args:
            reason: Why, for the log.
            previous: The account's last token.
            lease: What is asked before its refresh token is sent; None: that is not sent.
        """
        from .conversation import Conversation
        from .refreshing import Refreshing
        from .telling import Telling

        answers, clock = self._answers, self._clock
        started = clock.monotonic()
        telling = Telling(answers, self.rejection_cooldown, [] if previous is None else secrets_of(previous))
        refreshing = Refreshing(previous, lease)
        with self._wire() as wire:
            outcome = self._attempts(
                Conversation(
                    answers, wire, self._origins, refreshing, telling, clock,
                    keeps_cookies=self.keeps_cookies,
                ),
                wire,
            )  # fmt: skip
        answers._note_sent(telling.sent)
        took = clock.monotonic() - started
        if not isinstance(outcome, (Token, Failure)):
            outcome = telling.unavailable(outcome)
        if isinstance(outcome, Token):
            logger.info(
                "%s: logged in %s in %.2f s (%s), token %s",
                answers.partner, answers.who(), took, reason, outcome.fingerprint,
            )  # fmt: skip
        else:
            # A refusal is for a person to mend; an outage may pass, and whoever asked is told of both.
            logger.log(
                logging.WARNING if outcome.is_refusal else logging.INFO,
                "%s: no login for %s after %.2f s (%s): %s",
                answers.partner, answers.who(), took, reason, outcome.kind.__name__,
            )  # fmt: skip
        return outcome

    def log_out(self, token: Token) -> None:
        """Tell the partner that this token is no longer used, where it has a logout: once, within the limit.

        What it answers is logged. Raises nothing that comes of the partner's, or of the class's own, errors.
        """
        from .logout import log_out

        with self._wire() as wire:
            log_out(self._answers, wire, self._origins, token)

    def _wire(self) -> Wire:
        from .wire import Wire

        return Wire(self._session, self._timeouts, self._clock)

    def _attempts(self, conversation: Conversation, wire: Wire) -> Token | Failure | Outage:
        from .outage import Outage

        retry = _RETRY
        while isinstance(end := conversation(), Outage) and not end.is_final:
            try:
                retry = retry.increment(error=ConnectionError(end.why))
            except MaxRetryError:
                break
            pause = end.retry_after or retry.get_backoff_time()
            if pause >= wire.left:
                break
            logger.debug("%s: %s; trying again in %.1f s", self._answers.partner, end.why, pause)
            if pause:
                self._clock.sleep(pause)
        return end


def _load() -> None:
    """Import what a login needs, and what may come of it, when the first auth is built.

    Not later, where it is used: an import under way in one thread when a child is forked from another never
    ends in that child.
    """
    from .._placement import cookies  # noqa: F401
    from .._token import moments  # noqa: F401
    from . import conversation, logout, outage, refreshing, scrub, telling, wire  # noqa: F401
