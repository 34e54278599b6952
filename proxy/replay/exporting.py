"""Writes one request so that another tool can send it: curl, an .http file, a pytest."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Final

from proxy.recorded.request import Recorded

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
    """A test that asks both sides; the addresses come from the environment."""
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
