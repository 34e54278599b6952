"""The command `strangler`: internal commands go straight to their process, the others to the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

_PROCESSES = {
    "supervise": "proxy.supervisor.run",
    "load": "proxy.operating.loading",
    "worker": "proxy.app.worker",
    "control": "proxy.app.control",
}
"""Each of these imports only what its process needs."""


def main() -> None:
    """Run the command named on the command line; ends the process with its exit code."""
    arguments = sys.argv[1:]
    process = _PROCESSES.get(arguments[0]) if arguments else None
    if process is None:
        process, arguments = "proxy.cli", ["cli", *arguments]
    run: Callable[[list[str]], int] = import_module(process).main
    sys.exit(run(arguments[1:]))


if __name__ == "__main__":
    main()
