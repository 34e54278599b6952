"""The command lines and the environment of our own processes.

Imports next to nothing: what starts processes must not wait for what those processes need.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parents[2]
_IS_WHEEL: Final = _FOLDER.name == "_app"
"""Whether the packages lie in the folder of their own that a wheel has: `strangler` alone is importable then."""


def command(*arguments: str) -> list[str]:
    """Return the command line that runs one of our own internal commands."""
    return [sys.executable, "-m", "strangler" if _IS_WHEEL else "proxy", *arguments]


def environment() -> dict[str, str]:
    """Return a child's environment: ours, with the folder this very code came from."""
    root = str(_FOLDER.parents[1] if _IS_WHEEL else _FOLDER)
    environ = dict(os.environ)
    # -m looks into the working directory first; -P stops that, so a checkout must be named
    environ["PYTHONSAFEPATH"] = "1"
    if root not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environ.get("PYTHONPATH", ""))))
    return environ


# `strangler run`, as a service manager writes it, without the libraries of the command line.


_FILE: Final = "proxy.yaml"


def supervisor_of(arguments: list[str]) -> list[str] | None:
    """Return the arguments of `supervise` for a plain `run`: a file that can be read, a number of workers.

    None for anything else, which is the command line's to understand, or to refuse.
    """
    if arguments[:1] != ["run"]:
        return None
    config, workers, rest = "", "", iter(arguments[1:])
    for word in rest:
        if word in ("-c", "--config") and not config:
            config = next(rest, "")
            if not config or config.startswith("-") or not os.access(config, os.R_OK):
                return None
        elif word == "--workers" and not workers:
            workers = next(rest, "")
            if not (workers.isascii() and workers.isdecimal() and int(workers)):
                return None
        else:
            return None
    return [config or _FILE, str(int(workers)) if workers else ""]
