"""Writes the versions and hashes of what the image installs: `python deploy/constraints/renew.py`.

pip resolves what pyproject.toml asks for, once for each architecture, and reports which file it would install with
which hash; nothing is installed. Only wheels for the image's Python are pinned (Debian 12: 3.11): no setup.py of a
package runs while an image is built.

    runtime.txt   the proxy with what the image brings: Redis, both databases
    build.txt     the compiler's side, never in the image that runs
    example.txt   the two sides of compose.yaml
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = "3.11"
ARCHITECTURES = ("x86_64", "aarch64")
GLIBC = ("2_34", "2_28", "2_17")
"""Wheels for these or older run on Debian 12 (2.36)."""
EXTRAS = ("data", "fleet")
TOOLS = ("mypy", "setuptools>=77", "types-PyYAML")
_LIMIT = 600

Pins = dict[str, tuple[str, set[str]]]
"""Version and hashes by the package's name."""


def wanted() -> dict[str, list[str]]:
    """Return what each file pins, as pyproject.toml asks for it."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own, extras = project["dependencies"], project["optional-dependencies"]
    return {
        "runtime": [*own, *(each for name in EXTRAS for each in extras[name])],
        "build": list(TOOLS),
        "example": [*own, *extras["example"]],
    }


def resolved(requirements: Sequence[str], agreed: Iterable[Path], architecture: str) -> Pins:
    """Return what pip would install on `architecture`, in agreement with files written before."""
    platforms = [word for glibc in GLIBC for word in ("--platform", f"manylinux_{glibc}_{architecture}")]
    platforms += ["--platform", f"manylinux2014_{architecture}"]
    with tempfile.TemporaryDirectory() as folder:
        report, limits = Path(folder, "report.json"), Path(folder, "limits.txt")
        limits.write_text("".join(_versions(each) for each in agreed), encoding="utf-8")
        subprocess.run(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
                "--report", str(report), "--only-binary=:all:", "--python-version", PYTHON, *platforms,
                "--target", folder, "--constraint", str(limits), *requirements,
            ],
            check=True, timeout=_LIMIT,
        )  # fmt: skip
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        _named(one["metadata"]["name"]): (
            one["metadata"]["version"],
            {one["download_info"]["archive_info"]["hashes"]["sha256"]},
        )
        for one in found
    }


def joined(each: Iterable[Pins]) -> Pins:
    """Return the pins of all architectures as one; they have to agree on versions."""
    pins: Pins = {}
    for found in each:
        for name, (version, hashes) in found.items():
            there, known = pins.setdefault(name, (version, set()))
            if there != version:
                sys.exit(f"{name} is {there} on one architecture, {version} on another: pin it in pyproject.toml")
            known |= hashes
    return pins


def written(pins: Pins) -> str:
    """Return the text of a file that `pip install --require-hashes -r` reads."""
    lines = [f"# Python {PYTHON}, {' and '.join(ARCHITECTURES)}. Written by deploy/constraints/renew.py."]
    for name, (version, hashes) in sorted(pins.items()):
        lines.append(" \\\n    ".join((f"{name}=={version}", *(f"--hash=sha256:{each}" for each in sorted(hashes)))))
    return "\n".join(lines) + "\n"


def _versions(path: Path) -> str:
    return "".join(f"{pin}\n" for pin in re.findall(r"^[\w.-]+==\S+", path.read_text(encoding="utf-8"), re.MULTILINE))


def _named(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Renew every file; the later ones agree with the earlier."""
    done: list[Path] = []
    for name, requirements in wanted().items():
        path = HERE / f"{name}.txt"
        text = written(joined(resolved(requirements, done, each) for each in ARCHITECTURES))
        path.write_text(text, encoding="utf-8")
        done.append(path)
        print(f"{path.relative_to(ROOT)}: {text.count('==')} packages")


if __name__ == "__main__":
    main()
