"""How a secret may be written where no escapes are left to undo."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .views import DEPTH, fold, unescaped

_SHORT = 6
_BEYOND_16_BITS = "[\U00010000-\U0010ffff]"
_LACKING = ("ascii", "latin-1", "cp1252")


class Spelling(NamedTuple):
    """A text to look for, folded; as a word of its own alone where the secret is a short one."""

    text: str
    is_short: bool
    is_base64: bool = False


def spellings_of(secrets: Iterable[str]) -> list[Spelling]:
    """All that is to be looked for, the longest secret first."""
    found: dict[Spelling, None] = {}
    for secret in sorted({*secrets} - {""}, key=len, reverse=True):
        is_short = len(secret) < _SHORT
        for text in (fold(undone) for word in _in_words(secret) for undone in _undone(word)):
            found[Spelling(text, is_short or len(text) < _SHORT)] = None
        for text in map(fold, _in_base64(secret)):
            found[Spelling(text, is_short, is_base64=True)] = None
    return list(found)


def with_pairs(secrets: Iterable[str], username: str | None) -> list[str]:
    """The secrets, and each behind the username and a colon, as HTTP Basic joins them before its base64."""
    secrets = list(secrets)
    return secrets if not username else [*secrets, *(f"{username}:{secret}" for secret in secrets if secret)]


def misread(secrets: Iterable[str], charset: str) -> list[str]:
    """The secrets as they look where a charset lacks characters of theirs, or was read for their UTF-8."""
    foreign = [secret for secret in secrets if not secret.isascii()]
    lacking = [secret.encode(charset, "replace").decode(charset) for secret in foreign]
    return [*lacking, *(_utf_8(secret).decode(charset, "replace") for secret in foreign)]


def _in_words(secret: str) -> Iterator[str]:
    yield secret
    if not secret.isascii():
        encoded = _utf_8(secret)
        # Its UTF-16 units, each escaped for itself: JavaScript's escape(), entities of old libraries.
        yield re.sub(_BEYOND_16_BITS, _as_pair, secret)
        # UTF-8 that was read as another encoding, each escaped byte of it as a character among them.
        yield encoded.decode("latin-1")
        yield encoded.decode("cp1252", "replace")
        # What leaves question marks in place of the characters, UTF-16 units or bytes that it lacks.
        for encoding in _LACKING:
            yield secret.encode(encoding, "replace").decode(encoding)
        yield re.sub(_BEYOND_16_BITS, "??", secret).encode("ascii", "replace").decode()
        yield encoded.decode("ascii", "replace")


def _as_pair(character: re.Match[str]) -> str:
    code = ord(character[0]) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))


def _undone(text: str) -> Iterator[str]:
    """The text, and what it is where escapes of its own are undone along with those around it."""
    yield text
    for _ in range(DEPTH):
        less = unescaped(text)
        if less == text:
            return
        yield (text := less)


def _in_base64(secret: str) -> Iterator[str]:
    # Of latin-1 too, in which requests writes its own Basic header.
    for encoded in {_utf_8(secret), secret.encode("latin-1", "replace")}:
        yield base64.b64encode(encoded).decode().rstrip("=")
        yield base64.urlsafe_b64encode(encoded).decode().rstrip("=")


def _utf_8(secret: str) -> bytes:
    return secret.encode(errors="surrogatepass")
