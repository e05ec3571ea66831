"""Words and replies without the secrets in them."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from .spellings import Spelling, misread, spellings_of
from .views import views_of

_LONGEST = 300
_LARGEST_BODY = 256 * 1024
_NO_CHARSETS = ("punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape")
_MOST_SECRETS = 1_000
"""More than any login gives: where there are more, nothing is searched, and nothing shown."""
_LEFT_OUT_OF_URLS = str.maketrans("", "", "\t\r\n")


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text, with every secret replaced by ``***`` however it is written.

    A secret of less than six characters is looked for as a word of its own alone: it turns up inside other
    words by chance, and asterisks there would tell it to whoever can spell.
    """
    secrets = {*secrets}
    return "***" if len(secrets) > _MOST_SECRETS else _scrubbed(text, spellings_of(secrets))


def scrub_bytes(content: bytes, secrets: Iterable[str]) -> bytes:
    """The bytes of a text, likewise: UTF-8, UTF-16 or UTF-32, or what else leaves ASCII as it is.

    What looks like UTF-16, for a NUL among its first bytes say, may be none: it is searched as both.
    """
    secrets = list(secrets)
    for charset in dict.fromkeys((json.detect_encoding(content), "utf-8", "latin-1")):
        try:
            text = content.decode(charset, "surrogatepass")
        except UnicodeDecodeError:
            continue
        content = scrub(text, secrets).encode(charset, "surrogatepass")
        if charset == "utf-8":
            break
    return content


def scrub_in(charset: str | None, content: bytes, secrets: Iterable[str]) -> bytes:
    """The content, searched as its charset reads it; as it is where it can't be read so."""
    secrets = list(secrets)
    try:
        name = codecs.lookup(charset or "utf-8").name
        text = content.decode("utf-8" if name in _NO_CHARSETS else name)
        scrubbed = scrub(text, [*secrets, *misread(secrets, name)])
        return content if scrubbed == text else scrubbed.encode(name, "replace")
    except (LookupError, ValueError):
        return content


def mentions(text: str, secrets: Iterable[str]) -> bool:
    """Whether the text holds a secret, however it is written."""
    secrets = {*secrets}
    return len(secrets) > _MOST_SECRETS or any(True for _ in _places(text, spellings_of(secrets)))


def unmentioned(texts: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Those that hold no secret; none, where there are too many secrets to look for."""
    secrets = {*secrets}
    if len(secrets) > _MOST_SECRETS:
        return []
    spellings = spellings_of(secrets)
    return [text for text in texts if text not in secrets and not any(True for _ in _places(text, spellings))]


def one_line(text: object, secrets: Iterable[str]) -> str:
    """A partner's words as they may stand in a message: scrubbed, on one line, not longer than a few."""
    line = " ".join(scrub(str(text), secrets).split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."


def bare_response(response: requests.Response, secrets: Iterable[str]) -> requests.Response:
    """What an error may carry of a refused response: no token, no secret, no connection."""
    secrets = list({*secrets})
    bare = requests.Response()
    bare.status_code, bare.elapsed = response.status_code, response.elapsed
    # Kept in the encoding in which it was searched, whatever the headers say.
    bare.encoding, bare._content = "utf-8", b""
    bare.request = requests.PreparedRequest()
    bare.request.method, bare.request.headers = response.request.method, CaseInsensitiveDict()
    if len(secrets) > _MOST_SECRETS:
        return bare
    spellings = spellings_of(secrets)
    bare.reason = _scrubbed(str(response.reason or ""), spellings)
    bare.url = _scrubbed(_without_query(response.url), spellings)
    for name, value in response.headers.items():
        if name.lower() not in ("set-cookie", "location"):
            bare.headers[_scrubbed(name, spellings)] = _scrubbed(value, spellings)
    bare._content = _body_without(response, secrets).encode(errors="replace")
    bare.request.url = _scrubbed(_without_query(response.request.url), spellings)
    return bare


def _body_without(response: requests.Response, secrets: list[str]) -> str:
    """The text of a body without the secrets; none of one that can't be searched, or not in a moment."""
    content = response.content if response._content_consumed else b""
    charset = response.encoding or "utf-8"
    try:
        name = codecs.lookup(charset).name
        if not content or len(content) > _LARGEST_BODY or name in _NO_CHARSETS:
            return ""
        text = content.decode(name, "replace")
        secrets = secrets + misread(secrets, name)
    except (LookupError, ValueError):
        return ""
    # What holds such characters is no text in this charset: a secret in it would not be found.
    return "" if "\0" in text else scrub(text, secrets)


def _without_query(url: str | None) -> str:
    split = urlsplit(url or "")
    return split._replace(query="", fragment="", netloc=split.netloc.rpartition("@")[2]).geturl()


def erase_from_url(url: str, secrets: Iterable[str]) -> str | None:
    """A URL without what repeats a secret; None where it can't be had without.

    Query parameters go whole, any other mention is cut out.
    """
    secrets = {*secrets}
    if len(secrets) > _MOST_SECRETS:
        return None
    spellings = spellings_of(secrets)
    # requests takes these out of a URL, and thereby joins what they part.
    plain = url.translate(_LEFT_OUT_OF_URLS)
    places = list(_places(plain, spellings))
    if not places:
        return None if any(True for _ in _places(_as_a_proxy_gets_it(plain), spellings)) else url
    path, mark, rest = plain.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    kept = list(_apart_from(places, query.split("&"), len(path) + 1))
    behind = len(plain) - len(fragment)
    left = "".join(
        [
            _without(path, places, ""),
            mark if kept else "",
            "&".join(kept),
            hash_mark,
            _without(fragment, [(max(0, start - behind), end - behind) for start, end in places], ""),
        ]
    )
    both = (left, _as_a_proxy_gets_it(left))
    return None if any(True for text in both for _ in _places(text, spellings)) else left


def _as_a_proxy_gets_it(url: str) -> str:
    """Without its dot segments: urllib3 takes them out, and joins what they part."""
    try:
        return parse_url(requote_uri(url)).url
    except (LocationParseError, ValueError):
        return url


def _apart_from(places: list[tuple[int, int]], parameters: list[str], start: int) -> Iterator[str]:
    """Those parameters of a query, beginning at `start`, that have no part in any of the places."""
    places = sorted(places, reverse=True)
    reach = 0
    for parameter in parameters:
        end = start + len(parameter)
        while places and places[-1][0] < end:
            reach = max(reach, places.pop()[1])
        if reach <= start:
            yield parameter
        start = end + 1


def _scrubbed(text: str, spellings: list[Spelling]) -> str:
    return _without(text, _places(text, spellings), "***")


def _places(text: str, spellings: Iterable[Spelling]) -> Iterator[tuple[int, int]]:
    """Where the text holds one of the spellings, as it stands or under its escapes."""
    for view in views_of(text):
        for spelling in spellings:
            for start, end in _standing_in(view.text, spelling):
                yield view.span(start, end)


def _standing_in(text: str, spelling: Spelling) -> Iterator[tuple[int, int]]:
    sought, length = spelling.text, len(spelling.text)
    at = text.find(sought)
    while at >= 0:
        end = at + length
        if spelling.is_short and (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            end = at + 1
        else:
            if spelling.is_base64:
                end += len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))
            yield at, end
        at = text.find(sought, end)


def _without(text: str, places: Iterable[tuple[int, int]], instead: str) -> str:
    kept, last = [], 0
    for start, end in sorted(places):
        if end > last:
            # Where two overlap there is one gap.
            kept += [text[last:start], instead] if start >= last else []
            last = end
    return "".join([*kept, text[last:]])
