"""Whether a request may be mirrored, and whether it is in the sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rules import override
from rules.bucket import bucket
from rules.effects import has_effects
from rules.model import DEFAULT_ROUTE, LEGACY, Facts, Route

SAFE = frozenset({"GET", "HEAD"})
_NEVER_HEADERS = ("upgrade", "range", *override.FIELDS, "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A route's shadow policy, prepared; None stands for a route without a shadow."""

    methods: frozenset[str]
    denied: tuple[Callable[[str], object], ...]
    writes: str
    sample: float
    salt: str

    def refusal(self, facts: Facts, side: str) -> str | None:
        """Return why a request that `side` answers is not mirrored to the other, None when it may be."""
        if facts.method not in self.methods:
            return f"{facts.method} is not mirrored here"
        if facts.method in SAFE:
            return self._read_refusal(facts)
        if side != LEGACY:
            return "a write is never mirrored to legacy"
        if self.writes == "none":
            return "writes are not mirrored here"
        return self._override_refusal(facts)

    def sampled(self, user: str | None, draw: float) -> bool:
        """Whether a request is in the sample: always the same users, a draw where nobody is known."""
        if self.sample >= 1.0:
            return True
        return (bucket(self.salt, user) if user else draw) < self.sample

    def _override_refusal(self, facts: Facts) -> str | None:
        """A write is what it says it means; a `_method` in its body is the worker's to find."""
        meant = [named.upper() for name in override.FIELDS if (named := facts.header(name)) is not None]
        meant.append(override.meant_method(facts.method, f"?{facts.query or ''}", b""))
        return next(
            (f"it means {method}, which is not mirrored" for method in meant if method not in self.methods), None
        )

    def _read_refusal(self, facts: Facts) -> str | None:
        refusal = field_refusal(facts.header)
        if refusal is not None:
            return refusal
        if has_effects(facts.path, facts.query):
            return "it looks like a read with effects"
        return self.denial(facts.path if facts.query is None else f"{facts.path}?{facts.query}")

    def denial(self, target: str) -> str | None:
        """Return why a target is not mirrored on this route, None when it may be."""
        return "it is on the deny list" if any(search(target) for search in self.denied) else None


def field_refusal(header: Callable[[str], str | None]) -> str | None:
    """Return why a read with these fields is mirrored on no route, None when it may be."""
    for name in _NEVER_HEADERS:
        if header(name) is not None:
            return f"it has {name}"
    if (header("content-length") or "0") != "0":
        return "it is a read with a body"
    if "text/event-stream" in (header("accept") or ""):
        return "it asks for a stream"
    return None


def mirror_of(route: Route) -> Mirror | None:
    """Prepare a route's shadow policy; None when nothing of it is ever mirrored."""
    shadow = route.shadow
    if shadow.sample <= 0.0 or route.name == DEFAULT_ROUTE:
        return None
    return Mirror(
        methods=frozenset(shadow.methods),
        denied=tuple(_searcher(text) for text in shadow.deny),
        writes=shadow.writes,
        sample=shadow.sample,
        # Not the rollout's own salt: those who are mirrored must not be those who are moved first.
        salt=f"shadow:{route.rollout.salt}",
    )


def _searcher(text: str) -> Callable[[str], object]:
    return re.compile(text[1:] if text.startswith("~") else f"^{re.escape(text)}(?:$|\\?)").search
