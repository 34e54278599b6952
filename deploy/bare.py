"""Runs `make demo`, `make demo-data`, then `make test` from a clone in a bare Debian tree, where nothing was installed.

    deploy/bare.py [--release bookworm|trixie|forky] [--tests "tests/examples …"] [--tree FOLDER] [--cache FOLDER]

As root: `make bare`, `make bare RELEASE=trixie`. The tree has what Debian calls minbase, and `make`; no Python, no git.
Nothing of it stays, unless `--tree` names a folder: that tree is kept and used again. `--cache` keeps downloads only.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# From its own folder: this runs with the machine's Python, before anything is installed.
from bare_tree import RELEASES, apart_or_exit, plant, root_or_exit, run_inside

TOP = Path(__file__).resolve().parents[1]
PLACE = "/srv/strangler"
LIMITS = {"demo": 1200, "demo-data": 600, "test": 3600}
"""Seconds: of installing packages and a minute of traffic; of two databases; of the other packages and the suite."""


def clone(tree: Path) -> None:
    """Put what is committed into the tree, as a fresh clone has it."""
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(TOP), str(tree) + PLACE], check=True, timeout=300)


def prepare(tree: Path, release: str) -> None:
    """A tree with the clone in it, made only if it is not there yet."""
    if not (tree / "etc").is_dir():
        plant(tree, release, extra=["make"])
    subprocess.run(["rm", "-rf", str(tree) + PLACE], check=True, timeout=300)
    clone(tree)


def run(tree: Path, words: list[str], cache: Path | None) -> int:
    """One `make` in the clone; its exit code, or 124 when it took longer than it may."""
    print(f"--- in the bare tree: make {shlex.join(words)}", flush=True)
    begun = time.monotonic()
    code = run_inside(tree, ["make", *words], folder=PLACE, mounts={}, cache=cache, limit=LIMITS[words[0]])
    print(f"--- make {words[0]} ended with {code} after {time.monotonic() - begun:.0f} s", flush=True)
    return code


def main() -> None:
    """Make the tree, run the commands; the exit code is that of the first which fails."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--release", choices=RELEASES, default="bookworm")
    options.add_argument("--tests", default="tests", help="what of the suite, as pytest takes it")
    options.add_argument("--tree", type=Path, help="a folder that keeps the tree")
    options.add_argument("--cache", type=Path, help="a folder that keeps downloaded packages")
    chosen = options.parse_args()
    root_or_exit("make bare")
    apart_or_exit()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the tree goes whatever ends this
    with tempfile.TemporaryDirectory(prefix="strangler-bare-", ignore_cleanup_errors=True) as folder:
        tree = chosen.tree.resolve() if chosen.tree else Path(folder, "tree")
        print(f"--- a bare {RELEASES[chosen.release]} ({chosen.release})", flush=True)
        prepare(tree, chosen.release)
        commands = ["demo"], ["demo-data"], ["test", f"TESTS={chosen.tests}"]
        sys.exit(next((code for words in commands if (code := run(tree, words, chosen.cache))), 0))


if __name__ == "__main__":
    main()
