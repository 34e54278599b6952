"""Strangler as it is installed: its packages lie in a folder of their own, so that they take no name from others.

    from strangler import comparators, rules

A program that imports them has this folder first on its `sys.path` from then on; one that uses another distribution's
`rules` or `comparators` as well asks for them in a process of their own.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

__all__ = ["APP", "PACKAGES", "activate"]

APP: Final = Path(__file__).resolve().parent / "_app"
"""Where a wheel has the packages; in a checkout there is no such folder, they lie on the path."""
PACKAGES: Final = ("comparators", "rules")
"""What programs may import: the entry points that the contract names."""


def activate() -> None:
    """Put Strangler's own packages first on `sys.path`."""
    if APP.is_dir() and str(APP) not in sys.path:
        sys.path.insert(0, str(APP))


def __getattr__(name: str) -> ModuleType:
    """Import one of PACKAGES; ImportError where another distribution's of that name is in use already."""
    if name not in PACKAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    activate()
    module = import_module(name)
    if APP.is_dir() and APP not in Path(module.__file__ or "/").resolve().parents:
        raise ImportError(f"{module.__file__} is in use already: import strangler.{name} in a process of its own")
    return module
