"""Reads a page as the stream of tokens that a browser's parser makes of it.

The parser writes its tree down again, and what it writes is cut into pieces: both are done in C. Only the pieces
between what two pages begin and end with in common are looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from comparators import html_as_written, html_pieces
from comparators.context import Context
from comparators.literals import first_difference

DOCTYPE: Final = "doctype"
START: Final = "start"
END: Final = "end"
TEXT: Final = "text"
SCRIPT: Final = "script"

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_ROW: Final = re.compile(r"\s*<(?:tr|t[dh]|tbody|thead|tfoot|col|colgroup|caption)[\s/>]", re.IGNORECASE)
_BLANKS: Final = " \t\n\f\r"
_SPACES: Final = re.compile(f"[{_BLANKS}]+")
_RAW_ELEMENT: Final = re.compile(rf"(<({html_pieces.RAW})(?: [^>]*)?>)(.*)</(?:{html_pieces.RAW})>", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r" (=?[^ =]*)=\"([^\"]*)\"")
_VERBATIM: Final = frozenset({"pre", "textarea", "listing"})
_VERBATIM_TAGS: Final = ("<pre", "</pre", "<textarea", "</textarea", "<listing", "</listing")
_CODE: Final = frozenset({"script", "style"})
_IN_A_LINE: Final = frozenset(
    {"abbr", "b", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "samp", "small", "span",
     "strong", "sub", "sup", "time", "tt", "u", "var"}
)  # fmt: skip
"""Elements that only dress up words: white space beside their tags keeps words apart."""

VOID: Final = frozenset(
    {"area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
     "meta", "param", "source", "track", "wbr"}
)  # fmt: skip
_NEAR: Final = 64
_CHUNK: Final = 32
_SHOWN: Final = 5
AS_WRITTEN: Final = "the page nests or repeats too much to be read as a browser does: its tags are compared as written"


class Token(NamedTuple):
    """One step of a page: a tag's begin or end, a text; `glued` means that no white space parts it from the last."""

    kind: str
    text: str
    attributes: Mapping[str, str] = _NONE
    glued: bool = False


class Stream:
    """The tokens of a page from the first place on at which it is not like the other.

    `head` are the pieces before, which both have; they are only read where a place is asked for. The memory of the
    last place changes.
    """

    def __init__(self, tokens: Sequence[Token], head: Head) -> None:
        self.tokens = tokens
        self._head = head
        self._at = -1
        self._open = _Open()

    def place_of(self, at: int) -> str:
        """Return the elements that are open before a token, each with its number among its like from 2 on."""
        if self._at < 0 or at < self._at:
            self._at, self._open = 0, self._head.opened()
        self._open.follow(self.tokens[self._at : at])
        self._at = at
        return self._open.shown()

    def before(self, at: int, most: int) -> Sequence[Token]:
        """Return the tokens before one, at least `most` where there are as many."""
        near = self.tokens[max(1, at - most) : at]  # the first is the document's type
        return near if len(near) >= most else [*self._head.last(most), *near]

    def whole(self) -> list[Token]:
        """Return all tokens of the page; `index` says where one of these is among them."""
        return [self.tokens[0], *self._head.tokens(), *self.tokens[1:]]

    def index(self, at: int) -> int:
        """Return where a token stands in the whole page, which does not depend on the page it is compared with."""
        return at + self._head.length() if at else 0


