"""Words and replies without the secrets in them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, urlsplit

import requests

_LONGEST = 300


def spellings(secret: str) -> set[str]:
    """How a secret may be written: as it is, in a URL, in JSON, in base64, in capitals of any kind."""
    encoded = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(encoded).decode(),
        base64.urlsafe_b64encode(encoded).decode(),
    }


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text, with every spelling of every secret replaced by ``***``."""
    written = {spelling for secret in secrets if secret for spelling in spellings(secret)}
    for spelling in sorted(written, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return text


def one_line(text: object, secrets: Iterable[str]) -> str:
    """A partner's words as they may stand in a message: scrubbed, on one line, not longer than a few."""
    line = " ".join(scrub(str(text), secrets).split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."


def bare_response(response: requests.Response, secrets: Iterable[str]) -> requests.Response:
    """What an error may carry of a refused response: no token, no secret, no connection."""
    secrets = list(secrets)
    bare = requests.Response()
    bare.status_code = response.status_code
    bare.reason = response.reason
    bare.elapsed = response.elapsed
    bare.encoding = response.encoding
    bare.url = _without_query(response.url)
    for name, value in response.headers.items():
        if name.lower() not in ("set-cookie", "location"):
            bare.headers[name] = scrub(value, secrets)
    content = response.content if response._content_consumed else b""
    bare._content = scrub(content.decode("latin-1"), [_as_latin_1(secret) for secret in secrets]).encode(
        "latin-1"
    )
    bare.request = requests.PreparedRequest()
    bare.request.method = response.request.method
    bare.request.url = _without_query(response.request.url)
    bare.request.headers = requests.structures.CaseInsensitiveDict()
    return bare


def _as_latin_1(secret: str) -> str:
    return secret.encode().decode("latin-1")


def _without_query(url: str | None) -> str:
    split = urlsplit(url or "")
    return split._replace(query="", fragment="", netloc=split.netloc.rpartition("@")[2]).geturl()


def erase_from_url(url: str, secrets: Iterable[str]) -> str:
    """A URL without what repeats a secret: whole query parameters, and any other spelling of it."""
    written = {spelling for secret in secrets if secret for spelling in spellings(secret)}
    path, mark, rest = url.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    kept = [pair for pair in query.split("&") if not any(spelling in pair for spelling in written)]
    url = path + (mark if kept else "") + "&".join(kept) + hash_mark + fragment
    for spelling in sorted(written, key=len, reverse=True):
        url = url.replace(spelling, "")
    return url
