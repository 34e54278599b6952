"""`strangler doctor`: what is not as it should be around the proxy, with what to do."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import asdict
from pathlib import Path

from proxy.cli.client import client
from proxy.cli.files import print_json, print_problems, read
from proxy.cli.recordings import RecordingError
from proxy.doctor import examined
from proxy.doctor.finding import ERROR, OK, WARNING, Found, House
from proxy.doctor.nginx import dumped
from proxy.errors import EXIT_NO, EXIT_USAGE, EXIT_YES, UnreachableError

_COLOURS = {OK: "32", WARNING: "33", ERROR: "31"}


def doctor(config: str, admin: str, nginx_conf: str, *, as_json: bool) -> int:
    """Print every finding; 1 when one of them is an error."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    path = Path(config)
    house = House(
        prepared.snapshot,
        path.absolute().parent,
        path.absolute(),
        os.environ,
        _read(nginx_conf) if nginx_conf else dumped(),
        running=_runs(config, admin),
    )
    found = asyncio.run(examined(house))
    if as_json:
        print_json({"findings": [asdict(one) for one in found], "running": house.running})
    else:
        print_problems(prepared.warnings)
        _print(found)
    return EXIT_NO if any(one.level == ERROR for one in found) else EXIT_YES


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RecordingError(f"{name}: cannot be read: {error.strerror}") from error


def _runs(config: str, admin: str) -> bool:
    try:
        return bool(client(config, admin).get("/healthz").status)
    except UnreachableError:
        return False


def _print(found: list[Found]) -> None:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for one in found:
        level = f"{one.level:<8}"
        print(f"\x1b[{_COLOURS[one.level]}m{level}\x1b[0m" if coloured else level, f"{one.about}: {one.what}")
        if one.advice:
            print(f"{'':<8} → {one.advice}")
