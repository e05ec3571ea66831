"""A secret is found however deep it is wrapped, in any charset, and in a moment."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from html.entities import html5
from urllib.parse import quote, quote_plus

import pytest
import requests
from conftest import make_auth
from leak_check import HARD

from requests_partnerauth import LoginRejected
from requests_partnerauth._http.scrub import (
    bare_response,
    erase_from_url,
    mentions,
    scrub,
    scrub_bytes,
    unmentioned,
)
from requests_partnerauth._http.spellings import with_pairs
from requests_partnerauth.simulator import PartnerSimulator, Reply

NAMES = {value: name for name, value in html5.items() if name.endswith(";")}


def in_units(secret: str) -> str:
    units = secret.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def each_unit(secret: str, form: str) -> str:
    """Each UTF-16 unit of it that is no letter or digit of ASCII, in this form."""
    units = secret.encode("utf-16-be")
    numbers = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(n) if n < 128 and chr(n).isalnum() else form.format(n) for n in numbers)


ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent where needed": lambda secret: quote(secret, safe=""),
    "percent like a form": quote_plus,
    "percent of all": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "entities where needed": html.escape,
    "entities by name": lambda secret: "".join(f"&{NAMES[c]}" if c in NAMES else c for c in secret),
    "entities in decimal": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
    "entities in hexadecimal": lambda secret: "".join(f"&#x{ord(c):06X};" for c in secret),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON of all": in_units,
    "ECMAScript": lambda secret: "".join(f"\\u{{{ord(c):x}}}" for c in secret),
    "Python": lambda secret: repr(secret)[1:-1],
    "Python of all": lambda secret: "".join(f"\\U{ord(c):08x}" for c in secret),
    "JavaScript's escape()": lambda secret: each_unit(secret, "%u{:04X}"),
    "entities of units": lambda secret: each_unit(secret, "&#{};"),
    "hexadecimal entities of units": lambda secret: each_unit(secret, "&#x{:x};"),
}
SECRETS = [
    "made-up-password", HARD, "Пароль-секрет", "密码密码密码密码", "x\U0001f600y\U0001f600zäö", "ßßßßßß",
    "!!!!!!!!", "ab%41cd&amp;ef", "a\\u0041bcdef", "new\\now\\tab", "tok-ABC=DEF%",
]  # fmt: skip


@pytest.mark.parametrize("inner", ESCAPES)
@pytest.mark.parametrize("outer", ESCAPES)
def test_two_layers_of_escapes_and_percents_around_them(inner: str, outer: str) -> None:
    """Whatever is escaped twice, and percent-encoded up to three times more, is gone as a whole."""
    # Promise: spellings
    for secret in SECRETS:
        written = ESCAPES[outer](ESCAPES[inner](secret))
        for _ in range(4):
            assert scrub(f"before {written} after", [secret]) == "before *** after"
            assert mentions(f"before {written} after", [secret])
            written = quote(written, safe="")


@pytest.mark.parametrize("mark", ["\\", "%", "&", "%25", "\\\\", "&#", "&#x", "\\u", "%u", "\\u{", "\\x"])
def test_what_only_begins_like_an_escape(mark: str) -> None:
    """Any character behind what begins an escape: nothing is raised, and the secret behind is found."""
    for code in range(128):
        text = f"{mark}{chr(code)};{mark}{chr(code)} made-up-password"
        assert scrub(text, ["made-up-password"]).endswith("***")


def test_any_number_of_percent_encodings() -> None:
    """A hundred of them are as good as one."""
    written = "made up+password"
    for _ in range(100):
        written = quote(written, safe="")
    assert scrub(f"before {written} after", ["made up+password"]) == "before *** after"


@pytest.mark.parametrize("secret", SECRETS)
def test_base64_with_and_without_the_username(secret: str) -> None:
    """The value of a Basic header is found in both alphabets, with and without its padding."""
    # Promise: base64
    for plain in (secret, f"user:{secret}"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            written = encode(plain.encode()).decode()
            for spelled in (written, written.rstrip("="), quote(written, safe=""), json.dumps(written)[1:-1]):
                assert scrub(f"Basic {spelled} sent", with_pairs([secret], "user")) == "Basic *** sent"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_bytes_in_a_wide_encoding(encoding: str) -> None:
    """What a byte order mark or zeros betray as UTF-16 or UTF-32 is searched as that, and stays that."""
    scrubbed = scrub_bytes('{"é": "secret-word"}'.encode(encoding), ["secret-word"])
    assert scrubbed.decode(encoding) == '{"é": "***"}'


HEAVY_SECRETS = {
    "exclamation marks": "!" * 8191,
    "pairs of plus and blank": "x" + " +" * 4095,
    "one letter": "a" * 8191,
    "beyond ASCII": "é" * 8191,
    "backslashes": "\\" * 8191,
    "percents": "%25" * 2730,
    "ampersands": "&amp;" * 1638,
}
HEAVY_TEXTS = [
    "lorem ipsum ", "%25", "25", "%41", "\\", "&amp;", "amp;", "&#0", "0", "a", "!", " +", "é", "ß", "?",
    "\\u00e9", "\\\\u00e9", "Ã©", "%c3%a9", "&",
]  # fmt: skip


@pytest.mark.parametrize("kind", HEAVY_SECRETS)
def test_time_is_linear_in_text_and_secrets(kind: str) -> None:
    """64 kB of text take ten secrets of 8 kB no second of processor time, whatever both are made of."""
    # Promise: linear
    secrets = [f"{HEAVY_SECRETS[kind]}{number}" for number in range(10)]
    for piece in (*HEAVY_TEXTS, HEAVY_SECRETS[kind]):
        text = ("&#" if piece == "0" else "%" if piece == "25" else "") + piece * (65_536 // len(piece))
        started = time.process_time()
        scrub(text, secrets)
        erase_from_url(f"https://away.example/?{text}", secrets)
        assert time.process_time() - started < 1.0


def test_many_values_are_looked_through_once() -> None:
    """What 900 values that a login sent hold of 900 secrets takes no three seconds of processor time."""
    secrets = [f"made-up-secret-{number:04}" for number in range(900)]
    values = [f"made-up-value-{number:04}" for number in range(900)]
    started = time.process_time()
    assert unmentioned([*values, *secrets, f"in {secrets[0]} here"], secrets) == values
    assert time.process_time() - started < 3.0


CHARSETS = [
    ("Пароль-секрет", "windows-1251"), ("Пароль-секрет", "koi8-r"), ("Gehe1m-wört", "cp850"),
    ("密码密码密码密码", "gb2312"), ("made-up+password", "utf-7"), ("made-up-password", "cp037"),
    (HARD, "utf-8"), (HARD, "cp1252"),
    ("made-up-password", "utf-16"), ("made-up-password", "utf-16-le"), ("Gehe1m-wört", "utf-32"),
]  # fmt: skip


def refused_with(
    simulator: PartnerSimulator, password: str, body: bytes, content_type: str
) -> requests.Response:
    """What the error of a call carries that was refused in these words, and whose login was refused too."""
    partner = simulator.bex
    auth = make_auth(partner, password=password)
    auth.preset("made-up-token")
    partner.answer("/thing", Reply(401, {"Content-Type": content_type}, body))
    partner.answer_logins(Reply(403))
    with pytest.raises(LoginRejected) as caught:
        requests.get(f"{partner.base_url}/thing", auth=auth)
    assert caught.value.response is not None
    return caught.value.response


@pytest.mark.parametrize(("password", "charset"), CHARSETS)
def test_a_refusal_is_searched_in_its_own_charset(
    simulator: PartnerSimulator, password: str, charset: str
) -> None:
    """`error.response.text` shows the partner's words and, where these quote the password, asterisks."""
    # Promise: charsets
    body = f"refused: {password} is wrong".encode(charset)
    response = refused_with(simulator, password, body, f"text/plain; charset={charset}")
    assert response.text == "refused: *** is wrong"
    assert response.content == b"refused: *** is wrong"


