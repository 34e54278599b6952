"""Kinds of pairs of JSON bodies, each of any size: what a judge has to compare in a time that grows with it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

PHP: dict[str, Any] = {"preset": "php"}
UNORDERED: dict[str, Any] = {**PHP, "unordered": [""]}
KEYED: dict[str, Any] = {**PHP, "unordered": [{"path": "", "key": "id"}]}
CENT = 0.01


class Pair(NamedTuple):
    """Both bodies, and what legacy answered when it was asked again, if it was."""

    legacy: str
    modern: str
    again: str | None = None


class KindOfPair(NamedTuple):
    """`make` takes a number of rows; `size` is what one of them takes in bytes, about."""

    make: Callable[[int], Pair]
    size: int
    mapping: dict[str, Any]
    verdict: str


def pair(legacy: Any, modern: Any, again: Any = None) -> Pair:
    return Pair(_text(legacy), _text(modern), None if again is None else _text(again))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def mixed(rows: Sequence[Any]) -> list[Any]:
    """The rows in another order, always the same one."""
    found = list(rows)
    random.Random(1).shuffle(found)
    return found


def orders(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Rows as they are written by hand: an id, a text, a price, a list, a map."""
    return [
        {
            "id": at, "name": f"order {at * 7919 % 100_003}", "price": at * 37 % 9973 / 100, "tags": [at % 7, "x"],
            "of": {"by": at % 11, "at": f"2026-01-{at % 28 + 1:02} 10:00:00"}, **more,
        }
        for at in range(first, first + count)
    ]  # fmt: skip


