"""Says whose traffic a route is judged by where several instances share a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def judged_by(found: Mapping[str, Any] | None) -> str | None:
    """Return it in one or two sentences, None where there is one instance alone."""
    if found is None:
        return None
    if not found["heard"]:
        return "Judged by this instance's own traffic alone: it does not hear the others."
    others = ", ".join(found["with"])
    told = f"Judged by this instance's own traffic, and together with that of {others}." if others else None
    left_out = "; ".join(f"{name} ({why})" for name, why in sorted(found["left_out"].items()))
    sentences = (told or "Judged by this instance's own traffic.", left_out and f"Left out: {left_out}.")
    return " ".join(sentence for sentence in sentences if sentence)