@pytest.mark.parametrize("named", ["utf-8", "iso-8859-1", "cp1251", "cp437", "ascii", None])
def test_a_charset_that_is_not_the_one_in_use(simulator: PartnerSimulator, named: str | None) -> None:
    """UTF-8 that is announced as something else, with a byte among it that is invalid, shows no password."""
    content_type = "text/plain" + (f"; charset={named}" if named else "")
    body = b"refused: \xff " + "Gehe1m-wört-ж".encode()
    text = refused_with(simulator, "Gehe1m-wört-ж", body, content_type).text
    assert text.startswith("refused: ")
    assert text.endswith(" ***")


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", "undefined", "hex", "no-such-charset"]
)
def test_a_charset_that_cannot_be_searched(simulator: PartnerSimulator, charset: str) -> None:
    """Where the charset is none, or takes long to read, the error's response has no body."""
    body = b"made-up\\u002dpassword" + b"made-up-password" * 5000
    response = refused_with(simulator, "made-up-password", body, f"text/plain; charset={charset}")
    assert (response.status_code, response.text) == (401, "")


def test_wide_characters_that_nobody_announced(simulator: PartnerSimulator) -> None:
    """UTF-16 without a charset is no text that could be searched: the error's response has no body."""
    body = "made-up-password".encode("utf-16-le")
    assert refused_with(simulator, "made-up-password", body, "text/plain").content == b""