def php(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as PHP spells them: prices as text, times with a blank for modern's T."""
    return [{**row, "price": f"{row['price']:.2f}"} for row in rows]


def iso(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the times of ISO 8601."""
    return [{**row, "of": {**row["of"], "at": row["of"]["at"].replace(" ", "T") + "Z"}} for row in rows]


def dearer(rows: Sequence[dict[str, Any]], every: int = 1, by: float = CENT) -> list[dict[str, Any]]:
    """The rows with a cent more in every so many."""
    return [{**row, "price": round(row["price"] + (by if not at % every else 0), 4)} for at, row in enumerate(rows)]


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def chains(count: int, leaf: Callable[[int], Any]) -> list[Any]:
    """Lists nested two hundred deep, each with something at its end."""
    return [nested(200, leaf(at)) for at in range(count)]


def tree(depth: int, leaf: Any) -> Any:
    return [tree(depth - 1, leaf), tree(depth - 1, leaf)] if depth else leaf


def bushes(count: int, leaf: Callable[[int], Any]) -> list[Any]:
    return [tree(4, leaf(at)) for at in range(count)]


def token(at: int, salt: int) -> str:
    return f"{salt}{random.Random(at * 3 + salt).randbytes(8).hex()}{salt}"


def tokens(count: int, salt: int) -> list[dict[str, Any]]:
    return [{"id": at, "ref": token(at, salt)} for at in range(count)]


def links(count: int, host: str, path: str = "a") -> list[dict[str, Any]]:
    return [{"n": at % 5, "url": f"{host}/{path}/{at}?q=a+b"} for at in range(count)]


OLD, NEW = "http://old.test:9001", "http://new.test:8000"
OLD_HOSTS, NEW_HOSTS = ("old.test:9001",), ("new.test:8000",)
EVERY_X: dict[str, Any] = {**PHP, "ignore": ["/**/x"]}

KINDS: dict[str, KindOfPair] = {
    # in order
    "spelled as PHP does": KindOfPair(lambda n: pair(php(orders(n)), iso(orders(n))), 120, PHP, "equal"),
    "a cent off in each row": KindOfPair(lambda n: pair(orders(n), dearer(orders(n))), 115, PHP, "different"),
    "a cent off in one row": KindOfPair(lambda n: pair(orders(n), dearer(orders(n), n)), 115, PHP, "different"),
    "nothing in common": KindOfPair(lambda n: pair(orders(n), orders(n, 10**6)), 118, PHP, "different"),
    "rows turned round": KindOfPair(lambda n: pair(orders(n), orders(n)[::-1]), 115, PHP, "different"),
    "rows shifted by one": KindOfPair(lambda n: pair(orders(n), orders(n, 1)), 115, PHP, "different"),
    "one row fewer": KindOfPair(lambda n: pair(orders(n), orders(n)[1:]), 115, PHP, "different"),
    "a member more in each row": KindOfPair(lambda n: pair(orders(n), orders(n, w=None)), 120, PHP, "different"),
    "numbers all wrong": KindOfPair(lambda n: pair([1] * n, [2] * n), 2, PHP, "different"),
    "numbers in other spellings": KindOfPair(
        lambda n: pair(
            f"[{','.join(f'{at}.50' for at in range(1, n))}]", f"[{','.join(f'{at}5e-1' for at in range(1, n))}]"
        ),
        9,
        PHP,
        "equal",
    ),
    "sums of a double": KindOfPair(
        lambda n: pair([at / 7 for at in range(n)], [(at / 7) * (1 + 4e-16) for at in range(n)]), 19, PHP, "equal"
    ),
    "empty lists for maps": KindOfPair(lambda n: pair([[]] * n, [{}] * n), 3, PHP, "equal"),
    "rows with gaps": KindOfPair(
        lambda n: pair({str(at): [at] for at in range(n)}, [[at] for at in range(n)]), 16, PHP, "equal"
    ),
    "a wide map": KindOfPair(
        lambda n: pair({f"m{at}": at for at in range(n)}, {f"m{at}": at for at in reversed(range(n))}), 13, PHP, "equal"
    ),
    "a wide map with other names": KindOfPair(
        lambda n: pair({f"m{at}": at for at in range(n)}, {f"n{at}": at for at in range(n)}), 13, PHP, "different"
    ),
    "members twice": KindOfPair(
        lambda n: pair(
            "{" + ",".join(f'"m{at}":1,"m{at}":2' for at in range(n)) + "}", {f"m{at}": 2 for at in range(n)}
        ),
        20,
        PHP,
        "equal",
    ),
    "lists two hundred deep": KindOfPair(lambda n: pair(chains(n, str), chains(n, int)), 405, PHP, "equal"),
    "lists two hundred deep, all wrong": KindOfPair(
        lambda n: pair(chains(n, str), chains(n, lambda at: at + 1)), 405, PHP, "different"
    ),
    "bushes": KindOfPair(lambda n: pair(bushes(n, str), bushes(n, int)), 100, PHP, "equal"),
    "maps in maps": KindOfPair(
        lambda n: pair(
            {f"a{at}": {f"b{at}": {f"c{inner}": str(at) for inner in range(5)}} for at in range(n)},
            {f"a{at}": {f"b{at}": {f"c{inner}": at for inner in range(5)}} for at in range(n)},
        ),
        85,
        PHP,
        "equal",
    ),
    "long texts": KindOfPair(lambda n: pair(["ab " * n] * 4, ["ab " * n + "c"] * 4), 12, PHP, "different"),
    "own addresses": KindOfPair(lambda n: pair(links(n, OLD), links(n, NEW)), 55, PHP, "equal"),
    "times in two spellings": KindOfPair(
        lambda n: pair(
            [f"2026-01-{at % 28 + 1:02} {at % 24:02}:{at % 60:02}:00" for at in range(n)],
            [f"2026-01-{at % 28 + 1:02}T{at % 24:02}:{at % 60:02}:00Z" for at in range(n)],
        ),
        23,
        PHP,
        "equal",
    ),
    # settings
    "a tolerance": KindOfPair(
        lambda n: pair([{"a": at} for at in range(n)], [{"a": at + 0.3} for at in range(n)]),
        12,
        {**PHP, "tolerance": [{"path": "/*/a", "absolute": 0.5}]},
        "equal",
    ),
    "ignored everywhere": KindOfPair(
        lambda n: pair(
            [{"x": at, "y": {"x": [at]}} for at in range(n)], [{"x": -at, "y": {"x": at}} for at in range(n)]
        ),
        27,
        EVERY_X,
        "equal",
    ),
    "extra members allowed": KindOfPair(
        lambda n: pair(orders(n), orders(n, w={"a": 1})), 125, {**PHP, "allow_extra": ["/*/w"]}, "equal"
    ),
    "null for missing": KindOfPair(
        lambda n: pair(orders(n), orders(n, w=None)), 122, {**PHP, "equivalent": ["null_missing"]}, "equal"
    ),
    "loose types": KindOfPair(
        lambda n: pair([str(at % 2) for at in range(n)], [at % 2 == 1 for at in range(n)]),
        5,
        {"equivalent": ["loose_types"]},
        "equal",
    ),
    "epochs": KindOfPair(
        lambda n: pair(
            [1767225600 + at % 86400 for at in range(n)],
            [f"2026-01-01T{at % 86400 // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z" for at in range(n)],
        ),
        23,
        {**PHP, "equivalent": ["unix_time"]},
        "equal",
    ),
    "patterns in texts": KindOfPair(
        lambda n: pair([f"took {at} ms" for at in range(n)], [f"took {at + 1} ms" for at in range(n)]),
        16,
        {**PHP, "ignore_text": ["took [0-9]+ ms"]},
        "equal",
    ),
    "only prices count": KindOfPair(lambda n: pair(orders(n), iso(orders(n))), 115, {"include": ["/*/price"]}, "equal"),
    "snake and camel": KindOfPair(
        lambda n: pair(
            [{"user_id": at, "last_name": f"a{at}"} for at in range(n)],
            [{"userId": at, "lastName": f"a{at}"} for at in range(n)],
        ),
        34,
        {"map": {"case": "camel"}},
        "equal",
    ),
    # in any order
    "in any order": KindOfPair(lambda n: pair(orders(n), mixed(orders(n))), 115, UNORDERED, "equal"),
    "in any order, as PHP spells it": KindOfPair(
        lambda n: pair(php(orders(n)), mixed(iso(orders(n)))), 120, UNORDERED, "equal"
    ),
    "in any order, one wrong": KindOfPair(
        lambda n: pair(php(orders(n)), mixed(iso(dearer(orders(n), n)))), 120, UNORDERED, "different"
    ),
    "in any order, all wrong": KindOfPair(
        lambda n: pair(php(orders(n)), mixed(iso(dearer(orders(n))))), 120, UNORDERED, "different"
    ),
    "in any order, nothing in common": KindOfPair(
        lambda n: pair(orders(n), mixed(orders(n, 10**6))), 118, UNORDERED, "different"
    ),
    "texts for numbers in any order": KindOfPair(
        lambda n: pair([str(at) for at in range(n)], mixed(range(n))), 8, UNORDERED, "equal"
    ),
    "numbers in any order": KindOfPair(lambda n: pair(list(range(n)), mixed(range(n))), 7, UNORDERED, "equal"),
    "numbers in any order, all wrong": KindOfPair(
        lambda n: pair(list(range(n)), mixed(range(n, 2 * n))), 7, UNORDERED, "different"
    ),
    "prices in any order, a cent off": KindOfPair(
        lambda n: pair([f"{at}.50" for at in range(n)], mixed([at + 0.51 for at in range(n)])),
        9,
        UNORDERED,
        "different",
    ),
    "duplicates in any order": KindOfPair(
        lambda n: pair([{"a": str(at % 3)} for at in range(n)], mixed([{"a": at % 3} for at in range(n)])),
        10,
        UNORDERED,
        "equal",
    ),
    "duplicates in any order, one more of one": KindOfPair(
        lambda n: pair(
            [{"a": str(at % 3)} for at in range(n)], mixed([{"a": at % 3} for at in range(n - 1)] + [{"a": 7}])
        ),
        10,
        UNORDERED,
        "different",
    ),
    "own addresses in any order": KindOfPair(
        lambda n: pair(links(n, OLD), mixed(links(n, NEW))), 55, UNORDERED, "equal"
    ),
    "wrong addresses in any order": KindOfPair(
        lambda n: pair(links(n, OLD), mixed(links(n, NEW, "b"))), 55, UNORDERED, "different"
    ),
    "lists in lists in any order": KindOfPair(
        lambda n: pair(
            [[{"a": str(at)}, {"a": "2"}] for at in range(n)], mixed([[{"a": 2}, {"a": at}] for at in range(n)])
        ),
        24,
        {**PHP, "unordered": ["", "/*"]},
        "equal",
    ),
    "one list of a few in any order": KindOfPair(
        lambda n: pair([[str(at), "x", "y"] for at in range(n)], [["y", at, "x"] for at in range(n)]),
        18,
        {**PHP, "unordered": ["/*"]},
        "equal",
    ),
    "a tolerance in any order": KindOfPair(
        lambda n: pair([{"a": at} for at in range(n)], mixed([{"a": at + 0.3} for at in range(n)])),
        12,
        {**UNORDERED, "tolerance": [{"path": "/*/a", "absolute": 0.5}]},
        "equal",
    ),
    "a wide tolerance in any order": KindOfPair(
        lambda n: pair([{"a": at} for at in range(n)], mixed([{"a": at + 0.3} for at in range(n)])),
        12,
        {**UNORDERED, "tolerance": [{"path": "/*/a", "absolute": 50}]},
        "equal",
    ),
    "ids with numbers near, in any order": KindOfPair(
        lambda n: pair(
            [{"id": f"k{at}", "a": at % 100} for at in range(n)],
            mixed([{"id": f"k{at}", "a": at % 100 + 0.3} for at in range(n)]),
        ),
        22,
        {**UNORDERED, "tolerance": [{"path": "/*/a", "absolute": 0.5}]},
        "equal",
    ),
    "patterns in any order": KindOfPair(
        lambda n: pair(
            [f"took {at} ms at {at}" for at in range(n)], mixed([f"took {at + 1} ms at {at}" for at in range(n)])
        ),
        25,
        {**UNORDERED, "ignore_text": ["took [0-9]+ ms"]},
        "equal",
    ),
    "ignored ids in any order": KindOfPair(
        lambda n: pair(
            [{"x": at, "a": f"a{at}"} for at in range(n)], mixed([{"x": -at, "a": f"a{at}"} for at in range(n)])
        ),
        22,
        {**UNORDERED, **EVERY_X},
        "equal",
    ),
    "chains in any order": KindOfPair(lambda n: pair(chains(n, str), mixed(chains(n, int))), 405, UNORDERED, "equal"),
    "keyed": KindOfPair(lambda n: pair(php(orders(n)), mixed(iso(orders(n)))), 120, KEYED, "equal"),
    "keyed, all wrong": KindOfPair(lambda n: pair(orders(n), mixed(dearer(orders(n)))), 115, KEYED, "different"),
    "keyed, other keys": KindOfPair(lambda n: pair(orders(n), mixed(orders(n, 10**6))), 117, KEYED, "different"),
    "keyed, one key for all": KindOfPair(
        lambda n: pair([{"id": 1, "a": str(at)} for at in range(n)], mixed([{"id": 1, "a": at} for at in range(n)])),
        20,
        KEYED,
        "equal",
    ),
    # legacy's second answer
    "tokens made anew": KindOfPair(lambda n: pair(*(tokens(n, salt) for salt in (1, 2, 3))), 40, PHP, "noise"),
    "members that vary": KindOfPair(
        lambda n: pair(*({f"m{at}": token(at, salt) for at in range(n)} for salt in (1, 2, 3))), 27, PHP, "noise"
    ),
    "numbers that vary": KindOfPair(
        lambda n: pair(*([at * 13 % 97 + 10 + salt for at in range(n)] for salt in (1, 2, 3))), 4, PHP, "noise"
    ),
    "clocks": KindOfPair(lambda n: pair(*([f"2026-01-01 10:00:0{salt}"] * n for salt in (1, 2, 3))), 22, PHP, "noise"),
    "clocks, and one price": KindOfPair(
        lambda n: pair(*([*([f"2026-01-01 10:00:0{salt}"] * n), {"price": 1 + (salt == 2)}] for salt in (1, 2, 3))),
        22,
        PHP,
        "different",
    ),
    "a second answer in another order": KindOfPair(
        lambda n: pair(orders(n), orders(n)[::-1], mixed(orders(n))), 115, PHP, "noise"
    ),
}


def of_bytes(kind: KindOfPair, size: int) -> Pair:
    """A pair of this kind whose bodies have about so many bytes."""
    return kind.make(max(2, size // kind.size))
