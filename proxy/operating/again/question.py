"""Finds what a person has to ask, whom, to see a stored difference again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.judge.policies import route_rules
from rules.model import Route, Snapshot
from rules.routing.explain import Asked, asked
from rules.routing.mirroring import has_effects

_SAFE: Final = frozenset({"GET", "HEAD"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_MARK: Final = "<redacted:"


@dataclass(frozen=True, slots=True)
class Address:
    """Where one side is asked: `origin` is `http://host:port`, `socket` the path of a Unix socket or empty."""

    side: str
    origin: str
    target: str
    socket: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A request to both sides. `sentence` says what differed, `notes` what is missing; one line each.

    `status` is what legacy answered, 0 where that is not stored; `compare` the route's own mapping, so that a test
    judges as the proxy does; `hosts` what each side calls itself.
    """

    method: str
    sides: tuple[Address, Address]
    sentence: str
    notes: tuple[str, ...]
    status: int = 0
    compare: Mapping[str, Any] = field(default_factory=dict)
    hosts: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def carries_body(self) -> bool:
        """Whether the request had a body, most likely."""
        return self.method in _WITH_BODY


def question(snapshot: Snapshot, name: str, example: Mapping[str, Any]) -> Question | None:
    """Return what to ask for an example of route `name`; None where its route or backend is not there any more."""
    method, _, sent = str(example["request"]).partition(" ")
    parts = asked(snapshot, name, method, sent)
    if parts is None:
        return None
    route = next(route for route in snapshot.routes if route.name == name)
    rules = route_rules(snapshot, route)
    return Question(
        method,
        (_address(snapshot, parts[0]), _address(snapshot, parts[1])),
        f"{name}: {example['path'] or '(root)'} differs ({example['kind']})",
        tuple(_notes(snapshot, route, method, parts)),
        _status(example),
        rules.compare,
        (rules.legacy_hosts, rules.modern_hosts),
    )


def _status(example: Mapping[str, Any]) -> int:
    legacy = (example.get("answers") or {}).get("legacy") or {}
    return int(legacy.get("status", 0))


def _address(snapshot: Snapshot, part: Asked) -> Address:
    backend = next(backend for backend in snapshot.backends if backend.name == part.backend)
    url = backend.urls[0]
    if url.startswith("unix:"):
        return Address(part.side, "http://localhost", part.target, url.removeprefix("unix:"))
    return Address(part.side, url.rstrip("/"), part.target)


def _notes(snapshot: Snapshot, route: Route, method: str, parts: Sequence[Asked]) -> Iterator[str]:
    """Say everything that this request lacks of the one that was seen."""
    path, _, query = parts[0].target.partition("?")
    if method not in _SAFE or has_effects(path, query):
        yield "careful: this may change something, once on each side"
    yield "the request's own fields (cookies, Authorization …) are not stored: sign in by COOKIE or AUTHORIZATION"
    if method in _WITH_BODY:
        yield "its body is not stored: put one into the file body"
    if any(_MARK in part.target for part in parts):
        yield "<redacted:…> stands for a secret that is not stored: put a value in its place"
    names = {backend.name: backend for backend in snapshot.backends}
    for part in parts:
        if part.sets:
            yield f"the route also sends {part.side} {', '.join(part.sets)}"
        if part.translated:
            yield f"the route puts the answer of {part.side} into other words: compare by `strangler replay`"
        if names[part.backend].urls[0].startswith("unix:"):
            yield f"{part.side} listens on a Unix socket"
    if route.match.host or route.match.headers:
        yield "the route asks for a host or fields of its own"
