"""`strangler explain`: where a request would go, and why."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from proxy.cli.files import print_json, read
from proxy.described import facts_of
from proxy.errors import EXIT_USAGE, EXIT_YES
from proxy.settings import is_legacy_only
from rules.routing.decide import generation
from rules.routing.explain import explain as explained

_EVEN_DRAW = 0.5


def explain(config: str, method: str, path: str, headers: list[str], user: str | None, *, as_json: bool) -> int:
    """Print the decision for one request under the file; nothing of a running proxy is looked at."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    pairs = [(name.strip(), value.strip()) for name, _, value in (header.partition(":") for header in headers)]
    running = generation(0, prepared.snapshot, {}, is_legacy_only(os.environ))
    answer = asdict(explained(running, facts_of(running, method, path, pairs, user), draw=_EVEN_DRAW))
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    return EXIT_YES


def _print(answer: dict[str, Any]) -> None:
    for name, value in answer.items():
        if name != "trail":
            print(f"{name:<9} {'-' if value is None else value}")
    print("trail")
    for step in answer["trail"]:
        print(f"  {step}")
