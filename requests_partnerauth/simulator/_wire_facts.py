"""What each simulated partner says for itself, from its document: how it is asked, and how it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ._messages import Call, Reply

Account = dict[str, Any]
Replies = dict[str, Callable[[], Reply]]


class WireFacts(ABC):
    """One partner's own words; what they have in common and remember is `SimulatedPartner`'s."""

    login_path: str

    @abstractmethod
    def _main_account(self) -> Account:
        """The fields of the account that exists from the start."""

    @abstractmethod
    def _expiry_signals(self) -> Replies:
        """Every way in which the partner says that a token is no longer good; "status" is HTTP 401."""

    @abstractmethod
    def _business_errors(self) -> Replies:
        """Errors that are no expiry; "forbidden" among them."""

    @abstractmethod
    def _login_errors(self) -> Replies:
        """Refusals of a login; the first is what a wrong password gets."""

    @abstractmethod
    def _account_of(self, call: Call) -> Account | Reply:
        """Whose login this is, or the refusal."""

    @abstractmethod
    def _new_value(self) -> str:
        """A fresh token value that looks like the document's."""

    @abstractmethod
    def _granted(self, value: str, account: Account) -> Reply:
        """The login reply that hands out a token."""

    @abstractmethod
    def _token_of(self, call: Call) -> str | None:
        """The token that an API call carries."""

    @abstractmethod
    def _success(self, members: dict[str, Any]) -> Reply:
        """A successful API reply in the partner's own shape."""

    def _default_expiry_signal(self) -> str:
        return "status"

    def _login_outages(self) -> Replies:
        return {
            "status-503": lambda: Reply.of_text("Service Unavailable", 503),
            "status-500": lambda: Reply.of_text("Internal Server Error", 500),
            "status-429": lambda: Reply(429, {"Retry-After": "0"}),
        }

    def _login_complaints(self) -> Replies:
        """Documented answers to a login that are about neither the credentials nor an outage."""
        return {}

    def _is_login(self, call: Call) -> bool:
        """Whether a call is a login."""
        return call.path == self.login_path

    def _without_token(self, call: Call) -> Reply | None:
        """The reply where a call needs no token, an earlier step of a login say; None where it needs one."""
        return None

    def _kind_of_login(self, call: Call) -> str:
        """Which of the partner's tokens a login asks for."""
        return ""

    def _kind_of_call(self, call: Call) -> str:
        """Which of the partner's tokens an API call needs."""
        return ""

    def _turned_away(self, call: Call) -> Reply | None:
        """The reply of whatever stands before the partner, None where the call gets through."""
        return None

    def _belongs(self, call: Call, account: Account) -> bool:
        """Whether what a call says beside the token fits the token's account."""
        return True
