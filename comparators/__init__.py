"""Are these two responses the same, and if not, how? Values in, values out.

The body modules need selectolax, lxml, brotli and zstd; they are imported when `compare` is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comparators.model import Capture, Comparison, Finding, Observation
from comparators.policy import Policy

if TYPE_CHECKING:
    from comparators.comparison import compare

__all__ = ["Capture", "Comparison", "Finding", "Observation", "Policy", "compare"]


def __getattr__(name: str) -> Any:
    """Import the comparison, once."""
    if name != "compare":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from comparators.comparison import compare

    globals()["compare"] = compare
    return compare
