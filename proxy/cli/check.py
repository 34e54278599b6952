"""`strangler check`: validates the file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from dashboards.html import count
from proxy.cli.files import print_json, print_problems
from proxy.errors import EXIT_USAGE, EXIT_YES
from proxy.operating.prepare import prepare
from rules.problems import ConfigError


def check(config: str, *, as_json: bool) -> int:
    """Print every problem of the file; 0 when it may run, with or without warnings."""
    try:
        prepared = prepare(Path(config))
    except ConfigError as error:
        print_problems(error.problems, as_json=as_json)
        return EXIT_USAGE
    snapshot = prepared.snapshot
    if as_json:
        warnings = [asdict(warning) for warning in prepared.warnings]
        print_json({"problems": warnings, "digest": snapshot.digest, "routes": len(snapshot.routes)})
        return EXIT_YES
    print_problems(prepared.warnings)
    routes, backends = count(len(snapshot.routes), "route"), count(len(snapshot.backends), "backend")
    print(f"{config}: {routes}, {backends}, digest {snapshot.digest}")
    return EXIT_YES


def schema() -> int:
    """Print the JSON Schema of the file, for editors."""
    from rules.config import json_schema

    print_json(json_schema())
    return EXIT_YES
