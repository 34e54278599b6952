"""A stored difference as curl, .http, pytest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pprint import pformat
from typing import Any, Final

from proxy.judge.policies import route_rules
from rules.model import SAFE_METHODS, Route, Snapshot
from rules.routing.explain import UpstreamRequest, asked
from rules.routing.mirroring import has_effects

# Finds what a person has to ask, whom, to see a stored difference again.


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
class StoredRequest:
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


def question(snapshot: Snapshot, name: str, example: Mapping[str, Any]) -> StoredRequest | None:
    """Return what to ask for an example of route `name`; None where its route or backend is not there any more."""
    method, _, sent = str(example["request"]).partition(" ")
    parts = asked(snapshot, name, method, sent)
    if parts is None:
        return None
    route = next(route for route in snapshot.routes if route.name == name)
    rules = route_rules(snapshot, route)
    return StoredRequest(
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


def _address(snapshot: Snapshot, part: UpstreamRequest) -> Address:
    backend = next(backend for backend in snapshot.backends if backend.name == part.backend)
    url = backend.urls[0]
    if url.startswith("unix:"):
        return Address(part.side, "http://localhost", part.target, url.removeprefix("unix:"))
    return Address(part.side, url.rstrip("/"), part.target)


def _notes(snapshot: Snapshot, route: Route, method: str, parts: Sequence[UpstreamRequest]) -> Iterator[str]:
    """Say everything that this request lacks of the one that was seen."""
    path, _, query = parts[0].target.partition("?")
    if method not in SAFE_METHODS or has_effects(path, query):
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


# Writes a question to both sides for curl, for editors that send `.http` files, for pytest.


Writer = Callable[[StoredRequest], str]
_WIDE: Final = 110
_WHO: Final = '-H "Cookie: $COOKIE" -H "Authorization: $AUTHORIZATION"'
_FIELDS: Final = ("Accept-Encoding: identity", "Cookie: {{cookie}}", "Authorization: {{authorization}}")


def curl(question: StoredRequest) -> str:
    """Two command lines; a field that the environment does not give is not sent."""
    lines = [f"# {line}" for line in _told(question)]
    for side in question.sides:
        words = ["curl", "-ig", *_method(question.method)]
        if side.socket:
            words += ["--unix-socket", side.socket]
        if question.carries_body:
            words += ["--data-binary", "@body"]
        lines += [f"# {side.side}", f"{shlex.join(words)} {_WHO} {shlex.quote(side.origin + side.target)}"]
    return "\n".join(lines) + "\n"


def http_file(question: StoredRequest) -> str:
    """Two requests, as editors with an HTTP client have them."""
    lines = [*(f"# {line}" for line in _told(question)), "@cookie =", "@authorization ="]
    for side in question.sides:
        lines += ["", f"### {side.side}", f"{question.method} {side.origin}{side.target}", *_FIELDS]
        lines += ["", "< ./body"] if question.carries_body else []
    return "\n".join(lines) + "\n"


def pytest_file(question: StoredRequest) -> str:
    """A test that asks both sides, judges as the route does; addresses can come from the environment."""
    legacy, modern = question.sides
    notes = "\n".join(f"# {line}" for line in _told(question))
    body = '\nBODY = Path(__file__).with_name("body").read_bytes()' if question.carries_body else ""
    sent = ", content=BODY" if question.carries_body else ""
    return f'''\
"""Both sides must mean the same."""

{notes}

import os{_PATH if body else ""}

import httpx

from comparators import Capture, Policy, compare

LEGACY = {_origin("LEGACY_URL", legacy)}
MODERN = {_origin("MODERN_URL", modern)}
OWN = {{name: os.environ[name.upper()] for name in ("Cookie", "Authorization") if name.upper() in os.environ}}
HEADERS = {{"Accept-Encoding": "identity", **OWN}}{body}
POLICY = Policy.from_mapping(
    {_indented(question.compare)},
    legacy_hosts={question.hosts[0]!r},
    modern_hosts={question.hosts[1]!r},
)


def ask(client, origin, target):
    answer = client.request({question.method!r}, origin + target, headers=HEADERS{sent})
    return Capture({question.method!r}, target, answer.status_code, tuple(answer.headers.multi_items()), answer.content)


def test_both_sides_mean_the_same():
    with {_client(legacy)} as client:
        legacy = ask(client, LEGACY, {legacy.target!r})
    with {_client(modern)} as client:
        modern = ask(client, MODERN, {modern.target!r})

    comparison = compare(legacy, modern, POLICY)

    {_expected(question)}assert comparison.verdict == "equal", comparison.findings
'''


_PATH: Final = "\nfrom pathlib import Path"
WRITERS: Final[Mapping[str, Writer]] = {"curl": curl, "http": http_file, "pytest": pytest_file}


def _told(question: StoredRequest) -> Iterator[str]:
    """The lines of a comment; no part of a stored answer can end one."""
    for line in (question.sentence, *question.notes):
        yield "".join(character if character.isprintable() else "?" for character in line)[:300]


def _method(method: str) -> list[str]:
    """HEAD has an option of its own: with -X curl would wait for a body."""
    return {"GET": [], "HEAD": ["-I"]}.get(method, ["-X", method])


def _origin(variable: str, side: Address) -> str:
    return f"os.environ.get({variable!r}, {side.origin!r})"


def _expected(question: StoredRequest) -> str:
    """Two answers to a stranger are equal, and say nothing."""
    if not question.status:
        return ""
    return f'assert legacy.status == {question.status}, "is anybody signed in?"\n    '


def _client(side: Address) -> str:
    transport = f"transport=httpx.HTTPTransport(uds={side.socket!r})" if side.socket else "trust_env=False"
    return f"httpx.Client({transport})"


def _indented(mapping: Mapping[str, object]) -> str:
    return pformat(_plain(mapping), width=_WIDE, sort_dicts=False).replace("\n", "\n    ")


def _plain(value: object) -> object:
    """A value of the file as a literal."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value


def with_questions(document: dict[str, Any] | None, snapshot: Snapshot) -> dict[str, Any] | None:
    """Return the document with `again` in each example: by form the text, None where nothing can be asked any more."""
    if document is None:
        return None
    for example in document["examples"]:
        found = question(snapshot, document["route"], example)
        example["again"] = None if found is None else {form: writer(found) for form, writer in WRITERS.items()}
    return document
