"""Whether an operator's own comparators can be imported: tried in a process of its own, as a judge would.

The code of a module runs when it is imported. It may block, print, or end the process: not that of control.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson

from proxy.control.comparison.judge_pool import judge_environment
from proxy.ipc.internal_commands import command
from rules.model import Snapshot
from rules.problems import Finding

WITHIN = 20.0
"""Seconds for all of them; a module that loads a large library needs some."""


def unimportable(snapshot: Snapshot, base: Path) -> Iterator[Finding]:
    """Yield each `compare.custom` that names no function; its module may lie in `base`."""
    named = {
        position: str(custom)
        for position, route in enumerate(snapshot.routes)
        if (custom := route.compare.get("custom")) is not None
    }
    if not named:
        return
    found = problems(sorted(set(named.values())), base)
    for position, custom in named.items():
        if problem := found.get(custom):
            hint = f"a module of this interpreter, or one beside the file in {base}"
            yield Finding(("routes", position, "compare", "custom"), f"`{custom}` {problem}", hint)


def problems(functions: list[str], base: Path) -> dict[str, str]:
    """Return what is wrong with each of `functions` (`package.module:function`); valid ones are left out."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, our own module
            command("hooks", str(base), *functions),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN,
            env=judge_environment(()),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return dict.fromkeys(functions, f"took more than {WITHIN:g} s to import")
    try:
        found: dict[str, str] = orjson.loads(done.stdout.rpartition(b"\n")[2])
    except orjson.JSONDecodeError:
        return dict.fromkeys(functions, f"ended the process that imported it (exit code {done.returncode})")
    return found
