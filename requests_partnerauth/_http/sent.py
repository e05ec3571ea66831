"""What a login sends that may stand in no message, whoever repeats it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.cookies import RequestsCookieJar

from .._token import LIKE_A_SECRET, texts_in
from .answers import Answers

_COMMON_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "content-length", "content-type", "cookie",
     "host", "origin", "referer", "user-agent"}
)  # fmt: skip


def secrets_in(request: requests.PreparedRequest) -> set[str]:
    """Its cookies, and what is as long as a secret in its JSON, form, query or headers of its own."""
    long = {
        value
        for value in (*_in_body(request), *_in_query(request.url or ""), *_in_headers(request))
        if len(value) >= LIKE_A_SECRET
    }
    cookies = str(request.headers.get("Cookie", "")).split(";")
    pairs = (cookie.strip().partition("=") for cookie in cookies)
    return long | {value.strip('"') for _, _, value in pairs}


def unless_known(values: Iterable[str], answers: Answers) -> Iterator[str]:
    """These, without who logs in and where: username, the account's fields, what stands in base_url."""
    known = {answers.username or "", answers.account or "", *texts_in(_parsed(answers.account or ""))}
    base_url = str(getattr(answers, "base_url", ""))
    return (value for value in values if value not in known and value not in base_url)


def cookies_in(jar: RequestsCookieJar) -> dict[str, str]:
    """Name and value of each, the last of a name."""
    return {cookie.name: cookie.value for cookie in jar if cookie.value is not None}


def _in_body(request: requests.PreparedRequest) -> Iterator[str]:
    body = request.body
    if isinstance(body, (bytes, bytearray)):
        body = body.decode("utf-8", "replace")
    if not isinstance(body, str):
        return
    parsed = _parsed(body)
    if parsed is not None:
        yield from texts_in(parsed)
    elif "form-urlencoded" in str(request.headers.get("Content-Type", "")):
        yield from (value for _, value in parse_qsl(body))


def _in_query(url: str) -> Iterator[str]:
    yield from (value for _, value in parse_qsl(urlsplit(url).query))


def _in_headers(request: requests.PreparedRequest) -> Iterator[str]:
    for name, value in request.headers.items():
        if name.lower() not in _COMMON_HEADERS:
            text = value if isinstance(value, str) else value.decode("latin-1")
            yield text
            yield from re.split(r'[\s,;"]+', text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
