"""Completes names of routes on the command line, from the file alone: a shell waits for the answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_NAME = re.compile(r"^(\s*)-\s*(?:\{\s*)?name:\s*[\"']?([a-z0-9][a-z0-9_-]*)", re.MULTILINE)
_DEFAULT = "proxy.yaml"


def route_names(ctx: Any, incomplete: str) -> list[str]:
    """Return the routes of the file that begin with `incomplete`; `ctx` is the command as typed so far."""
    given = ctx.params.get("config") if ctx is not None else None
    try:
        text = Path(given or _DEFAULT).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    # reading the YAML whole would take longer than a person waits after a tab
    found = _NAME.findall(text.partition("\nroutes:")[2])
    # what stands deeper than the first route is the name of something inside one
    names = dict.fromkeys(name for indent, name in found if indent.strip("\n") == found[0][0].strip("\n"))
    return [name for name in names if name.startswith(incomplete)]
