"""The command `supervise`: starts what takes long, then imports what it needs itself.

1. the process that checks the file
2. control and a first worker, which import what they need and wait
3. the supervisor, which waits for the first, and has the others begin
"""

from __future__ import annotations

import os

from proxy.settings import is_legacy_only
from proxy.supervisor.launch import first_children, start_loading


def main(arguments: list[str]) -> int:
    """Run the proxy on the file `arguments[0]` with `arguments[1]` workers (empty: as the file says)."""
    path, workers = arguments
    loading = start_loading(path, workers)
    first = first_children(legacy_only=is_legacy_only(os.environ))
    try:
        from proxy.supervisor.main import supervise

        return supervise(workers, loading, first)
    finally:
        for child in first.values():
            child.end()
