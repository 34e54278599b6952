"""Compares two bodies as XML, element by element."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any, Final

from lxml import etree

from comparators import charsets, text_compare
from comparators.context import Context
from comparators.json_labels import NAMES
from comparators.literals import first_difference
from comparators.model import Capture
from comparators.text_compare import around
from comparators.xml_children import HOSTS, Gap, gaps, numbers

_HELD: Final = frozenset({"value", "content", "text", "data"})
_PLAIN: Final = frozenset(
    {"amount", "boolean", "content", "data", "datetime.iso8601", "decimal", "double", "float", "i4", "i8", "int",
     "integer", "number", "string", "text", "value"}
)  # fmt: skip
"""Elements that say nothing about what they hold: those of XML-RPC, of lists of settings."""
_LEVELS: Final = 3
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_NAMED: Final = re.compile(rb"\s*<\?xml\s[^>]{0,200}?encoding\s*=")
_LABELS: Final = {"euc_jp": "EUC-JP", "utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE"}
"""What libxml2 calls them."""
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_OF_SCHEMAS: Final = frozenset(
    {"http://www.w3.org/2001/XMLSchema", "http://schemas.xmlsoap.org/wsdl/", "http://schemas.xmlsoap.org/wsdl/soap/",
     "http://schemas.xmlsoap.org/wsdl/soap12/"}
)  # fmt: skip
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_MOST: Final = 8
_PREVIEW: Final = 80
_MOVED: Final = 6
_MANY: Final = 100
_GLANCED: Final = 16
"""Down to so many levels elements are first compared as they are written; each further level would repeat that."""
_EACH_ATTRIBUTE: Final = etree.XPath("@*")
_CROWDED: Final = 64

Step = tuple[Any, Any, str, str, int]
"""Two elements, the place of those around them, their number there, the levels that are compared as written."""


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find where two documents part, the first few places.

    The order of attributes, prefixes of namespaces, comments, CDATA, white space between elements do not count.
    Nothing is resolved or fetched: a document that defines entities or elements itself is compared as text, and so
    is what neither side can parse. What only one side can parse is a difference.
    """
    codecs = (
        (_codec(context.legacy, legacy), _codec(context.modern, modern)) if context.has("charset") else (None, None)
    )
    if legacy == modern and codecs[0] == codecs[1]:
        return
    left, right = _parsed(legacy, codecs[0]), _parsed(modern, codecs[1])
    if (left is None and right is None) or _defines(left) or _defines(right):
        text_compare.text_differences(legacy, modern, context)
    elif left is None or right is None:
        context.differ("@body", "parse", _start(legacy, left), _start(modern, right))
    else:
        # A written subtree declares all namespaces around it: that is no shorter way where there are many.
        few = max(body.count(b"xmlns") for body in (legacy, modern)) < _MANY
        _Walk(context, glances=_GLANCED if few else 0).documents(left, right)


def _codec(capture: Capture, body: bytes) -> str | None:
    """Return the charset that the media type of a document names which names none itself (RFC 7303)."""
    named = charsets.declared(capture)
    return None if named is None or body.startswith(_MARKS) or _NAMED.match(body) else named


