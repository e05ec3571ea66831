"""The login flow: one login as a conversation, and the one that most partners have."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import requests

from .._engine.thrown import is_thrown_in
from .._token import Token
from ..errors import InvalidLoginResponse, LoginUnavailable

if TYPE_CHECKING:
    from .answers import Answers

LoginFlow = Generator[requests.Request, requests.Response, Token]


def default_flow(answers: Answers, previous: Token | None) -> LoginFlow:
    """`refresh_request`, where it makes something of the last token; else, and after it, `login_request`."""
    request = None if previous is None else answers.refresh_request(previous)
    if request is not None and previous is not None:
        response = yield _wanted("refresh_request", request)
        token = _refreshed(answers, response, previous)
        if token is not None:
            return token
    response = yield _wanted("login_request", answers.login_request())
    if 300 <= response.status_code < 400:
        raise InvalidLoginResponse("a redirect")
    granted: object = answers.parse_login(response)
    if response.status_code >= 400:
        raise InvalidLoginResponse("no token was read from it")
    if not isinstance(granted, Token):
        where = f"{type(answers).__name__}.parse_login"
        raise TypeError(f"parse_login: a Token is wanted, not {type(granted).__name__} ({where})")
    return granted


def _refreshed(answers: Answers, response: requests.Response, previous: Token) -> Token | None:
    """The token that a refresh gave, with the old refresh token where it brings none; None: it gave none."""
    if response.status_code >= 400:
        return None
    try:
        token: object = answers.parse_login(response)
    except LoginUnavailable:
        raise
    except Exception as error:
        if is_thrown_in(error):
            raise
        return None
    if not isinstance(token, Token) or not answers.placement.can_carry(token.value):
        return None
    return token if token.refresh_token else token.__replace__(refresh_token=previous.refresh_token)


def _wanted(name: str, request: object) -> requests.Request:
    if not isinstance(request, requests.Request):
        raise TypeError(f"{name}: a requests.Request is wanted, not {type(request).__name__}")
    return request
