"""Makes text of strangers fit for a terminal: what a backend answered must not be able to draw on it."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return one line with everything that is no character to look at written as an escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def print_line(text: str) -> None:
    """Print one line, made fit for a terminal."""
    print(plain(text))
