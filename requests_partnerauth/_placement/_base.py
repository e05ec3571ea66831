"""Placement: the three words of every placement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import requests


class Placement(ABC):
    """Where the token goes in a request. Three words, no I/O; one object serves any number of threads.

    To write your own, put the token in with `place`, take it out with `remove`, look for it with `carries`.
    A placement keeps nothing of a request: what `remove` needs is what `place` returned.
    """

    @abstractmethod
    def place(self, request: requests.PreparedRequest, value: str) -> Any:
        """Put the token into the request, instead of any that is there.

        Args:
            request: Ready to be sent. A jar, dict or body that it holds may be shared: replace it, whole.
            value: The token.

        Returns:
            What undoes it, for `remove`; None where the request itself tells all that is needed.
        """

    @abstractmethod
    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        """Make the request what it was before the token was placed; without token at least.

        Args:
            request: The request, or that of a redirect which came of it, with another URL, body and cookies.
            mark: What `place` returned for it; None where that is not known any more.
        """

    @abstractmethod
    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        """Whether this very token is in the request."""

    def can_carry(self, value: str) -> bool:
        """Whether a request can take this token here; asked when it is granted or preset."""
        return True

    def header(self, value: str) -> tuple[str, str] | None:
        """Name and text of the header, where placing the token means no more than setting that one."""
        return None

    def _values(self, request: requests.PreparedRequest) -> Iterable[str]:
        """Every token that stands where this one puts it, whosever it is; none where that is not known."""
        return ()


def text_of(header: str | bytes | None) -> str:
    """A header's value as text: another auth may have turned it into bytes."""
    if header is None:
        return ""
    return header.decode("latin-1") if isinstance(header, bytes) else header
