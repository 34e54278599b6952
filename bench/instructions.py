"""Counts the instructions of a request by callgrind, whatever else the machine does: `python -m bench.instructions`.

    python -m bench.instructions [ROW…] [--tree build/compiled] [--functions 20]

`plain` is the data path of `bench.path`; the other rows are that of `bench.copies`, with a copy of every
request: answers of the `same` bytes, modern's `spelled` otherwise (each another, `again` the same), legacy's as
`php` writes them, `different` in a number as well, so that each pair is packed for a judge; `shed` makes no
copy for want of time. Kernel and event loop are not in it. The same code has the same figure within a
thousandth, so a change of one in a hundred shows. It needs valgrind with its headers and a C compiler.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath

from bench import backends, mirrors
from bench.copies import Turning
from bench.path import Path
from bench.tables import grid

WARM = 2048
COUNTED = 640
ROOT = FilePath(__file__).resolve().parents[1]
_SWITCH = """
#include <valgrind/callgrind.h>
void begin(void) { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; }
void end(void) { CALLGRIND_STOP_INSTRUMENTATION; }
"""
_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import bench  # this one, whichever the tree has
del sys.path[0]
from bench.instructions import main
main(sys.argv[2:])
"""
_LENGTH = re.compile(rb"Content-Length: \d+")
_COLLECTED = re.compile(r"Collected : (\d+)")
_FUNCTION = re.compile(r"^\s*([\d,]+) .*?:CPyDef_(\S+)", re.MULTILINE)
SHED, DIFFERENT = "shed", "different"
SPELLED: Mapping[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    SHED: (bytes, bytes),
    "same": (bytes, bytes),
    "spelled": (bytes, mirrors.respelled),
    "again": (bytes, mirrors.respelled),
    "php": (mirrors.as_php, mirrors.priced),
    DIFFERENT: (mirrors.as_php, lambda body: mirrors.priced(body).replace(b"2.5", b"2.75", 1)),
}
"""How legacy and modern spell the body, by row."""
REPEATED = frozenset((SHED, "same", "again"))
"""Rows in which all answers are one; in the others no pair comes twice."""
RESULTS: Mapping[str, set[str]] = {SHED: {"equal", "load"}, DIFFERENT: {"sent"}}


def main(arguments: Sequence[str]) -> int:
    """Print the table; as a child of valgrind, run one row."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__.split("\n\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of plain, {', '.join(SPELLED)} (default all)")
    parser.add_argument("--tree", type=FilePath, default=ROOT, help="whose code is run, as build/compiled")
    parser.add_argument(
        "--functions", type=int, default=0, help="also the dearest compiled functions, callees included"
    )
    parser.add_argument("--run", help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    if wanted.run:
        return run(*wanted.run.split(":"))
    lines = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        switch = _built(FilePath(name))
        for row in wanted.rows or ["plain", *SPELLED]:
            lines.append([row, f"{_counted(row, wanted.tree.resolve(), switch, FilePath(name) / row) / COUNTED:,.0f}"])
            for count, function in _functions(FilePath(name) / row, wanted.functions):
                print(f"{row:8} {count / COUNTED:8,.0f} {function}")
    print(grid(["row", "instructions a request"], lines))
    return 0


def _built(folder: FilePath) -> FilePath:
    """Compile what begins and ends the counting from Python."""
    source, library = folder / "switch.c", folder / "switch.so"
    source.write_text(_SWITCH)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


def _counted(row: str, tree: FilePath, switch: FilePath, out: FilePath) -> int:
    words = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", sys.executable]
    words += ["-c", _CHILD, str(ROOT), "--run", f"{row}:{switch}"]
    environ = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False, cwd=out.parent)
    found = _COLLECTED.search(done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{row}: {done.stderr[-2000:]}")
    return int(found[1])


def _functions(out: FilePath, most: int) -> list[tuple[int, str]]:
    if not most:
        return []
    words = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(out)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = [(int(count.replace(",", "")), name) for count, name in _FUNCTION.findall(text)]
    return sorted(found, reverse=True)[:most]


def run(row: str, switch: str) -> int:
    """Run one row inside valgrind; leaves without the interpreter's end."""
    library = ctypes.CDLL(switch)
    if row == "plain":
        path = Path(fresh=True)
        path.run(WARM)
        _counting(path, library, lambda: path.run(COUNTED))
    else:
        asyncio.run(_copied(row, library))
    os._exit(0)


async def _copied(row: str, library: ctypes.CDLL) -> None:
    path = Turning(0, mirrors.SHADOW, fresh=True)
    legacy, modern = SPELLED[row]
    for each in ((path.answer, legacy), (path.others, modern)):
        answers = [_with_body(*each, number) for number in range(1 if row in REPEATED else WARM + COUNTED)]
        path.live, path.copied = path.copied, itertools.cycle(answers)
    shadows = path.server.shadows
    # fifty times slower under valgrind: what is limited by time would be left out
    shadows.looks.processor = lambda: 0.0
    shadows.next_turn._clock = lambda: 0.0  # noqa: SLF001 - as above
    await path.turned(WARM)
    await _settled(path)
    _ready(path)
    if row == SHED:
        shadows.held_back = float("inf")
    library.begin()
    await path.turned(COUNTED)
    library.end()
    await _settled(path)
    found = Counter(path.results())
    if set(found) != RESULTS.get(row, {"equal"}):
        raise RuntimeError(f"not every pair was equal: {dict(found)}")


async def _settled(path: Turning) -> None:
    for _ in range(8):
        await asyncio.sleep(0)
    while path.pending:
        path.pending.pop()()


def _counting(path: Path, library: ctypes.CDLL, work: Callable[[], None]) -> None:
    _ready(path)
    library.begin()
    work()
    library.end()


def _ready(path: Path) -> None:
    """Make the requests before, put what is there out of the collector's way."""
    path.heads = iter([next(path.heads) for _ in range(COUNTED)])
    gc.collect()
    gc.freeze()


def _with_body(answer: bytes, spelled: Callable[[bytes], bytes], number: int) -> bytes:
    head, _, _ = answer.partition(b"\r\n\r\n")
    body = spelled(backends.body(backends.SIZES["1k"])).replace(b"4711", b"%d" % (4711 + number), 1)
    return _LENGTH.sub(b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
