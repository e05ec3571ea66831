"""The token in a header of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import requests

from .._settings import checks
from ._base import Placement, text_of

logger = logging.getLogger(__name__)


class HeaderPlacement(Placement):
    """The token in a header of its own: ``HeaderPlacement("X-Acme-Token")``.

    Args:
        name: The header's name.
        prefix: What stands before the token, its blank included: ``"Bearer "``.

    Raises:
        ValueError: An argument is not what it should be; the message begins with its name.
    """

    def __init__(self, name: str, prefix: str = "") -> None:
        self.name = checks.header_name("name", name)
        self.prefix = checks.header_prefix("prefix", prefix)
        if name.lower() == "cookie":
            raise ValueError("name: a Cookie header holds others as well; CookiePlacement leaves them there")
        if prefix[-1:].isalnum():
            logger.warning("prefix %r has no blank at its end: in %s the token follows at once", prefix, name)

    def __repr__(self) -> str:
        return f"HeaderPlacement({self.name!r}, prefix={self.prefix!r})"

    def place(self, request: requests.PreparedRequest, value: str) -> None:
        request.headers[self.name] = self.prefix + value

    def header(self, value: str) -> tuple[str, str] | None:
        if type(self).place is not HeaderPlacement.place:
            return None
        return self.name, self.prefix + value

    def remove(self, request: requests.PreparedRequest, mark: Any) -> None:
        request.headers.pop(self.name, None)

    def carries(self, request: requests.PreparedRequest, value: str) -> bool:
        return text_of(request.headers.get(self.name)) == self.prefix + value

    def _values(self, request: requests.PreparedRequest) -> Iterable[str]:
        return [text_of(request.headers.get(self.name)).removeprefix(self.prefix)]
