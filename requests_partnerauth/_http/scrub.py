"""Words and replies without the secrets in them."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

_LONGEST = 300
_SHORT = 6
_COUNTED = {" ": r"[\s+]", "\\": r"\\"}
_NAMED_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_EDGE_BEFORE = r"(?:(?<![^\W_])|(?<=%[0-9a-f]{2})|(?<=\\[nrtbf]))"
_EDGE_AFTER = r"(?![^\W_])"


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text, with every secret replaced by ``***`` however it is written.

    A secret of less than six characters is looked for as a word of its own alone: it turns up inside other
    words by chance, and asterisks there would tell it to whoever can spell.
    """
    pattern = _pattern_for(text, secrets)
    return text if pattern is None else pattern.sub("***", text)


def scrub_bytes(content: bytes, secrets: Iterable[str]) -> bytes:
    """The bytes of a text, likewise: UTF-8, or what else leaves ASCII as it is."""
    try:
        return scrub(content.decode(), secrets).encode()
    except UnicodeDecodeError:
        return scrub(content.decode("latin-1"), secrets).encode("latin-1")


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
    bare.reason = scrub(str(response.reason or ""), secrets)
    bare.elapsed = response.elapsed
    bare.encoding = response.encoding
    bare.url = scrub(_without_query(response.url), secrets)
    for name, value in response.headers.items():
        if name.lower() not in ("set-cookie", "location"):
            bare.headers[name] = scrub(value, secrets)
    content = response.content if response._content_consumed else b""
    # In UTF-16 and its like a secret is not to be found byte by byte.
    content = b"" if b"\0" in content else content
    bare._content = scrub_bytes(content, secrets)
    bare.request = requests.PreparedRequest()
    bare.request.method = response.request.method
    bare.request.url = scrub(_without_query(response.request.url), secrets)
    bare.request.headers = CaseInsensitiveDict()
    return bare


def _without_query(url: str | None) -> str:
    split = urlsplit(url or "")
    return split._replace(query="", fragment="", netloc=split.netloc.rpartition("@")[2]).geturl()


def erase_from_url(url: str, secrets: Iterable[str]) -> str | None:
    """A URL without what repeats a secret; None where it can't be had without.

    Query parameters go whole, any other mention is cut out.
    """
    pattern = _pattern_for(url, secrets)
    if pattern is None or not pattern.search(url):
        return url
    path, mark, rest = url.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    kept = [pair for pair in query.split("&") if not pattern.search(pair)]
    url = pattern.sub("", path + (mark if kept else "") + "&".join(kept) + hash_mark + fragment)
    return None if pattern.search(url) else url


def _pattern_for(text: str, secrets: Iterable[str]) -> re.Pattern[str] | None:
    """What finds all of the secrets; None where the text holds none for certain."""
    longest_first = sorted({*secrets} - {""}, key=len, reverse=True)
    if not any(_may_stand_in(text, secret) for secret in longest_first):
        return None
    return re.compile("|".join(map(_spellings, longest_first)), re.IGNORECASE)


def _may_stand_in(text: str, secret: str) -> bool:
    """A quick look: in every spelling the letters and digits of a secret stay as they are, or its base64.

    The pattern of a long token takes 20 ms to compile, and nearly no text holds one.
    """
    run = max(re.findall("[0-9A-Za-z]+", secret), key=len, default="")
    small = text.lower()
    # Outside ASCII there are capitals that only a pattern knows.
    return not text.isascii() or any(core.lower() in small for core in (run, *_in_base64(secret)))


def _spellings(secret: str) -> str:
    """How a secret may be written: as it is, in a URL, in JSON, in HTML, in base64, in capitals or not."""
    plain = "".join(_run(kind, "".join(run)) for kind, run in itertools.groupby(secret, _kind))
    in_base64 = [f"{re.escape(spelling)}={{0,2}}" for spelling in _in_base64(secret)]
    either = f"(?:{'|'.join([plain, *in_base64])})"
    return f"{_EDGE_BEFORE}{either}{_EDGE_AFTER}" if len(secret) < _SHORT else either


def _in_base64(secret: str) -> list[str]:
    encoded = secret.encode(errors="surrogatepass")
    both = (base64.b64encode(encoded), base64.urlsafe_b64encode(encoded))
    return [spelling.decode().rstrip("=") for spelling in both]


def _kind(character: str) -> str:
    if character.isascii() and character.isalnum():
        return "plain"
    if not character.isascii():
        return "foreign"
    return character if character in _COUNTED else "marked"


def _run(kind: str, run: str) -> str:
    """A pattern for a run of characters of one kind.

    Runs that could be cut up in many ways are counted as a whole, and no repetition is without an end, so
    that no text takes long to search.
    """
    if kind == "plain":
        return re.escape(run)
    length = len(run)
    if kind in _COUNTED:
        once, code = _COUNTED[kind], ord(kind)
        written = (rf"%(?:25){{0,4}}{code:x}", rf"&\#0{{0,4}}{code};", rf"&\#x0{{0,4}}{code:x};")
        return rf"(?:{once}{{1,{8 * length}}}|(?:{'|'.join(written)}){{{length}}})"
    each = "".join(f"(?:{'|'.join(_ways(character))})" for character in run)
    # An encoding that lacks these characters leaves question marks in their place.
    return rf"(?:{each}|[?\ufffd]{{{length},{4 * length}}})" if kind == "foreign" else each


def _ways(character: str) -> list[str]:
    encoded = character.encode(errors="surrogatepass")
    number = ord(character)
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    ways = [
        re.escape(character),
        "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in encoded),
        "".join(rf"\\{{1,4}}u{units[place : place + 4]}" for place in range(0, len(units), 4)),
        rf"\\{{1,4}}(?:x{number:02x}|u0{{0,4}}{number:04x}|u\{{0{{0,4}}{number:x}\}})",
        rf"&\#0{{0,4}}{number};",
        rf"&\#x0{{0,4}}{number:x};",
    ]
    # Imported when there is something to hide in an error: it costs more than all else here.
    from html.entities import codepoint2name

    if number in codepoint2name:
        ways.append(f"&{codepoint2name[number]};")
    if character.isascii():
        ways.append(rf"\\{{1,4}}{re.escape(_NAMED_ESCAPES.get(character, character))}")
    else:
        ways.append(re.escape(encoded.decode("latin-1")))
        if number < 256:
            ways.append(f"%(?:25){{0,4}}{number:02x}")
    return ways
