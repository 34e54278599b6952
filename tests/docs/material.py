"""The contents of the pages: their blocks, the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_BY_HAND = sorted({ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/runbooks").glob("*.md")})
PAGES = [path.relative_to(ROOT).as_posix() for path in WRITTEN_BY_HAND]


@dataclass(frozen=True)
class Block:
    """A fenced block; `marker` is the word of the comment `<!-- runs: word -->` before it, or ""."""

    page: str
    line: int
    language: str
    text: str
    marker: str


def text_of(page: str) -> str:
    """The page as it is."""
    return (ROOT / page).read_text()


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    text = text_of(page)
    for found in re.finditer(r"(?:<!-- runs: ([\w-]+) -->\n)?^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[2], found[3], found[1] or "")


def lines(block: Block) -> list[str]:
    """The commands of a console block, continued lines joined; what the program prints is in `text` blocks."""
    return [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


def words(line: str) -> list[str]:
    """A command as a shell reads it, without its comment."""
    return shlex.split(line, comments=True)


def commands(page: str) -> Iterator[list[str]]:
    """Every `strangler …` of a page: in console blocks, indented, between back ticks."""
    text = text_of(page)
    fenced = [line for block in blocks(page) if block.language == "console" for line in lines(block)]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^    (strangler .*)$", prose, re.MULTILINE)
    inline = re.findall(r"`((?:\.venv/bin/)?strangler [^`]*)`", prose)
    for line in [*fenced, *indented, *inline]:
        if line == "strangler …":
            continue  # any command
        said = words(line.replace("…", "x"))
        for command in _parts(said):
            if command and command[0].removeprefix(".venv/bin/") == "strangler":
                yield command[1:]


def _parts(said: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in said:
        if word in ("&&", "|", ";", "&"):
            yield part
            part = []
        else:
            part.append(word)
    yield part
