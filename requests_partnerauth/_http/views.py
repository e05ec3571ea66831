"""A text as it reads once its escapes are undone, and where each place of it stood before."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

DEPTH = 4
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
# A run of %25, or of backslashes, is one escape: undone one at a time, 64 kB of them take long.
_HEX = "[0-9a-fA-F]"
# Left as text, which re compiles once: that takes longer than the import, and most programs never need it.
_ESCAPE = (
    rf"(%(?:25)*[c-fC-F]{_HEX}(?:%(?:25)*[89abAB]{_HEX}){{1,3}}"
    rf"|%(?:25)*(?:[uU]{_HEX}{{4}}|{_HEX}{{2}})"
    rf"|&(?:\#[xX]0*{_HEX}{{1,6}}|\#0*[0-9]{{1,7}}|[a-zA-Z][a-zA-Z0-9]{{1,31}});"
    rf"|(?:\\\\)+|\\(?:u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
    rf"|u\{{0*{_HEX}{{1,6}}\}}|u{_HEX}{{4}}|U{_HEX}{{8}}|x{_HEX}{{2}}|[nrtbfv]|[^\w\s\\]|_))"
)
_BLANKS = "+\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029"


class View:
    """A text that was made from another; the first is made from none.

    It consists of pieces, by turns taken over as they were and put in place of others, as a whole.
    """

    __slots__ = ("_at", "_below", "_from", "text")

    def __init__(self, text: str, below: View | None = None) -> None:
        self.text = text
        self._below = below
        self._at: list[int] = []
        self._from: list[int] = []

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the first text that stands which stands here from `start` to `end`."""
        view: View | None = self
        while view is not None:
            if view._at:
                start, end = view._before(start), view._before(end, is_end=True)
            view = view._below
        return start, end

    def _before(self, place: int, *, is_end: bool = False) -> int:
        piece = bisect_right(self._at, place) - 1
        within = place - self._at[piece]
        if piece % 2 == 0:
            return self._from[piece] + within
        return self._from[piece + 1] if is_end and within else self._from[piece]

    def folded(self) -> View:
        """As `fold` makes it."""
        text = fold(self.text)
        if len(text) == len(self.text):
            return View(text, self)
        longer = "".join(one for one in set(self.text) if len(one.casefold()) > 1)
        return self._replaced(re.compile(f"([{re.escape(longer)}]+)"), fold, fold)

    def unescaped(self) -> View:
        """With one layer of escapes undone."""
        return self._replaced(re.compile(_ESCAPE, re.ASCII), _character)

    def _replaced(
        self,
        pattern: re.Pattern[str],
        replace: Callable[[str], str],
        take_over: Callable[[str], str] | None = None,
    ) -> View:
        pieces = pattern.split(self.text)
        view = View("", self)
        view._from = [0, *accumulate(map(len, pieces))]
        new = {piece: replace(piece) for piece in set(pieces[1::2])}
        pieces[1::2] = [new[piece] for piece in pieces[1::2]]
        view.text = "".join(pieces)
        view._at = [0, *accumulate(map(len, pieces))]
        if take_over is not None:
            view.text = take_over(view.text)
        return view


def views_of(text: str) -> Iterator[View]:
    """A text as it is, and as it reads with one, two and more layers of escapes undone."""
    view = View(text)
    yield view.folded()
    for _ in range(DEPTH):
        if not _has_escapes(view.text):
            return
        less = view.unescaped()
        if less.text == view.text:
            return
        view = less
        yield view.folded()


def unescaped(text: str) -> str:
    """The text with one layer of escapes undone."""
    return View(text).unescaped().text if _has_escapes(text) else text


def fold(text: str) -> str:
    """The text in small letters, with one kind of blank, plus among them, and one of question mark."""
    text = text.casefold()
    # Several times as fast as str.translate.
    for blank in _BLANKS:
        text = text.replace(blank, " ")
    return text.replace("\ufffd", "?")


def _has_escapes(text: str) -> bool:
    """Whether it may have: a quick look, for nearly no text has."""
    return "%" in text or "\\" in text or "&" in text


def _character(escape: str) -> str:
    """What an escape stands for; escaped bytes that are no UTF-8 are latin-1."""
    mark, kind = escape[0], escape[1]
    if mark == "%" and "%" in escape[1:]:
        octets = bytes(int(one[-2:], 16) for one in escape[1:].split("%"))
        try:
            return octets.decode()
        except UnicodeDecodeError:
            return octets.decode("latin-1")
    elif mark == "%":
        code = int(escape[-4:] if escape[-5:-4].lower() == "u" else escape[-2:], 16)
    elif mark == "&" and kind == "#":
        digits = escape[2:-1].lower()
        code = int(digits[1:], 16) if digits[0] == "x" else int(digits.lstrip("0") or "0")
    elif mark == "&":
        # Imported when there is something to hide in an error: it costs more than all else here.
        from html.entities import html5

        return html5.get(escape[1:], escape)
    elif kind == "\\":
        return "\\" * (len(escape) // 2)
    elif len(escape) == 2:
        return _NAMED.get(kind, escape[1])
    elif "\\" in escape[1:]:
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        code = 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00
    else:
        code = int(escape[2:].strip("{}"), 16)
    return chr(code) if code <= 0x10FFFF else escape
