"""README.md and the pages of docs/ as tests see them: their fenced blocks, tables and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]

_FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@frozen
class Block:
    """A fenced block: its language, its text, where it stands, and what it is said to print."""

    language: str
    text: str
    line: int
    output: str | None = None

    @property
    def file(self) -> str | None:
        """The file that a block is, where its first line says so: `# conftest.py`."""
        match = re.match(r"# (\w+\.py)\n", self.text)
        return match[1] if match else None


def name_of(page: Path) -> str:
    """The page's path as a test's name shows it."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks; a `text` block right after a Python block is what that block prints."""
    source = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(source))
    blocks = []
    for position, match in enumerate(found):
        following = found[position + 1] if position + 1 < len(found) else None
        output = None
        if following and following[3] == "text" and not source[match.end() : following.start()].strip():
            output = following[4]
        line = source.count("\n", 0, match.start()) + 1
        blocks.append(Block(match[3].strip(), match[4], line, output))
    return blocks


def tables_of(page: Path) -> Iterator[list[list[str]]]:
    """The tables of a page: rows of cells, the header row first."""
    rows: list[list[str]] = []
    for line in [*page.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not all(re.fullmatch(":?-+:?", cell) for cell in cells):
                rows.append(cells)
        elif rows:
            yield rows
            rows = []


def links_of(page: Path) -> list[str]:
    """The targets of links that stay in the project, without their anchors."""
    targets = _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    inside = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
    return [target.partition("#")[0] for target in inside]
