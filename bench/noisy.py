"""Makes pairs whose legacy side varies by itself, with every kind of generated value seen in real applications.

Each kind is a place in a response with a value that is new in every response of legacy. A pair is *sound* where modern
generates it anew as well, or *wrong* by one planted fault: a difference beside the value, or a value unlike what all
of legacy's share. Only values are at random; what is planted is known.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from comparators.model import Capture

HEX: Final = digits + "abcdef"
CROCKFORD: Final = digits + "ABCDEFGHJKMNPQRSTVWXYZ"
START: Final = datetime(2031, 3, 4, 9, 15, tzinfo=UTC)
Value = Callable[[Random, float], str]
"""Generates a value at a time, seconds since START."""
Fault = Callable[[Random, str, float], str]
"""Turns a sound value of modern into a wrong one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A generated value; `faults` break it, `bare` says that it also occurs alone, not inside a text."""

    name: str
    make: Value
    faults: Mapping[str, Fault]
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value occurs; `write` puts it beside `word`, which is wrong where it is another."""

    name: str
    media: str
    write: Callable[[str, str], str]
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses with legacy's second ones to the same request, and what was planted: nothing in a sound one."""

    kind: str
    place: str
    planted: str
    legacy: Capture
    again: tuple[Capture, ...]
    modern: Capture


def of(letters: str, size: int) -> Value:
    """A token of letters and a length."""
    return lambda draw, _: "".join(draw.choices(letters, k=size))


def _mixed(letters: str, size: int) -> Value:
    """A token whose letters show that it is not made of words, as nearly every generated id."""

    def make(draw: Random, at: float) -> str:
        while True:
            text = of(letters, size)(draw, at)
            if any(map(str.isdigit, text)) and not text.isdigit():
                return text

    return make


def _base64(size: int, *, url: bool = False, coded: bool = False) -> Value:
    def make(draw: Random, _: float) -> str:
        raw = draw.randbytes(size)
        text = (urlsafe_b64encode(raw).rstrip(b"=") if url else b64encode(raw)).decode()
        return quote(text, safe="") if coded else text

    return make


def _uuid(draw: Random, _: float) -> str:
    return str(UUID(int=draw.getrandbits(128), version=4))


def _uuid7(draw: Random, at: float) -> str:
    made = int((START.timestamp() + at) * 1000) << 80 | draw.getrandbits(80)
    return str(UUID(int=made & ~(0xF << 76) | 7 << 76))


def _ulid(draw: Random, at: float) -> str:
    stamp, text = int((START.timestamp() + at) * 1000), ""
    for _ in range(10):
        stamp, digit = divmod(stamp, 32)
        text = CROCKFORD[digit] + text
    return text + "".join(draw.choices(CROCKFORD, k=16))


def _uniqid(draw: Random, at: float) -> str:
    return f"{int(START.timestamp() + at):08x}{draw.randrange(1_000_000):05x}"


def _jwt(draw: Random, at: float) -> str:
    parts = ({"typ": "JWT", "alg": "HS256"}, {"sub": "4711", "iat": int(START.timestamp() + at)})
    head = ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return f"{head}.{urlsafe_b64encode(draw.randbytes(32)).rstrip(b'=').decode()}"


def _claimed(token: str, words: str, others: str) -> str:
    """Return a token whose claims say something else."""
    head, claims, signature = token.split(".")
    said = urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode().replace(words, others)
    return f"{head}.{urlsafe_b64encode(said.encode()).rstrip(b'=').decode()}.{signature}"


def _laravel(draw: Random, _: float) -> str:
    held = {name: b64encode(draw.randbytes(size)).decode() for name, size in (("iv", 16), ("value", 96))}
    text = json.dumps({**held, "mac": draw.randbytes(32).hex(), "tag": ""}).replace("/", "\\/")
    return b64encode(text.encode()).decode()


def _when(at: float) -> datetime:
    return START + timedelta(seconds=at)


def _time(form: str) -> Value:
    return lambda draw, at: _when(at + draw.random()).strftime(form)


def _epoch(times: int = 1) -> Value:
    return lambda draw, at: str(int((START.timestamp() + at + draw.random()) * times))


def _number(low: float, high: float, places: int = 0) -> Value:
    return lambda draw, _: f"{draw.uniform(low, high):.{places}f}"


def _after(prefix: str) -> Value:
    token = _mixed(HEX, 12)
    return lambda draw, at: prefix + token(draw, at)


def _all_of(fault: Callable[[str], str]) -> Fault:
    return lambda _, text, __: fault(text)


def _moved(value: Value, seconds: float) -> Fault:
    return lambda draw, _, at: value(draw, at + seconds)


