"""Whether a text holds a secret in a spelling that is promised to be found."""

from __future__ import annotations

import base64
import html
import re
import traceback
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote_plus

import requests_partnerauth

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")

SPELLINGS = {
    "plain": lambda text: text,
    "quoted": lambda text: quote(text, safe=""),
    "plus": quote_plus,
    "small": lambda text: quote(text, safe="").lower(),
    "each": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "twice": lambda text: quote(quote(text, safe=""), safe=""),
    "thrice": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "urlsafe": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "hex entities": lambda text: "".join(f"&#x{ord(one):x};" for one in text),
    "u": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "quoted u": lambda text: quote("".join(f"\\u{ord(one):04x}" for one in text), safe=""),
}


def found(text: str, secrets: Iterable[str]) -> list[str]:
    """The secrets that a reader of the text finds by undoing its escapes, however often."""
    sought = {
        written.lower(): secret
        for secret in secrets
        for written in (secret, SPELLINGS["base64"](secret), SPELLINGS["urlsafe"](secret).rstrip("="))
    }
    hits: set[str] = set()
    for _ in range(6):
        for reading in (text, text.replace("+", " ")):
            hits |= {secret for written, secret in sought.items() if written in reading.lower()}
        text = html.unescape(unquote_plus(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)))
    return sorted(hits)


def is_ours(error: BaseException) -> bool:
    """Whether it was raised in the library, or in what it had called."""
    folder = requests_partnerauth.__path__[0]
    return any(frame.filename.startswith(folder) for frame in traceback.extract_tb(error.__traceback__))