def test_a_large_refusal_is_not_carried() -> None:
    """Of more than 256 KiB an error carries nothing: a part could end in half a secret."""
    response = requests.Response()
    response.request = requests.Request("GET", "https://home.example/").prepare()
    response.url, response.status_code, response._content_consumed = "https://home.example/", 401, True
    response._content = b"x" * (256 * 1024)
    assert len(bare_response(response, ["made-up-password"]).content) == 256 * 1024
    response._content += b"x"
    assert bare_response(response, ["made-up-password"]).content == b""


def test_names_and_values_of_headers() -> None:
    """A header that repeats the token, in its name or its value, is carried without it."""
    response = requests.Response()
    response.request = requests.Request("GET", "https://home.example/").prepare()
    response.url = "https://home.example/"
    response.headers["X-Made-Up-Token"], response.headers["X-Said"] = "1", "no made%2Dup-token"
    response._content_consumed, response._content = True, b""
    assert dict(bare_response(response, ["made-up-token"]).headers) == {"X-***": "1", "X-Said": "no ***"}


@pytest.mark.parametrize(
    ("location", "left"),
    [
        ("https://away.example/?a=1&t=%74%6f%6b%2d%31%32#f", "https://away.example/?a=1#f"),
        ("https://away.example/?t=tok-12&a=1", "https://away.example/?a=1"),
        ("https://away.example/?t=tok%252525252D12", "https://away.example/"),
        ("https://away.example/%74%6f%6b-12/x", "https://away.example//x"),
        ("https://away.example/x#TOK-12", "https://away.example/x#"),
        ("https://away.example/?a=t\tok-12&b=2", "https://away.example/?b=2"),
        ("https://away.example/?a=1&to=k-12", "https://away.example/?a=1&to=k-12"),
        ("https://away.example/totok-12k-12", None),
    ],
)
def test_a_url_without_what_repeats_the_token(location: str, left: str | None) -> None:
    """Parameters go whole, other mentions are cut out, and what would be put together by that is no URL."""
    assert erase_from_url(location, ["tok-12"]) == left


def test_a_location_is_searched_for_no_more_than_a_thousand_secrets() -> None:
    """Where a token has more cookies than that, what may hold one leads nowhere."""
    secrets = [f"made-up-{number:04}" for number in range(1_001)]
    assert erase_from_url("https://away.example/x", secrets) is None
    assert erase_from_url("https://away.example/x", secrets[:1_000]) == "https://away.example/x"
