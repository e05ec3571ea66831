"""What the end of a login is told as: failures in plain words, without a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

import requests

from .._engine.outcome import Failure
from ..errors import ForeignOrigin, InvalidLoginResponse, LoginRejected, LoginTimeout, LoginUnavailable
from .answers import Answers
from .bugs import place_of
from .origins import origin_of
from .outage import Outage
from .scrub import one_line, unmentioned
from .sent import secrets_in, unless_known

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 600.0
_NOT_ABOUT_CREDENTIALS = (404, 405, 410)


class Telling:
    """Words for how one login ended. Learns from each request what may not be said, and where it went.

    Args:
        answers: Who logs in.
        cooldown: Seconds in which refused credentials are not tried again.
        secrets: What may not be said, beside the secrets of the answers.
    """

    def __init__(self, answers: Answers, cooldown: float, secrets: Iterable[str]) -> None:
        self._answers = answers
        self._cooldown = cooldown
        self._secrets: set[str] = set()
        self._where = ""
        self.learn(secrets)

    def sends(self, request: requests.PreparedRequest, seconds: float) -> None:
        """The next request of the flow, which has so many seconds left."""
        self.learn(secrets_in(request))
        url = request.url or ""
        origin = origin_of(url)
        self._where = "" if origin is None else self.safe(f"{origin}{urlsplit(url).path}")
        logger.debug(
            "%s: %s %s for %s, within %.1f s",
            self._answers.partner, request.method, self._where, self._answers.who(), seconds,
        )  # fmt: skip

    def learn(self, secrets: Iterable[str]) -> None:
        """What may not be said either, unless it tells who logs in and where."""
        self._secrets.update(unless_known(secrets, self._answers))

    @property
    def sent(self) -> list[str]:
        """What the flow sent that may not be said, beyond what is known as the auth's own secrets."""
        return unmentioned(self._secrets, self._answers._hidden())

    def safe(self, words: object) -> str:
        """A partner's words, or an author's, as they may stand in a message."""
        return one_line(words, [*self._answers._hidden(), *self._secrets])

    def rejected(self, code: str | None, partner_message: str) -> Failure:
        """The partner said in its own words that the credentials were refused."""
        arguments = ", ".join(self._answers._login_arguments)
        return self._refused(
            code, partner_message, f"check the credentials{f' ({arguments})' * bool(arguments)}"
        )

    def mistaken(self, response: requests.Response, why: str) -> Failure:
        """The class made a mistake of its own over a reply: told beside what the status says."""
        return self.undescribed(response, why, f"{self.safe(why)}; ")

    def undescribed(self, response: requests.Response | None, why: str, mistake: str = "") -> Failure:
        """A reply that the flow made no token of, and why, judged by its status."""
        if response is None:
            return self.invalid(self.safe(why))
        status = response.status_code
        if status in (401, 403):
            return self._refused(
                str(status), response.reason or "", f"{mistake}check base_url, then the credentials"
            )
        if 300 <= status < 400:
            redirected = "it was answered by a redirect, which logins do not follow"
            return self.invalid(f"{redirected}; {mistake}check base_url")
        what = (
            f"HTTP {status} with a body that no login document describes ({self.safe(why)}); check base_url"
        )
        if status < 400 or status in _NOT_ABOUT_CREDENTIALS:
            return self.invalid(what)
        # It may well be the password: trying it again with every request could lock the account.
        return self.invalid(f"{what} and the credentials{self._not_again()}")._replace(is_refusal=True)

    def documented(self, response: requests.Response | None, why: str) -> Failure:
        """A reply that the partner's documents describe, and that says nothing about the credentials."""
        status = "" if response is None else f"HTTP {response.status_code}, "
        return self.invalid(f"{status}{self.safe(why)}")

    def invalid(self, why: str) -> Failure:
        """No answer that a login has."""
        return Failure(InvalidLoginResponse, self._message("gave an unknown answer to the login", f": {why}"))

    def unavailable(self, outage: Outage) -> Failure:
        """No answer, after all that was tried."""
        why = outage.why
        if issubclass(outage.kind, LoginTimeout):
            why += "; login_timeout bounds a login, the timeout= of a call does not"
        wait = min(outage.retry_after or 0.0, _LONGEST_WAIT)
        return Failure(outage.kind, self._unavailable(why), retry_after=wait or None)

    def bug(self, error: Exception) -> Failure:
        """The class failed before the partner had said anything."""
        place = self.place_of(error)
        return Failure(
            LoginUnavailable, self._unavailable(f"the login under way ended in {place}"), bug=error
        )

    def place_of(self, error: Exception) -> str:
        """Where an author's method failed; told in the log as well."""
        place = self.safe(place_of(error, self._answers))
        logger.warning("%s: %s", self._answers.partner, place)
        return place

    def foreign(self, url: str, what: str = "login") -> Failure:
        """The class wants to log in or out where it may not."""
        origin = origin_of(url)
        where = "this URL" if origin is None else self.safe(origin)
        message = (
            f"{self._answers.partner}: the {what} of {self._answers.who()} may not go to {where}; "
            "nothing was sent. If it is the partner's as well, name it in origins="
        )
        return Failure(ForeignOrigin, message)

    def _refused(self, code: str | None, partner_message: str, hint: str) -> Failure:
        code = None if code is None else self.safe(code)
        words = self.safe(partner_message)
        said = ": ".join(part for part in (code, words) if part) or "no reason given"
        message = self._message("refused the login", f" ({said}): {hint}{self._not_again()}")
        return Failure(LoginRejected, message, code, words, is_refusal=True)

    def _not_again(self) -> str:
        if not self._cooldown:
            return ""
        return f"; they are not tried again for {self._cooldown:g} s, or until forget()"

    def _unavailable(self, why: str) -> str:
        return self._message("is not available for a login", f": {why}")

    def _message(self, what: str, more: str) -> str:
        where = f" at {self._where}" if self._where else ""
        return f"{self._answers.partner} {what} of {self._answers.who()}{where}{more}"
