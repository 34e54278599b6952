"""Makes the compiled wheel for every Python from 3.11 to 3.14 that this machine has, for its architecture.

    python deploy/wheels.py [--python PATH]...

1. find the interpreters, or take those that are named
2. each gets an environment of its own in build/wheels with what the package needs and the compiler, then
   `deploy/compiled.py --wheel` runs there
3. each wheel is installed into a fresh environment, where the command says which build it is

The wheels lie in dist/. Where there is no compiler the plain package is as good, only slower: pip builds it from the
sources as ever.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "wheels"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
TOOLS = ("mypy", "setuptools>=77", "wheel", "types-PyYAML")


def main(arguments: Sequence[str]) -> int:
    """Make them; 1 where there is no interpreter, or a wheel is not what it should be."""
    parser = argparse.ArgumentParser(description="Compiled wheels for the Pythons of this machine.")
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="this one instead of all")
    wanted = parser.parse_args(arguments)
    found = list(wanted.python or interpreters())
    if not found:
        print(f"none of Python {', '.join(VERSIONS)} is here", file=sys.stderr)
        return 1
    made = [wheel_of(python) for python in found]
    for wheel, says in made:
        print(f"{wheel.relative_to(ROOT)}: {says}")
    return 0 if all(says.endswith("(compiled)") for _, says in made) else 1


def interpreters() -> Iterator[str]:
    """Yield the path of each interpreter that is there, say which are not, which do not start."""
    for version in VERSIONS:
        path = shutil.which(f"python{version}")
        if path is None:
            print(f"no python{version} here: no wheel for it", file=sys.stderr)
        elif (why := _why_not(path, version)) is not None:
            print(f"{path} is no Python {version} ({why}): no wheel for it; name one with --python", file=sys.stderr)
        else:
            yield path


def _why_not(python: str, version: str) -> str | None:
    """Return why an interpreter cannot be used, None where it can: a version manager's shim may lead nowhere."""
    words = [python, "-c", "import sys, venv; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        said = done.stdout.strip()
        return None if said == version else f"it is {said}"
    said = next((line for line in done.stderr.splitlines() if line.strip()), "")
    return said or f"it ends with {done.returncode}"


def wheel_of(python: str) -> tuple[Path, str]:
    """Return the wheel made with this interpreter, and what the command says once it is installed."""
    tag = _said(python, "-c", "import sys; print(f'{sys.version_info[0]}{sys.version_info[1]}')")
    builder, user = WORK / tag / "build", WORK / tag / "use"
    _run(python, "-m", "venv", "--clear", str(builder))
    _run(str(builder / "bin" / "pip"), "install", "-q", *TOOLS, str(ROOT))
    _run(str(builder / "bin" / "python"), str(ROOT / "deploy" / "compiled.py"), "--wheel")
    (wheel,) = (ROOT / "dist").glob(f"strangler_proxy-*-cp{tag}-*.whl")
    _run(python, "-m", "venv", "--clear", str(user))
    _run(str(user / "bin" / "pip"), "install", "-q", str(wheel))
    return wheel, _said(str(user / "bin" / "strangler"), "--version")


def _run(*words: str) -> None:
    subprocess.run(words, check=True, cwd=WORK.parent if WORK.parent.is_dir() else ROOT)


def _said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd="/").stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
