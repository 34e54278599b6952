"""Writes a question to both sides for curl, for editors that send `.http` files, for pytest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pprint import pformat
from typing import Final

from proxy.operating.again.question import Address, Question

Writer = Callable[[Question], str]
_WIDE: Final = 110
_WHO: Final = '-H "Cookie: $COOKIE" -H "Authorization: $AUTHORIZATION"'
_FIELDS: Final = ("Accept-Encoding: identity", "Cookie: {{cookie}}", "Authorization: {{authorization}}")


def curl(question: Question) -> str:
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


def http_file(question: Question) -> str:
    """Two requests, as editors with an HTTP client have them."""
    lines = [*(f"# {line}" for line in _told(question)), "@cookie =", "@authorization ="]
    for side in question.sides:
        lines += ["", f"### {side.side}", f"{question.method} {side.origin}{side.target}", *_FIELDS]
        lines += ["", "< ./body"] if question.carries_body else []
    return "\n".join(lines) + "\n"


def pytest_file(question: Question) -> str:
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


def _told(question: Question) -> Iterator[str]:
    """The lines of a comment; no part of a stored answer can end one."""
    for line in (question.sentence, *question.notes):
        yield "".join(character if character.isprintable() else "?" for character in line)[:300]


def _method(method: str) -> list[str]:
    """HEAD has an option of its own: with -X curl would wait for a body."""
    return {"GET": [], "HEAD": ["-I"]}.get(method, ["-X", method])


def _origin(variable: str, side: Address) -> str:
    return f"os.environ.get({variable!r}, {side.origin!r})"


def _expected(question: Question) -> str:
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
