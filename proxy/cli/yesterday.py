"""`strangler check --against LOG`: where recorded requests would go under the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proxy.cli.files import print_json, print_problems, read
from proxy.cli.progress import progress
from proxy.cli.recordings import each, path_of, unread
from proxy.errors import EXIT_USAGE, EXIT_YES
from proxy.settings import is_legacy_only
from proxy.traffic.reader import Recording
from proxy.traffic.what_if import Yesterday
from rules.routing.decide import generation


def yesterday(config: str, log: str, *, as_json: bool) -> int:
    """Print what the file makes of every request of `log`."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    found = Yesterday(generation(0, prepared.snapshot, {}, is_legacy_only(os.environ)))
    with progress(f"reading {Path(log).name}") as told:
        recording = Recording(path_of(log), told)
        each(recording, found.add)
    unread(recording)
    if as_json:
        print_json(found.told() | {"unreadable": recording.unreadable})
        return EXIT_YES
    print_problems(prepared.warnings)
    _print(found.told())
    return EXIT_YES


def _print(told: Mapping[str, Any]) -> None:
    print(f"{'route':<28} {'requests':>9} {'modern':>7} {'changed':>8} {'mirrored':>9} {'users':>7} {'switch':>7}")
    for route in told["routes"]:
        print(
            f"{route['name']:<28} {route['requests']:>9} {route['to_modern']:>7.1%} {route['changed']:>8.1%} "
            f"{route['mirrored']:>9.1%} {route['users']:>7} {route['switching']:>7}"
        )
    if any(route["before"] != "known" for route in told["routes"] if route["requests"]):
        print("the log does not say who answered: it is taken for legacy")
    if told["stand_ins"]:
        print(f"{told['stand_ins']} requests name no user: one address with one agent stands for one")
    if told["unmatched"]:
        print("no route takes")
        for one in told["unmatched"]:
            print(f"  {one['requests']:>8} {one['path'][:100]}")
