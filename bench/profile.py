"""Shows where the worker spends its time under load: `python -m bench.profile` (as root, for py-spy looks inside).

The worker runs as in the bench; py-spy takes samples from outside, so the code is the code of production. A
share is of the samples in which the worker was not waiting; a system call counts for the line that made it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

from bench import backends, load, rows, tools
from bench.backends import SIZES
from bench.processes import memory_folder, prepare_process
from bench.tables import grid

RATE = 250
EVERYWHERE = 0.97
"""The share of samples above which a frame only leads to the others."""
_WAITS = "Condition.wait (threading.py"
_LINE = re.compile(r":\d+\)$")


@dataclass(frozen=True, slots=True)
class Profile:
    """Samples by stack, outermost frame first; a frame is `function (file:line)`."""

    stacks: tuple[tuple[tuple[str, ...], int], ...]

    @property
    def samples(self) -> int:
        """The number of samples."""
        return sum(count for _, count in self.stacks)

    def own(self, name: Callable[[str], str]) -> Counter[str]:
        """Return samples by the `name` of the innermost frame."""
        found: Counter[str] = Counter()
        for stack, count in self.stacks:
            found[name(stack[-1])] += count
        return found

    def within(self, name: Callable[[str], str]) -> Counter[str]:
        """Return samples by the `name` of any frame, each name once for a stack."""
        found: Counter[str] = Counter()
        for stack, count in self.stacks:
            for frame in {name(frame) for frame in stack}:
                found[frame] += count
        return found


def parse(text: str) -> Profile:
    """Read py-spy's raw format, `frame;frame;frame COUNT`, one stack a line; a thread that waits is left out."""
    # py-spy counts a thread in a timed wait as busy
    pairs = (line.rpartition(" ") for line in text.splitlines() if line.strip() and _WAITS not in line)
    return Profile(tuple((tuple(stack.split(";")), int(count)) for stack, _, count in pairs))


def function(frame: str) -> str:
    """Return the frame without its line."""
    return _LINE.sub(")", frame)


def report(profile: Profile, most: int) -> str:
    """Return three tables: functions by their own time, functions with what they call, lines."""
    own, within = profile.own(function), profile.within(function)
    total = max(1, profile.samples)
    own_rows = [[name, f"{count / total:.1%}", f"{within[name] / total:.1%}"] for name, count in own.most_common(most)]
    telling = [(name, count) for name, count in within.most_common() if count < EVERYWHERE * total]
    parts = [
        f"{profile.samples} samples",
        "### Functions, by their own time\n\n" + grid(["function", "own", "with callees"], own_rows),
        "### Functions, with what they call\n\n" + _shares(telling[:most], total),
        "### Lines, by their own time\n\n" + _shares(profile.own(str).most_common(most), total),
    ]
    return "\n\n".join(parts)


def record(row: rows.Row, size: str, seconds: int, folder: Path, *, native: bool) -> str:
    """Run the row under load for so many seconds, return py-spy's raw samples of its worker."""
    raw = folder / "raw"
    places = [folder / "backends", folder / "proxy"]
    for place in places:
        place.mkdir()
    with backends.running(places[0]) as sides, row.start(sides, places[1]) as running:
        load.run(running.port, size, 1, folder)
        pid = (running.role("worker") or running.tree())[0]
        words = [tools.program("py-spy"), "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE)]
        words += ["--format", "raw", "--output", str(raw), *(["--native"] if native else [])]
        # py-spy needs a moment to attach to the process
        thread = Thread(target=partial(load.run, running.port, size, seconds + 3, folder), name="load")
        thread.start()
        try:
            subprocess.run(words, check=True, capture_output=True, text=True)
        finally:
            thread.join()
    return raw.read_text()


def main(arguments: Sequence[str]) -> int:
    """Print the profile of our proxy, or of the row of --row."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description="Where the worker's time goes.")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--size", choices=SIZES, default="1k")
    parser.add_argument("--most", type=int, default=30, help="lines of each table")
    parser.add_argument("--native", action="store_true", help="C frames too; samples cost more")
    parser.add_argument("--tree", type=Path, default=None, metavar="FOLDER", help="our proxy from FOLDER")
    parser.add_argument("--aiohttp", action="store_true", help="the aiohttp peer instead")
    parser.add_argument("--raw", type=Path, default=None, metavar="FILE", help="keep the stacks, for a flame graph")
    wanted = parser.parse_args(arguments)
    tools.install_pypi("py-spy")
    prepare_process()
    trees = {"tree": wanted.tree.resolve()} if wanted.tree else {}
    name = "tree" if wanted.tree else "aiohttp" if wanted.aiohttp else rows.OURS
    row = next(row for row in rows.all_rows(trees, {}) if row.name == name)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory_folder()) as folder:
        try:
            raw = record(row, wanted.size, wanted.seconds, Path(folder), native=wanted.native)
        except subprocess.CalledProcessError as error:
            print(error.stderr, file=sys.stderr)
            return 2
    if wanted.raw is not None:
        wanted.raw.write_text(raw)
    print(report(parse(raw), wanted.most))
    return 0


def _shares(counts: Iterable[tuple[str, int]], total: int) -> str:
    return grid(["", "share"], [[name, f"{count / total:.1%}"] for name, count in counts])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