def _parsed(body: bytes, codec: str | None = None) -> Any:
    """Return a document's tree, None for what is no XML or nests deeper than libxml2's own limit."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        encoding=_LABELS.get(codec or "", codec),
    )
    try:
        return etree.fromstring(body, parser).getroottree()
    except (etree.XMLSyntaxError, ValueError):
        return None


def _defines(tree: Any) -> bool:
    """Whether a document says itself what its entities or attributes mean."""
    own = tree.docinfo.internalDTD if tree is not None else None
    return own is not None and (any(own.iterentities()) or any(own.iterelements()))


def _start(body: bytes, tree: Any) -> str:
    return ("no XML: " if tree is None else "XML: ") + body[:120].decode("utf-8", "replace")


class _Walk:
    """One comparison of two trees; nothing changes but the context. `glances` are the levels compared as written."""

    def __init__(self, context: Context, *, glances: int = _GLANCED) -> None:
        self._context = context
        self._glances = glances
        self._before = len(context.findings)

    def documents(self, legacy: Any, modern: Any) -> None:
        self._values("document type", legacy.docinfo.doctype, modern.docinfo.doctype)
        self._instructions(legacy.getroot(), modern.getroot())
        pairs: list[Step] = [(legacy.getroot(), modern.getroot(), "", "", self._glances)]
        while pairs and len(self._context.findings) - self._before < self._context.places(_MOST):
            one, two, above, number, glances = pairs.pop()
            place = f"{above}/{_name(one)}{number}"
            if one.tag != two.tag:
                self._context.differ("@body", "value", *_named_apart(place, one, f"{above}/{_name(two)}{number}", two))
                continue
            self._attributes(one, two, place)
            self._texts(one, two, place)
            pairs += reversed(list(self._children(one, two, place, glances)))
        if pairs:
            # Who hides these places as noise must not hide with them what was no longer looked at.
            self._context.differ("@body", "value", "document, what follows", "document, what follows")

    def _instructions(self, legacy: Any, modern: Any) -> None:
        """Compare what documents say to programs outside their root: a style sheet lost is a bare page."""
        ours, theirs = _instructed(legacy), _instructed(modern)
        self._context.spend(len(ours) + len(theirs))
        if ours != theirs:
            for left, right in zip_longest(ours, theirs, fillvalue=""):
                if left != right and self._context.differences <= self._context.most:
                    self._values("instruction", left, right)

    def _children(self, one: Any, two: Any, place: str, glances: int) -> Iterator[Step]:
        # lxml walks over all children to count them: once is enough
        count, others = len(one), len(two)
        self._context.spend(count)
        if count != others:
            self._context.differ("@body", "length", f"{place}: {count} elements", f"{place}: {others} elements")
        deeper = glances - (count > 1)
        by_number = [
            (at, left, right)
            for at, (left, right) in enumerate(zip(one, two, strict=False))
            if not (_is_same_leaf(left, right) or (glances > 0 and count > 1 and _is_same_branch(left, right)))
        ]
        start = by_number[0][0] if by_number else min(count, others)
        tries = glances > 0 and (count != others or _may_have_moved(by_number))
        if tries and (apart := gaps(one, two, start)) is not None:
            yield from self._apart(apart, one, two, place, deeper)
        elif count == others or self._context.seen is None:
            # legacy's own lists of two lengths say nothing of what varies at a number
            there = numbers(one) if by_number else []
            for at, left, right in by_number:
                yield left, right, place, there[at], deeper

    def _apart(self, apart: Sequence[Gap], one: Any, two: Any, place: str, glances: int) -> Iterator[Step]:
        """Report the elements that only one side has, yield those that belong together."""
        # an element of lxml is found by its number from the first one on
        ours, theirs = list(zip(one, numbers(one), strict=True)), list(two)
        for gap in apart:
            lost, gained = ours[gap.start : gap.stop], theirs[gap.to : gap.until]
            if len(lost) != len(gained):
                # of a name that is as often on both sides the elements belong together
                here, there = Counter(each.tag for each, _ in lost), Counter(each.tag for each in gained)
                for left in [each for each, _ in lost if here[each.tag] != there[each.tag]][:_MOST]:
                    self._context.differ("@body", "missing", f"{place}/{_shown(left)}", "")
                for right in [each for each in gained if here[each.tag] != there[each.tag]][:_MOST]:
                    self._context.differ("@body", "extra", "", f"{place}/{_shown(right)}")
                lost = sorted((each for each in lost if here[each[0].tag] == there[each[0].tag]), key=_by_name)
                gained = sorted((each for each in gained if here[each.tag] == there[each.tag]), key=_tag)
            for (left, number), right in zip(lost, gained, strict=True):
                yield left, right, place, number, glances

    def _attributes(self, one: Any, two: Any, place: str) -> None:
        left, right = _held(one), _held(two)
        for name in sorted(left.keys() | right.keys()):
            if self._context.differences > self._context.most:
                return  # an element may have a hundred thousand
            if name not in right:
                self._context.differ("@body", "missing", f"{place}@{name}: {left[name]}", "")
            elif name not in left:
                self._context.differ("@body", "extra", "", f"{place}@{name}: {right[name]}")
            elif left[name] != right[name] and not (
                _is_of_names(name, one) and _are_one_name(left[name], one, right[name], two)
            ):
                self._values(f"{place}@{name}", left[name], right[name], _label(one) if name in _HELD else "")
            elif name == _TYPE and left[name] == right[name] and not _are_of_one_type(left[name], one, two):
                spaces = (each.nsmap.get(left[name].strip().partition(":")[0]) for each in (one, two))
                self._context.differ("@body", "value", *(f"{place}@{name}: {left[name]} of {each}" for each in spaces))

    def _texts(self, one: Any, two: Any, place: str) -> None:
        """Compare what an element says before, between, after the elements in it."""
        for left, right in zip_longest(_said(one), _said(two), fillvalue=""):
            if left != right and not (place.endswith("/faultcode") and _are_one_name(left, one, right, two)):
                self._values(place, left, right, _label(one))

    def _values(self, place: str, left: str, right: str, label: str = "") -> None:
        if not (
            self._context.same_text(left, right, place=place, shown=lambda: place, name=label)
            or self._context.same_moment(left, right)
        ):
            at = first_difference(left, right)
            self._context.differ("@body", "value", f"{place}: {around(left, at)}", f"{place}: {around(right, at)}")


def _may_have_moved(by_number: Sequence[tuple[int, Any, Any]]) -> bool:
    """Whether one of the first elements that differ is written as another of the first is on the other side."""
    first = by_number[:_MOVED]
    return len(first) > 1 and any(
        _is_same_leaf(left, right) or _is_same_branch(left, right)
        for at, (_, left, _) in enumerate(first)
        for to, (_, _, right) in enumerate(first)
        if at != to
    )


def _tag(element: Any) -> str:
    return str(element.tag)


def _by_name(element: tuple[Any, str]) -> str:
    return _tag(element[0])


def _shown(element: Any) -> str:
    """Return the name of an element and what it says, which tells it from others wherever it stands."""
    pieces = (" ".join(str(each).split()) for each in islice(element.itertext(), _PREVIEW))
    return f"{_name(element)}: {HOSTS.sub('', ' '.join(filter(None, pieces)))[:_PREVIEW]}"


def _named_apart(place: str, one: Any, other: str, two: Any) -> tuple[str, str]:
    """Return two names, with the namespaces where these alone differ."""
    if place != other:
        return place, other
    spaces = (etree.QName(each).namespace if isinstance(each.tag, str) else None for each in (one, two))
    left, right = (f"{place}: of {each or 'no namespace'}" for each in spaces)
    return left, right


def _label(element: Any) -> str:
    """Return what stands beside an element about what it holds: `<field name="price">`, `<name>price</name><value>`."""
    found: list[str] = []
    for _ in range(_LEVELS):
        if element is None or not isinstance(element.tag, str):
            break
        found += [word for name in NAMES if (word := element.get(name))]
        before = element.getprevious()
        if before is not None and isinstance(before.tag, str) and etree.QName(before).localname.lower() in NAMES:
            found.append(before.text or "")
        if etree.QName(element).localname.lower() not in _PLAIN:
            break
        element = element.getparent()
    return " ".join(found)


def _instructed(root: Any) -> list[str]:
    """Return the processing instructions around a root, those that have attributes with them in order."""
    around_it = (*reversed(list(root.itersiblings(preceding=True))), *root.itersiblings())
    found = [each for each in around_it if each.tag is etree.PI]
    said = (sorted(f'{name}="{value}"' for name, value in each.attrib.items()) or [each.text or ""] for each in found)
    return [" ".join((each.target, *texts)) for each, texts in zip(found, said, strict=True)]


def _is_same_leaf(one: Any, two: Any) -> bool:
    """Whether two elements without others inside are the same; most of a document is such leaves."""
    if one.tag != two.tag or one.text != two.text or len(one) or len(two):
        return False
    names, others = one.keys(), two.keys()
    if not (names or others):
        return True
    if names == others and _TYPE not in names and len(names) < _CROWDED:
        return bool(one.items() == two.items())
    held = _held(one)
    return held == _held(two) and (_TYPE not in held or _are_of_one_type(held[_TYPE], one, two))


def _are_of_one_type(name: str, one: Any, two: Any) -> bool:
    """Whether a type that both elements write alike is one: a prefix may stand for another namespace."""
    return ":" not in name or _are_one_name(name, one, name, two)


def _is_same_branch(one: Any, two: Any) -> bool:
    """Whether two elements with others inside are written alike."""
    if one.tag != two.tag or not (len(one) and len(two)):
        return False
    written = etree.tostring(one, encoding="unicode", with_tail=False)
    return bool(written == etree.tostring(two, encoding="unicode", with_tail=False))


def _held(element: Any) -> dict[str, str]:
    """Return an element's attributes; lxml looks through all of them for each, but not where XPath lists them."""
    names = element.keys()
    if len(names) < _CROWDED:
        return dict(element.items())
    return {each.attrname: str(each) for each in _EACH_ATTRIBUTE(element)}


def _is_of_names(attribute: str, element: Any) -> bool:
    """Whether an attribute holds a qualified name: XML Schema and SOAP say of which, elsewhere a colon is a letter."""
    if attribute == _TYPE or attribute.endswith("}arrayType"):
        return True
    return isinstance(element.tag, str) and etree.QName(element).namespace in _OF_SCHEMAS


def _are_one_name(legacy: str, one: Any, modern: str, two: Any) -> bool:
    """Whether two values are one name of one namespace under two prefixes (`xsi:type="xsd:string"`)."""
    left, right = legacy.strip().partition(":"), modern.strip().partition(":")
    if not (left[1] and right[1]) or left[2] != right[2]:
        return False
    here = one.nsmap.get(left[0])
    return here is not None and here == two.nsmap.get(right[0])


def _said(element: Any) -> list[str]:
    """Return an element's own pieces of text; white space alone says nothing beside other elements."""
    if not len(element):
        return [element.text or ""]
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    if element.get(_SPACE) == "preserve":
        return pieces
    return [piece if piece.strip() else "" for piece in pieces]


def _name(element: Any) -> str:
    """Return what a person calls an element; an entity or a processing instruction by its own text."""
    return etree.QName(element).localname if isinstance(element.tag, str) else str(element)