LOST: Final[Mapping[str, Fault]] = {
    name: _all_of(lambda _, text=text: text)
    for name, text in (
        ("empty", ""),
        ("None", "None"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("braces", "{{ value }}"),
    )
}
TOKEN: Final[Mapping[str, Fault]] = {
    **LOST,
    "a letter short": _all_of(lambda text: text[:-1]),
    "a letter more": _all_of(lambda text: f"{text}{text[-1]}"),
    "another mark": _all_of(lambda text: f"{text[:3]}!{text[4:]}"),
    "half of it": _all_of(lambda text: text[: len(text) // 2]),
}
CASED: Final = {**TOKEN, "another case": _all_of(lambda text: text.swapcase())}


def _prefixed(prefix: str) -> Kind:
    size = len(prefix)
    faults = {
        **CASED,
        "no prefix": _all_of(lambda text: text[size:]),
        "another prefix": _all_of(lambda text: prefix[1] + prefix[0] + text[2:]),
        "a longer token": lambda draw, text, _: prefix[:-1] + "".join(draw.choices(HEX, k=len(text) - size + 1)),
    }
    return Kind(f"{prefix} and a token", _after(prefix), faults)


def _clock(value: Value) -> Mapping[str, Fault]:
    shifts = {"an hour on": 3600.0, "two hours back": -7200.0, "a day back": -86400.0, "half an hour": 1800.0}
    return {**LOST, **{name: _moved(value, seconds) for name, seconds in shifts.items()}}


def _daily(value: Value) -> Mapping[str, Fault]:
    return {name: fault for name, fault in _clock(value).items() if name != "a day back"}


AMOUNT: Final[Mapping[str, Fault]] = {
    **LOST,
    "zero": _all_of(lambda _: "0"),
    "thousand times": _all_of(lambda text: str(int(float(text) * 1000))),
    "a thousandth": _all_of(lambda text: f"{float(text) / 1000:.6f}"),
    "negative": _all_of(lambda text: f"-{text}"),
}
UUIDS: Final = {**TOKEN, "nil": _all_of(lambda _: str(UUID(int=0))), "hex": _all_of(lambda text: text.replace("-", ""))}
_TIMES: Final = {
    "SQL's time": "%Y-%m-%d %H:%M:%S",
    "ISO's time": "%Y-%m-%dT%H:%M:%SZ",
    "ISO's time with its zone": "%Y-%m-%dT%H:%M:%S+00:00",
    "ISO's time with a fraction": "%Y-%m-%dT%H:%M:%S.%fZ",
    "mail's time": "%a, %d %b %Y %H:%M:%S GMT",
    "fourteen digits": "%Y%m%d%H%M%S",
}

KINDS: Final = (
    *(Kind(f"hex of {size}", _mixed(HEX, size), CASED) for size in (8, 10, 12, 13, 16, 20, 24, 32, 40, 64)),
    *(Kind(f"HEX of {size}", _mixed(HEX.upper(), size), CASED) for size in (8, 12, 32)),
    *(Kind(f"letters and digits of {size}", _mixed(ascii_letters + digits, size), TOKEN) for size in (10, 16, 22, 40)),
    *(Kind(f"small letters and digits of {size}", _mixed(ascii_lowercase + digits, size), CASED) for size in (10, 26)),
    Kind("capitals and digits of 9", _mixed(ascii_uppercase + digits, 9), TOKEN),
    Kind("uuid", _uuid, UUIDS),
    Kind("uuid 7", _uuid7, TOKEN),
    Kind("ulid", _ulid, TOKEN),
    Kind("uniqid", _uniqid, CASED),
    *(Kind(f"base64 of {size} bytes", _base64(size), TOKEN) for size in (12, 16, 20, 32, 48)),
    *(Kind(f"base64url of {size} bytes", _base64(size, url=True), TOKEN) for size in (9, 12, 16, 24, 32, 64)),
    Kind("base64 in a query", _base64(32, coded=True), LOST),
    Kind(
        "jwt",
        _jwt,
        {
            **LOST,
            "no signature": _all_of(lambda text: text.rpartition(".")[0]),
            "another user": _all_of(lambda text: _claimed(text, "4711", "4712")),
            "another day": _all_of(lambda text: _claimed(text, '"iat": 19', '"iat": 18')),
        },
    ),
    Kind("laravel's sealed value", _laravel, {**LOST, "half of it": TOKEN["half of it"]}),
    *map(_prefixed, ("loan_", "LB-", "req.", "INV-2031-", "sess-nl-", "tok/")),
    *(
        Kind(name, _time(form), _clock(_time(form))) for name, form in _TIMES.items()
    ),
    Kind("time of day", _time("%H:%M:%S"), _daily(_time("%H:%M:%S"))),
    Kind("epoch", _epoch(), _clock(_epoch())),
    Kind("epoch in milliseconds", _epoch(1000), _clock(_epoch(1000))),
    *(
        Kind(name, _number(low, high, places), AMOUNT, bare=False)
        for name, low, high, places in (
            ("a count", 280, 330, 0), ("seconds left", 35, 59, 0), ("milliseconds", 8, 60, 1), ("load", 0.2, 1.4, 2),
        )
    ),
)  # fmt: skip
_LONG: Final = "The desk is open from nine to five, and on Thursdays until eight in the evening. " * 5


def _json(value: Any) -> str:
    return json.dumps(value)


def _said(made: str) -> str:
    """Return a parameter of an address: nobody signs with a count."""
    is_count = len(made) < _SIGNED and made.replace(".", "").isdigit()
    return f"{'n' if is_count else 'sig'}={made}"


_SIGNED: Final = 8
JSON: Final = "application/json"
PLACES: Final = (
    Place("a value", JSON, lambda made, word: _json({"id": word, "mark": made}), bare=True),
    Place("a sentence", JSON, lambda made, word: _json({"note": f"Trace {made} of permit {word} kept"})),
    Place("a link", JSON, lambda made, word: _json({"url": f"https://cdn.example/loan/{word}/r?{_said(made)}"})),
    Place("a link between", JSON, lambda made, word: _json({"url": f"/loan/r?{_said(made)}&who={word}"})),
    Place("markup in JSON", JSON, lambda made, word: _json({"html": f"<b data-req='{made}'>{word}</b> ok"})),
    Place("a long text", JSON, lambda made, word: _json({"text": f"{_LONG} Answer {made}. {_LONG} {word}"})),
    Place("a page", "text/html", lambda made, word: f"<main><h1>Desk {word}</h1><p>Answer {made} made</p></main>"),
    Place("an attribute", "text/html", lambda made, word: f'<main><p data-request="{made}" id=a>{word}</p></main>'),
    Place("a script", "text/html", lambda made, word: f'<script>a={{"reqId":"{made}","u":"{word}"}};{_LONG}</script>'),
    Place("a table", "text/csv", lambda made, word: f"id,mark,who\n1,{made},{word}\n2,,b\n"),
    Place("a document", "application/xml", lambda made, word: f"<a><b>{made}</b><c>{word}</c></a>"),
    Place("lines", "text/plain", lambda made, word: f"first\nrequest {made} done\nfor {word}\n"),
    Place("bytes", "application/pdf", lambda made, word: f"%PDF\x00\x01\n/ID [<{made}>]\n(for {word}) Tj\n%%EOF"),
)  # fmt: skip
WORDS: Final = ("41", "52", "north", "south", "AB-123-X", "AB-124-X")


def pair(draw: Random, kind: Kind, place: Place, planted: str = "", asked: int = 1, at: float | None = None) -> Pair:
    """Return a pair with legacy `asked` so many times again; `planted` is a fault of the kind, or `beside` it."""
    at = draw.uniform(0, 1e7) if at is None else at
    word, other = draw.sample(WORDS, 2)
    value = kind.make(draw, at + draw.uniform(0, 2))
    if planted and planted != BESIDE:
        sound, value = value, kind.faults[planted](draw, value, at)
        planted = planted if value != sound else ""
    answers = [place.write(kind.make(draw, at), word)]
    while len(answers) <= asked:
        again = place.write(kind.make(draw, at + 0.7 + len(answers)), word)
        # Where legacy's second response happens to be the same, nothing is known.
        answers += [again] if again not in answers else []
    answers.append(place.write(value, other if planted == BESIDE else word))
    first, *again, last = (answer(body, place.media) for body in answers)
    return Pair(kind.name, place.name, planted, first, tuple(again), last)


BESIDE: Final = "beside"


def answer(body: str, media: str) -> Capture:
    """Return a response with this body."""
    return Capture("GET", "/", 200, (("Content-Type", media),), body.encode())


def combinations() -> Iterator[tuple[Kind, Place]]:
    """Yield each kind at each place where it can occur."""
    for kind in KINDS:
        for place in PLACES:
            if kind.bare or not place.bare:
                yield kind, place


def is_wrong(one: Pair) -> bool:
    """Whether a pair's modern response differs: a fault may leave a value unchanged."""
    return bool(one.planted) and one.modern.body not in {each.body for each in (one.legacy, *one.again)}
