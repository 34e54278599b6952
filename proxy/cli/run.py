"""`strangler run`: becomes the supervisor."""

from __future__ import annotations

import os
import sys

from proxy.supervisor.child import command, environment


def run(config: str, workers: int | None, *, as_json: bool) -> int:
    """Replace this process by the supervisor, which needs none of what the command line needs.

    `as_json` changes nothing: the ready line is the only one printed, events are JSON off a terminal.
    """
    del as_json
    sys.stdout.flush()
    os.execve(sys.executable, command("supervise", config, str(workers or "")), environment())  # noqa: S606
