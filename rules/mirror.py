"""Whether a request may be mirrored, and whether it is in the sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rules.bucket import bucket
from rules.effects import has_effects
from rules.model import DEFAULT_ROUTE, LEGACY, Facts, Route

SAFE = frozenset({"GET", "HEAD"})
_NEVER_HEADERS = ("upgrade", "range", "x-http-method-override", "transfer-encoding")


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
        return None if self.writes != "none" else "writes are not mirrored here"

    def sampled(self, user: str | None, draw: float) -> bool:
        """Whether a request is in the sample: always the same users, a draw where nobody is known."""
        if self.sample >= 1.0:
            return True
        return (bucket(self.salt, user) if user else draw) < self.sample

    def _read_refusal(self, facts: Facts) -> str | None:
        for name in _NEVER_HEADERS:
            if facts.header(name) is not None:
                return f"it has {name}"
        if (facts.header("content-length") or "0") != "0":
            return "it is a read with a body"
        if "text/event-stream" in (facts.header("accept") or ""):
            return "it asks for a stream"
        if has_effects(facts.path, facts.query):
            return "it looks like a read with effects"
        target = facts.path if facts.query is None else f"{facts.path}?{facts.query}"
        if any(search(target) for search in self.denied):
            return "it is on the deny list"
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
