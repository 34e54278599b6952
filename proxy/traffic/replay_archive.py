"""Keeps pairs, judges them again, exports requests."""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from comparators import compare
from comparators.model import Capture, Comparison
from comparators.redaction import Redactor
from proxy.control.comparison.policies import today
from proxy.judge.policies import Compiled, Rules, body_of, compiled, route_rules
from proxy.judge.redaction import Redactors
from proxy.traffic.reader import Recorded, UnreadableError
from rules.invariants import VIOLATED, check_all
from rules.model import KEEP, Snapshot


class PairWriter:
    """Appends to a file that is for its owner alone."""

    def __init__(self, path: Path, redactors: Redactors) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8")
        self._redactors = redactors

    def put(self, route: str, legacy: Capture, modern: Capture) -> None:
        """Keep a pair; OSError when it cannot be written."""
        redactor = self._redactors.of(route)
        sides = {"legacy": _side(legacy, redactor), "modern": _side(modern, redactor)}
        request = {"method": legacy.method, "target": redactor.target(legacy.path)}
        self._file.write(json.dumps({"route": route, "request": request, **sides}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Write out what is left."""
        self._file.close()


def _side(capture: Capture, redactor: Redactor) -> dict[str, Any]:
    seen = redactor.capture(capture)
    try:
        body = {"text": seen.body.decode()}
    except UnicodeDecodeError:
        body = {"base64": base64.b64encode(seen.body).decode()}
    return {"status": seen.status, "headers": [list(pair) for pair in seen.headers], **body}


def pairs(path: Path) -> Iterator[tuple[str, Capture, Capture]]:
    """Yield route, legacy's and modern's response of each line; UnreadableError names a line that is not a pair."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                pair = json.loads(line)
                request = pair["request"]
                yield pair["route"], _capture(request, pair["legacy"]), _capture(request, pair["modern"])
            except (ValueError, KeyError, TypeError) as error:
                raise UnreadableError(f"{path}:{number}: no pair of answers: {error!r}") from error


def _capture(request: dict[str, str], side: dict[str, Any]) -> Capture:
    body = side["text"].encode() if "text" in side else base64.b64decode(side["base64"])
    headers = tuple((str(name), str(value)) for name, value in side["headers"])
    return Capture(request["method"], request["target"], int(side["status"]), headers, body)


# Judges pairs by their route's policy in this process; commands have no judge processes.


class Judge:
    """Compiles each route's rules once; `_compiled` grows with the routes in use."""

    def __init__(self, snapshot: Snapshot, folder: Path, key: bytes) -> None:
        routes = {route.name: route_rules(snapshot, route) for route in snapshot.routes}
        self._rules = Rules(routes, today(), str(folder))
        self._compiled: dict[str, Compiled | str] = {}
        self.redactors = Redactors(key, snapshot.diffs.redact, routes, personal=snapshot.diffs.pii != KEEP)
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # the operator's own comparator lies beside the file

    def compare(self, route: str, legacy: Capture, modern: Capture) -> tuple[Comparison, tuple[str, ...]]:
        """Return the comparison of both responses, and the names of the invariants they violate."""
        rules = self._of(route)
        if isinstance(rules, str):
            return Comparison("not_compared", reason="error", notes=(rules,)), ()
        outcomes = check_all(rules.invariants, body_of(legacy), body_of(modern))
        broken = [
            one.invariant.name
            for one, outcome in zip(rules.invariants, outcomes, strict=True)
            if outcome.state == VIOLATED
        ]
        return compare(legacy, modern, rules.policy), tuple(broken)

    def _of(self, route: str) -> Compiled | str:
        found = self._compiled.get(route)
        if found is None:
            found = self._compiled[route] = compiled(self._rules, route)
        return found


# Writes one request so that another tool can send it: curl, an .http file, a pytest.


Writer = Callable[[Recorded, str], str]


def curl(recorded: Recorded, origin: str) -> str:
    """One command line."""
    parts = ["curl", "-i", "-X", recorded.method, *(f"-H{name}: {value}" for name, value in recorded.headers)]
    if recorded.body:
        parts += ["--data-binary", recorded.body.decode("utf-8", "replace")]
    return shlex.join([*parts, f"{origin}{recorded.target}"]) + "\n"


def http_file(recorded: Recorded, origin: str) -> str:
    """As editors with an HTTP client have it."""
    head = [f"### {recorded.method} {recorded.target}", f"{recorded.method} {origin}{recorded.target}"]
    fields = [f"{name}: {value}" for name, value in recorded.headers]
    body = ["", recorded.body.decode("utf-8", "replace")] if recorded.body else []
    return "\n".join([*head, *fields, *body]) + "\n\n"


def pytest_file(recorded: Recorded, origin: str) -> str:
    """A test that sends it to both sides; the addresses come from the environment."""
    body = f", content={recorded.body!r}" if recorded.body else ""
    return f'''\
"""{recorded.method} {_comment(recorded.target)}: both sides must say the same."""

import os

import httpx

LEGACY = os.environ.get("LEGACY_URL", {json.dumps(origin)})
MODERN = os.environ["MODERN_URL"]
HEADERS = {dict(recorded.headers)!r}


def ask(origin):
    return httpx.request({recorded.method!r}, origin + {recorded.target!r}, headers=HEADERS{body})


def test_both_sides_say_the_same():
    legacy, modern = ask(LEGACY), ask(MODERN)

    assert modern.status_code == legacy.status_code
    assert modern.json() == legacy.json()
'''


WRITERS: Final[Mapping[str, Writer]] = {"curl": curl, "http": http_file, "pytest": pytest_file}


def _comment(text: str) -> str:
    """Text that cannot end a docstring."""
    return "".join(character for character in text if character.isprintable() and character not in '"\\')[:200]
