"""`strangler init`: a first configuration from what the traffic or the new API looks like."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dashboards.html import count
from proxy.cli.files import print_json
from proxy.cli.progress import progress
from proxy.cli.recordings import RecordingError, each, path_of, unread
from proxy.errors import EXIT_USAGE, EXIT_YES, ProxyError
from proxy.traffic.draft import Draft, Operation, draft, operations, written
from proxy.traffic.endpoints import Endpoints
from proxy.traffic.reader import Recording, UnreadableError


class NothingToGoByError(ProxyError):
    """Neither traffic nor an API was named."""

    exit_code = EXIT_USAGE


class ThereAlreadyError(ProxyError):
    """A file that somebody may have written by hand stands where the draft would go."""

    exit_code = EXIT_USAGE


def init(config: str, access_log: str, openapi: str, *, legacy: str, modern: str, force: bool, as_json: bool) -> int:
    """Write the draft to `config`, print what it could not decide."""
    if not access_log and not openapi:
        raise NothingToGoByError("name what to go by: --access-log FILE, --openapi FILE or both")
    if Path(config).exists() and not force:
        raise ThereAlreadyError(f"{config} is there already; choose another with -c, or overwrite it with --force")
    offered = _operations(openapi) if openapi else ()
    traffic = _traffic(access_log) if access_log else None
    made = draft(traffic, offered)
    source = " and ".join(Path(name).name for name in (access_log, openapi) if name)
    _put(Path(config), written(made, source=source, legacy=legacy, modern=modern))
    _tell(config, made, traffic, as_json=as_json)
    return EXIT_YES


def _operations(name: str) -> tuple[Operation, ...]:
    try:
        return operations(path_of(name))
    except (UnreadableError, OSError) as error:
        raise RecordingError(str(error)) from error


def _traffic(name: str) -> Endpoints:
    traffic = Endpoints()
    with progress(f"reading {Path(name).name}") as told:
        recording = Recording(path_of(name), told)
        each(recording, traffic.add)
    unread(recording)
    return traffic


def _put(path: Path, text: str) -> None:
    """Write beside, then rename: a full disk leaves what was there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written: {error.strerror}") from error


def _tell(config: str, made: Draft, traffic: Endpoints | None, *, as_json: bool) -> None:
    if as_json:
        requests = traffic.requests if traffic is not None else 0
        routes = [{"name": route.name, "path": route.path, "modern": route.modern} for route in made.routes]
        print_json({"file": config, "requests": requests, "routes": routes, "undecided": made.undecided})
        return
    seen = f" from {count(traffic.requests, 'request')}" if traffic is not None else ""
    print(f"{config}: {count(len(made.routes), 'route')}{seen}, every weight 0")
    if made.undecided:
        print("not decided:")
        for sentence in made.undecided:
            print(f"  {sentence}")
    print(f"next: strangler check -c {config}", file=sys.stderr)
