"""Names the resources and the session of a request.

`/orders/17/pay` writes the order 17, which `/orders/17/lines` reads, `/admin/orders/17`, `/print?order_id=17` too. A
thing below it is another one: who writes `/orders/17/lines/5` writes both, who reads `/orders/17/lines/6` reads only
that line. What a path names follows from its shape (`rules.routing.mirroring`), from the route's `{names}`. A path
without any, a list or `/me`, names nothing: were it a thing, one busy user would leave no pairs to compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final
from urllib.parse import unquote, unquote_plus

from rules.routing.mirroring import is_name, singular

MOST_BYTES: Final = 16_384
"""Of a body that is looked through for ids."""
_MOST: Final = 24
_DEEPEST: Final = 12
_LONGEST: Final = 64
_OWN: Final = frozenset(("me", "self", "current", "mine", "own", "setting", "preference", "option"))
"""Words for what every user has one of: no two mean the same by them."""
_ID: Final = r"(?:id|uuid|ulid|slug)"
_query: Final = re.compile(
    rf"(?:^|&)(?:(\w{{1,40}}?)_{_ID}|(\w{{1,40}}?)(?:Id|Uuid|Slug)|{_ID})=([^&#]{{1,256}})"
).finditer
_json: Final = re.compile(
    rf'"(?:(\w{{1,40}}?)_{_ID}|(\w{{1,40}}?)(?:Id|Uuid|Slug)|{_ID})"\s{{0,4}}:\s{{0,4}}(?:"([^"\\]{{1,256}})"|(\d{{1,20}}))'
).finditer
_part: Final = re.compile(
    rf'name="?(?:(\w{{1,40}}?)_{_ID}|(\w{{1,40}}?)(?:Id|Uuid|Slug)|{_ID})"?\r\n\r\n([^\r\n]{{1,256}})\r\n'
).finditer


def read(target: str, names: Collection[str] = ()) -> tuple[str, ...]:
    """Return the things that a read of `target` shows; `names` are the values that its route's pattern captured."""
    path, _, query = target.partition("?")
    own = list(_in_path(path, names))[-1:]
    return tuple(dict.fromkeys((*own, *_in_query(path, query))))


def written(target: str, names: Collection[str] = ()) -> tuple[str, ...]:
    """Return the things that a write to `target` changes, those that it is a part of with them."""
    path, _, query = target.partition("?")
    return tuple(dict.fromkeys((*_in_path(path, names), *_in_query(path, query))))[:_MOST]


def in_body(target: str, body: bytes) -> tuple[str, ...]:
    """Return the things that the members of a JSON body, the fields of a form name by their ids: `order_id`, `id`."""
    path, text = target.partition("?")[0], body[:MOST_BYTES].decode("latin-1")
    if "\r\n\r\n" in text:
        found = ((one or other, value) for one, other, value in (each.groups() for each in _part(text)))
    elif text.lstrip()[:1] in ("{", "["):
        found = ((one or other, word or number) for one, other, word, number in (each.groups() for each in _json(text)))
    else:
        found = ((one or other, unquote_plus(value)) for one, other, value in (each.groups() for each in _query(text)))
    return tuple(dict.fromkeys(_named(path, found)))[:_MOST]


def _in_path(path: str, names: Collection[str]) -> Iterator[str]:
    before = ""
    for segment in path.split("/", _DEEPEST + 1)[1 : _DEEPEST + 1]:
        plain = unquote(segment) if "%" in segment else segment
        noun = singular(before)
        if segment and noun not in _OWN and (is_name(plain, before) or (plain in names and _is_one(plain))):
            yield _key(noun, plain)
        before = plain.lower()


def _is_one(captured: str) -> bool:
    """Whether what a pattern captured is no list: `/{resource}` may stand for `/orders`."""
    word = captured.lower()
    return word not in _OWN and singular(word) == word


def _in_query(path: str, query: str) -> Iterator[str]:
    if not query:
        return iter(())
    pairs = (each.groups() for each in _query(query))
    return _named(path, ((one or other, unquote_plus(value)) for one, other, value in pairs))


def _named(path: str, found: Iterable[tuple[str | None, str]]) -> Iterator[str]:
    """Yield a key for each id; one without a noun is of what the path speaks of, whichever of its words that is."""
    for noun, value in found:
        if noun:
            yield _key(noun, value)
        else:
            yield from (_key(singular(_stem(each)), value) for each in path.split("/")[1:][-3:] if each)


def _stem(segment: str) -> str:
    return segment.lower().partition(".")[0]


def _key(noun: str, value: str) -> str:
    """One thing in one spelling; hashed where it is long, for a flood of long ones must not fill memory."""
    short = value.lower() if len(value) <= _LONGEST else hash(value.lower())
    return f"{noun.lower().replace('_', '').replace('-', '')[:_LONGEST]}:{short}"


# Knows which sessions are in use, so that a copy never makes a user wait for a session's lock.
#
# PHP locks a session's file for the whole request: a copy with the user's cookies would hold up the next click.


_session: Final = re.compile(
    r"(?:^|; ?)((?:[A-Za-z0-9._-]*sess[A-Za-z0-9._-]*|sid|[A-Za-z0-9._-]+[._-]sid)=[^;]*)", re.IGNORECASE
).findall


def session_of(cookie: str) -> str:
    """The cookies that look like a session's; all of them where none does; empty without cookies."""
    found: list[str] = _session(cookie)
    return "; ".join(sorted(found)) if found else cookie


def session_values(cookie: str) -> dict[str, str]:
    """The values of the cookies that look like a session's, by name."""
    pairs = (found.partition("=") for found in _session(cookie))
    return {name: value for name, _, value in pairs}


class SessionLocks:
    """Sessions with live requests (counted), sessions with one copy under way; both move as calls come, end."""

    def __init__(self) -> None:
        self._live: dict[str, int] = {}
        self._copies: dict[str, Callable[[], None]] = {}

    def enter(self, session: str) -> None:
        """A user's request came: a copy that is under way for the same session has to go."""
        self._live[session] = self._live.get(session, 0) + 1
        give_up = self._copies.pop(session, None)
        if give_up is not None:
            give_up()

    def leave(self, session: str) -> None:
        """A user's request is over."""
        left = self._live.get(session, 0) - 1
        if left > 0:
            self._live[session] = left
        else:
            self._live.pop(session, None)

    def lend(self, session: str, give_up: Callable[[], None]) -> bool:
        """Let a copy use a session that is not in use now; `give_up` is called when its user comes back."""
        if session in self._live or session in self._copies:
            return False
        self._copies[session] = give_up
        return True

    def give_back(self, session: str) -> None:
        """The copy is over."""
        self._copies.pop(session, None)
