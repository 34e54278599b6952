"""Compares two pages as the streams of tokens that a browser's parser makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from comparators import html_stream, text_body
from comparators.context import Context
from comparators.html_stream import Token
from comparators.texts import as_texts, without_mark

_TEMPLATE: Final = re.compile(r"<(/?)template(?=[\s/>])", re.IGNORECASE)
_ROW: Final = re.compile(r"\s*<(?:tr|t[dh]|tbody|thead|tfoot|col|colgroup|caption)[\s/>]", re.IGNORECASE)
_BLANKS: Final = " \t\n\f\r"
_SPACES: Final = re.compile(f"[{_BLANKS}]+")
_VERBATIM: Final = {"pre", "textarea", "listing"}
_CODE: Final = {"script", "style"}
_IN_A_LINE: Final = {
    "abbr", "b", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "samp", "small", "span",
    "strong", "sub", "sup", "time", "tt", "u", "var",
}  # fmt: skip
"""Elements that only dress up words: white space beside their tags keeps words apart."""


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find where two pages part.

    With the preset's `html` rule, or where the operator says `body: html`, white space between elements, the order
    of attributes, comments, the spelling of entities do not count; the rule also blanks what `html_blanks` names.
    Without either, pages are compared as text.
    """
    left, right = without_mark(*as_texts(legacy, modern), context)
    if left == right or not (context.has("html") or context.policy.body == "html"):
        text_body.differences(legacy, modern, context)
    elif not context.same_text(left, right):
        html_stream.compare(tokens(left, context), tokens(right, context), context)


def tokens(page: str, context: Context) -> list[Token]:
    """Return what a page consists of, comments left out, white space as a browser shows it."""
    # The parser keeps a template's content where a walk does not come by; rows without their table it drops.
    source = _TEMPLATE.sub(r"<\1x-template", page)
    if _ROW.match(source):
        source = f"<table>{source}"
    found = [Token(html_stream.DOCTYPE, _doctype(page))]
    writer = _Writer(found)
    root = LexborHTMLParser(source).root
    for node, leaving in _walk(root):
        if node.is_element_node:
            if leaving:
                writer.end(node.tag or "")
            else:
                writer.start(node.tag or "", {name: value or "" for name, value in node.attributes.items()})
        elif node.is_text_node and not leaving:
            writer.text(node.text_content or "")
    writer.flush()
    context.spend(len(found))
    return found


def _walk(root: LexborNode | None) -> Iterator[tuple[LexborNode, bool]]:
    """Yield each node when it is entered, when it is left; without recursion, pages nest as they like."""
    stack: list[tuple[LexborNode, bool]] = [] if root is None else [(root, False)]
    while stack:
        node, leaving = stack.pop()
        yield node, leaving
        if leaving:
            continue
        stack.append((node, True))
        child = node.last_child
        while child is not None:
            stack.append((child, False))
            child = child.prev


class _Writer:
    """Turns nodes into tokens.

    `_pending` is text not yet written, `_run` says that words stand before it in the same line, `_gap` that white
    space does, `_verbatim` in how many elements white space stands as it is, `_code` that this is a script's.
    """

    def __init__(self, found: list[Token]) -> None:
        self._found = found
        self._pending: list[str] = []
        self._run = self._gap = False
        self._verbatim = 0
        self._code = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.flush()
        self._verbatim += tag in _VERBATIM
        self._code = tag in _CODE
        if "class" in attributes:
            attributes["class"] = _SPACES.sub(" ", attributes["class"]).strip(" ")
        self._found.append(Token(html_stream.START, tag, attributes))
        self._cross(tag)

    def end(self, tag: str) -> None:
        self.flush()
        self._verbatim -= tag in _VERBATIM
        self._code = False
        self._found.append(Token(html_stream.END, tag))
        self._cross(tag)

    def text(self, text: str) -> None:
        self._pending.append(text)

    def flush(self) -> None:
        """Write the text between two tags as one token: a comment in its middle does not cut it."""
        text = "".join(self._pending)
        self._pending.clear()
        if self._code:
            self._write(html_stream.SCRIPT, text.replace("\r\n", "\n").strip(), glued=False)
        elif self._verbatim:
            self._write(html_stream.TEXT, text, glued=False)
        elif text:
            words = text.strip(_BLANKS)
            if words:
                glued = self._run and not self._gap and text[0] not in _BLANKS
                self._write(html_stream.TEXT, _SPACES.sub(" ", words), glued=glued)
                self._run = True
            self._gap = text[-1] in _BLANKS or (self._gap and not words)

    def _write(self, kind: str, text: str, *, glued: bool) -> None:
        if text:
            self._found.append(Token(kind, text, glued=glued))

    def _cross(self, tag: str) -> None:
        if tag not in _IN_A_LINE:
            self._run = self._gap = False


def _doctype(page: str) -> str:
    """Return the document type a page begins with, in lower case: without one browsers lay it out differently."""
    at = 0
    while True:
        at += len(page[at:]) - len(page[at:].lstrip())
        if not page.startswith("<!--", at):
            break
        end = page.find("-->", at)
        if end < 0:
            break
        at = end + 3
    if page[at : at + 9].lower() != "<!doctype":
        return ""
    return " ".join(page[at : page.find(">", at) + 1].lower().split())
