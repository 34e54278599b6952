"""`strangler config show`: the effective configuration with the origin of each value."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import orjson

from proxy.cli.files import print_json, print_problems, read
from proxy.errors import EXIT_USAGE, EXIT_YES


def config_show(config: str, *, as_json: bool) -> int:
    """Print each setting as the file would spell it, with where it came from."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    from rules.config import effective

    settings = effective(Path(config).read_text(encoding="utf-8-sig"), config)
    if as_json:
        print_json([asdict(setting) for setting in settings])
        return EXIT_YES
    print_problems(prepared.warnings)
    width = max(len(setting.path) for setting in settings)
    for setting in settings:
        print(f"{setting.path:<{width}}  {_spelled(setting.value)}  # {setting.origin}")
    return EXIT_YES


def _spelled(value: object) -> str:
    return orjson.dumps(value, default=str).decode()
