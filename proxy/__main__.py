"""The command `strangler`: internal commands go straight to their process, the others to the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module

from proxy.ipc.internal_commands import command, environment, supervisor_of
from proxy.settings import EXIT_NO

_PROCESSES = {
    "supervise": "proxy.supervisor.start",
    "load": "proxy.control.config_loader",
    "worker": "proxy.worker.main",
    "control": "proxy.control.main",
    "judge": "proxy.judge.main",
    "hooks": "proxy.judge.hooks",
    "data": "proxy.data.main",
}
"""Each of these imports only what its process needs."""


def main() -> None:
    """Run the command named on the command line; ends the process with its exit code."""
    arguments = sys.argv[1:]
    supervised = supervisor_of(arguments)
    if supervised is not None:
        # as `run` of the command line does, whose libraries take as long to load as a worker
        os.execve(sys.executable, command("supervise", *supervised), environment())  # noqa: S606
    process = _PROCESSES.get(arguments[0]) if arguments else None
    if process is None:
        process, arguments = "proxy.cli", ["cli", *arguments]
    try:
        run: Callable[[list[str]], int] = import_module(process).main
        sys.exit(run(arguments[1:]))
    except KeyboardInterrupt:
        # before anything was started that would have to finish
        sys.exit(EXIT_NO)


if __name__ == "__main__":
    main()
