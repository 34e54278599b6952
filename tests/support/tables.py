"""Reads the tables of wire cases: bytes in a readable spelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

TABLES = Path(__file__).parent.parent / "tables"


def cases(name: str) -> list[Any]:
    """One pytest parameter for each case of `tables/NAME.yaml`, named by its reason."""
    # libyaml where there is one: every process of tests reads all tables
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = yaml.load((TABLES / f"{name}.yaml").read_text(), Loader=loader)
    return [pytest.param(case, id=case["why"].replace(" ", "-")) for case in found]


def wire(case: dict[str, Any]) -> bytes:
    """The bytes of a case: `bytes` as they stand, or `head` lines with an optional `body`."""
    if "bytes" in case:
        return case["bytes"].encode("latin-1")
    return ("\r\n".join(case["head"]) + "\r\n\r\n" + case.get("body", "")).encode("latin-1")
