"""The login flow: one login as a conversation, and the one that most partners have."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import requests

from .._token import Token

if TYPE_CHECKING:
    from .answers import Answers

LoginFlow = Generator[requests.Request, requests.Response, Token]


def default_flow(answers: Answers, previous: Token | None) -> LoginFlow:
    """`login_request`, then `parse_login`."""
    response = yield answers.login_request()
    return answers.parse_login(response)
