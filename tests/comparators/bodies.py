"""Two bodies compared by a single rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comparators.context import Context
from comparators.model import Capture
from comparators.policy import Policy

Differences = Callable[[bytes, bytes, Context], None]
PHP: Mapping[str, Any] = {"preset": "php"}


def answer(body: bytes | str, media: str = "", **headers: str) -> Capture:
    """A 200 with this body."""
    lines = {"content-type": media, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = body if isinstance(body, bytes) else body.encode()
    return Capture("GET", "/a", 200, tuple((name, value) for name, value in lines.items() if value), raw)


def between(legacy: Capture, modern: Capture, mapping: Mapping[str, Any] | None = None) -> Context:
    """What a comparison of these two answers carries along."""
    policy = Policy.from_mapping(mapping or {}, legacy_hosts=("old.example:80",), modern_hosts=("new.example:8000",))
    return Context(policy, legacy, modern)


def held(differences: Differences, legacy: bytes | str, modern: bytes | str, mapping: Any = None) -> Context:
    """The context after two bodies were compared."""
    one, two = answer(legacy), answer(modern)
    context = between(one, two, mapping)
    differences(one.body, two.body, context)
    return context


def kinds(context: Context) -> list[str]:
    """The kinds of what was found, all of it at the body."""
    assert {finding.path for finding in context.findings} <= {"@body"}
    return [finding.kind for finding in context.findings]