class Head:
    """What two pages begin with; its open elements and its number of tokens are looked up once."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces
        self._found: _Open | None = None
        self._tokens: list[Token] | None = None

    def tokens(self) -> list[Token]:
        """Return its tokens."""
        if self._tokens is None:
            self._tokens = _Writer(0, _Known()).written(self._pieces)
        return self._tokens

    def length(self) -> int:
        """Return how many tokens it holds."""
        return len(self.tokens())

    def last(self, most: int) -> Sequence[Token]:
        """Return the tokens that it ends with."""
        return _Writer(0, _Known()).written(self._pieces[-most:])

    def opened(self) -> _Open:
        """Return the elements that are open behind it."""
        if self._found is None:
            self._found = _Open()
            _open_up(self._found, self._pieces)
        return self._found.copy()


class _Open:
    """The elements that are open at some place: their names, attributes, and how many of a name came before in each.

    Attributes are read, or still the tag they stand in: of most elements no id is asked for. As long as an element is
    open, its number among its like is the count of them in the element around it.
    """

    def __init__(self) -> None:
        self._tags: list[str] = []
        self._sources: list[Mapping[str, str] | str] = []
        self._counts: list[dict[str, int] | None] = [None]

    def follow(self, tokens: Sequence[Token]) -> None:
        """Go on over tokens: of a page of a megabyte, over half a million."""
        for token in tokens:
            kind = token.kind
            if kind == START:
                self.start(token.text, token.attributes)
            elif kind == END:
                self.end()

    def start(self, tag: str, source: Mapping[str, str] | str) -> None:
        self.count(tag)
        self._tags.append(tag)
        self._sources.append(source)
        self._counts.append(None)

    def end(self) -> None:
        if self._tags:
            self._tags.pop()
            self._sources.pop()
            self._counts.pop()

    def count(self, tag: str) -> None:
        """Count an element that is closed at once."""
        counts = self._counts[-1]
        if counts is None:  # most elements have none in them
            self._counts[-1] = {tag: 1}
        else:
            counts[tag] = counts.get(tag, 0) + 1

    def shown(self) -> str:
        begin = max(0, len(self._tags) - _SHOWN)
        return " > ".join(map(self._name, range(begin, len(self._tags)))) or "page"

    def _name(self, level: int) -> str:
        tag, source, counts = self._tags[level], self._sources[level], self._counts[level]
        name = (_tag(source)[1] if isinstance(source, str) else source).get("id", "")
        number = 1 if counts is None else counts[tag]
        return f"{tag}#{name}" if name else f"{tag}[{number}]" if number > 1 else tag

    def copy(self) -> _Open:
        made = _Open()
        made._tags, made._sources = list(self._tags), list(self._sources)
        made._counts = [None if each is None else dict(each) for each in self._counts]
        return made


def _open_up(found: _Open, pieces: Sequence[str]) -> None:
    known: dict[str, tuple[str, bool]] = {}
    for piece in pieces:
        if piece[0] != "<" or piece[1:2] == "!":
            continue
        if piece[1:2] == "/":
            found.end()
            continue
        tag, closed = known.get(piece) or known.setdefault(piece, _named(piece))
        if closed:
            found.count(tag)
        else:
            found.start(tag, piece)


def _named(piece: str) -> tuple[str, bool]:
    tag = piece[1 : piece.index(">")].partition(" ")[0]
    return tag, tag in VOID or piece.count("<") > 1


def streams(legacy: str, modern: str, context: Context, *, whole: bool = False) -> tuple[Stream, Stream]:
    """Return two pages as tokens, white space as browsers show it; what both begin or end with apart if not `whole`."""
    as_written = html_as_written.is_too_much(legacy) or html_as_written.is_too_much(modern)
    if as_written:
        context.note(AS_WRITTEN)
    known = html_pieces.Known()
    left, right = (_pieces(page, context, known, as_written=as_written) for page in (legacy, modern))
    del known
    begin, end = (0, 0) if whole else _common(left, right)
    head = Head(left[:begin])
    verbatim = _verbatim(left[:begin])
    read = _Known()
    ours, theirs = (_Writer(verbatim, read).written(each[begin : len(each) - end]) for each in (left, right))
    ours.insert(0, Token(DOCTYPE, _doctype(legacy)))
    theirs.insert(0, Token(DOCTYPE, _doctype(modern)))
    return Stream(ours, head), Stream(theirs, head)


def _pieces(page: str, context: Context, known: html_pieces.Known, *, as_written: bool) -> list[str]:
    """Return a page's pieces; pieces that are equal are one object, `known`."""
    if as_written:
        found = html_pieces.pieces(page, html_as_written.WAY, known)
    else:
        # The parser drops rows without their table.
        source = f"<table>{page}" if _ROW.match(page) else page
        found = html_pieces.pieces(LexborHTMLParser(source).html or "", html_pieces.PARSED, known)
    # A tag and its end are one node.
    context.spend(len(found) // 2)
    return found


def _common(left: list[str], right: list[str]) -> tuple[int, int]:
    """Return how many pieces two pages begin and end with in common, each up to a tag at which a line ends."""
    begin = _to_line_end(left, first_difference(left, right))
    ours, theirs = left[begin:], right[begin:]
    ours.reverse()
    theirs.reverse()
    return begin, _to_line_end(ours, first_difference(ours, theirs))


def _to_line_end(pieces: list[str], count: int) -> int:
    """Return how many of the first pieces there are up to the last tag at which a line ends."""
    near = max(0, count - _NEAR)
    while count > near:
        if _ends_a_line(pieces[count - 1]):
            return count
        count -= 1
    # Where lines are long, most pieces come again and again: each is looked at once.
    ends = set(filter(_ends_a_line, set(pieces[:count])))
    while count and pieces[count - 1] not in ends:
        count = count - 1 if ends else 0
    return count


def _ends_a_line(piece: str) -> bool:
    if piece[0] != "<" or piece[1:2] == "!":
        return False
    return piece.lstrip("</").partition(">")[0].partition(" ")[0] not in _IN_A_LINE


def _verbatim(pieces: Sequence[str]) -> int:
    """Return in how many elements whose white space stands as it is a place is."""
    steps = {piece: -1 if piece[1] == "/" else 1 for piece in set(pieces) if piece.startswith(_VERBATIM_TAGS)}
    return sum([steps.get(piece, 0) for piece in pieces]) if steps else 0


def _plain(text: str) -> str:
    """Return what a text stands for: the parser writes five entities and no others."""
    bare = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\xa0").replace("&quot;", '"')
    return bare.replace("&amp;", "&")


def _tag(piece: str) -> tuple[str, Mapping[str, str]]:
    tag, space, _ = piece[1:-1].partition(" ")
    if not space:
        return tag, _NONE
    found = {name: _plain(value) if "&" in value else value for name, value in _ATTRIBUTE.findall(piece)}
    if "class" in found:
        found["class"] = _SPACES.sub(" ", found["class"]).strip(" ")
    return tag, found


class _Step(NamedTuple):
    """What a piece of markup does, whatever stands around it; `tokens` are none of a comment.

    `first` stands before the text of an element whose text is no markup, `tokens` behind it. `crosses` says that a line
    ends there, `depth` by how much it changes in how many elements white space stands as it is.
    """

    tokens: tuple[Token, ...] = ()
    crosses: bool = False
    depth: int = 0
    first: Token | None = None
    text: str = ""


_COMMENT: Final = _Step()


class _Run(NamedTuple):
    """What a row of pieces comes to from some state of the writer on: the tokens, the state behind it."""

    tokens: list[Token]
    state: tuple[bool, bool, int, str]


class _Known:
    """The tokens of two pages: what is written alike is read once. All fields grow by the pieces."""

    def __init__(self) -> None:
        self.steps: dict[str, _Step] = {}
        self.texts: tuple[dict[str, Token], dict[str, Token]] = {}, {}
        self.runs: dict[tuple[object, ...], _Run] = {}

    def step(self, piece: str) -> _Step:
        """Return what a piece does that is seen for the first time."""
        made = self.steps[piece] = _step(piece)
        return made


def _step(piece: str) -> _Step:
    if piece[1] == "!":
        return _COMMENT
    if piece[1] == "/":
        tag = piece[2:-1]
        return _Step((Token(END, tag),), tag not in _IN_A_LINE, -(tag in _VERBATIM))
    raw = _RAW_ELEMENT.fullmatch(piece)
    tag, attributes = _tag(piece if raw is None else raw[1])
    start, end, crosses = Token(START, tag, attributes), Token(END, tag), tag not in _IN_A_LINE
    if raw is None:
        return _Step((start, end) if tag in VOID else (start,), crosses, tag in _VERBATIM and tag not in VOID)
    if tag not in _CODE:
        return _Step((end,), crosses, 0, start, raw[3])
    code = raw[3].replace("\r\n", "\n").strip()
    return _Step((start, Token(SCRIPT, code), end) if code else (start, end), crosses)


class _Writer:
    """Turns pieces of a page into tokens.

    `_run` says that words stand before a text in the same line, `_gap` that white space does, `_verbatim` in how many
    elements white space stands as it is, `_pending` is the text since the last tag.
    """

    def __init__(self, verbatim: int, known: _Known) -> None:
        self._found: list[Token] = []
        self._run = self._gap = False
        self._verbatim = verbatim
        self._pending = ""
        self._known = known

    def written(self, pieces: Sequence[str]) -> list[Token]:
        """Return the tokens of pieces; a comment in the middle of a text does not cut it.

        The shorter what a page repeats, the more often a chunk of it was written before.
        """
        found, runs = self._found, self._known.runs
        for at in range(0, len(pieces), _CHUNK):
            chunk = pieces[at : at + _CHUNK]
            key = (self._run, self._gap, self._verbatim, self._pending, *chunk)
            run = runs.get(key)
            if run is None:
                begin = len(found)
                self._write(chunk)
                runs[key] = _Run(found[begin:], (self._run, self._gap, self._verbatim, self._pending))
            else:
                found.extend(run.tokens)
                self._run, self._gap, self._verbatim, self._pending = run.state
        self._text(self._pending)
        return found

    def _write(self, pieces: Sequence[str]) -> None:
        found, steps, known = self._found, self._known.steps, self._known
        for piece in pieces:
            if piece[0] != "<":
                text = _plain(piece) if "&" in piece else piece
                self._pending = self._pending + text if self._pending else text
                continue
            step = steps.get(piece) or known.step(piece)
            if step is _COMMENT:
                continue
            if self._pending:
                self._text(self._pending)
                self._pending = ""
            if step.first is not None:
                self._raw(step.first, step)
            found.extend(step.tokens)
            self._verbatim += step.depth
            if step.crosses:
                self._run = self._gap = False

    def _raw(self, start: Token, step: _Step) -> None:
        """Write the begin and the text of an element whose text is no markup: a frame."""
        self._found.append(start)
        if step.crosses:
            self._run = self._gap = False
        self._text(step.text)

    def _text(self, text: str) -> None:
        """Write the text between two tags as one token."""
        if not text:
            return
        if self._verbatim:
            self._found.append(Token(TEXT, text))
            return
        blank = text[0] in _BLANKS
        if words := text.strip(_BLANKS):
            glued = self._run and not self._gap and not blank
            texts = self._known.texts[glued]
            token = texts.get(text)
            if token is None:
                token = texts[text] = Token(TEXT, _SPACES.sub(" ", words), _NONE, glued)
            self._found.append(token)
            self._run = True
        self._gap = text[-1] in _BLANKS or (self._gap and not words)


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
