"""Keeps bench/RESULTS.md: each section between two marks, replaced as a whole."""

from __future__ import annotations

from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
_HEADING = "# What was measured\n"


def write(section: str, text: str, path: Path = RESULTS) -> None:
    """Replace `section` with `text`, or append it."""
    begin, end = f"<!-- bench: {section} -->", f"<!-- /bench: {section} -->"
    whole = path.read_text() if path.exists() else _HEADING
    block = f"{begin}\n{text.strip()}\n{end}"
    before, found, rest = whole.partition(begin)
    if found:
        _, _, after = rest.partition(end)
        path.write_text(before + block + after)
    else:
        path.write_text(f"{whole.rstrip()}\n\n{block}\n")
