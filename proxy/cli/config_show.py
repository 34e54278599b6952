"""`strangler config show`: the effective configuration with the origin of each value."""

from __future__ import annotations

import os
from pathlib import Path

from proxy.cli.files import print_json, print_problems, read
from proxy.errors import EXIT_USAGE, EXIT_YES


def config_show(config: str, *, as_json: bool) -> int:
    """Print each setting with its value, with where it came from."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    from rules.load import effective

    settings = effective(Path(config).read_text(encoding="utf-8-sig"), config, os.environ)
    if as_json:
        print_json([{"path": path, "value": value, "origin": origin} for path, value, origin in settings])
        return EXIT_YES
    print_problems(prepared.warnings)
    width = max((len(str(path)) for path, _, _ in settings), default=0)
    for path, value, origin in settings:
        print(f"{path:<{width}}  {value}  # {origin}")
    return EXIT_YES
