"""Responses to compare, and the result in the words of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comparators import Capture, Comparison, Policy, compare

LEGACY_HOSTS = ("old.test:9001",)
MODERN_HOSTS = ("new.test:8000",)
JSON = "application/json"


def answer(
    body: bytes | str = b"{}", status: int = 200, *headers: tuple[str, str], media: str = JSON, method: str = "GET"
) -> Capture:
    """An answer to a request; without a media type where that is empty."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    lines = (("Content-Type", media), *headers) if media else headers
    return Capture(method, "/a", status, lines, raw)


def policy(mapping: Mapping[str, Any] | None = None) -> Policy:
    """A policy that knows both backends' addresses."""
    return Policy.from_mapping(mapping or {}, legacy_hosts=LEGACY_HOSTS, modern_hosts=MODERN_HOSTS)


def held(legacy: bytes | str, modern: bytes | str, mapping: Mapping[str, Any] | None = None) -> Comparison:
    """Two JSON bodies held against each other."""
    return compare(answer(legacy), answer(modern), policy(mapping))


def found(comparison: Comparison) -> list[str]:
    """Findings as `path kind legacy modern rule`; a side that has nothing shows `-`."""
    return [
        " ".join([one.path, one.kind, one.legacy or "-", one.modern or "-", one.rule]).rstrip(" ")
        for one in comparison.findings
    ]


def spots(comparison: Comparison) -> list[str]:
    """Findings as `path kind`."""
    return [f"{one.path} {one.kind}" for one in comparison.findings]


def rules(comparison: Comparison) -> Iterable[str]:
    """The rules that forgave something, in order."""
    return sorted(comparison.forgiven)
