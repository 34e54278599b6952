"""Measures what comparing two large bodies takes: `python -m bench.compare --kinds`.

Pairs of a mebibyte of every kind in `bench/json_kinds.py` and `tests/comparators/large_pages.py`, and pages of two
megabytes. Each is made in one child and compared in another, as it comes to a judge: two bodies as bytes. Seconds are
of processor, the least of two; memory is the most that the child held, the bodies among it, above what it began with.

    python -m bench.bounds [WORDS]     of this tree alone, one line for each kind whose name has the words
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from bench import goals
from bench.json_kinds import KINDS, NEW_HOSTS, OLD_HOSTS, KindOfPair, of_bytes
from bench.tables import grid
from comparators import Capture, Policy, compare
from tests.comparators import large_pages

MEBIBYTE = 1 << 20
TWO_MEGABYTES = 2_000_000
GOAL_SECONDS = 0.5
GOAL_SECONDS_LARGE = 1.0
GOAL_MEBIBYTES = 256
ROUNDS = 2
PHP: dict[str, Any] = {"preset": "php"}


class Case(NamedTuple):
    """A kind of pair: `made` returns legacy's answer, modern's and legacy's further ones; no `verdict` is any but one
    that a cap made."""

    name: str
    made: Callable[[], tuple[Capture, Capture, tuple[Capture, ...]]]
    mapping: dict[str, Any]
    verdict: str | None
    seconds: float


class Found(NamedTuple):
    """What comparing took, and what it came to."""

    seconds: float
    mebibytes: float
    verdict: str


def cases() -> Iterator[Case]:
    """Yield every kind, JSON first."""
    for name, kind in KINDS.items():
        yield Case(name, partial(_json, kind), kind.mapping, kind.verdict, GOAL_SECONDS)
    for size, word, goal in ((MEBIBYTE, "", GOAL_SECONDS), (TWO_MEGABYTES, ", 2 MB", GOAL_SECONDS_LARGE)):
        for name, (media, _) in large_pages.KINDS.items():
            if size == MEBIBYTE or media == large_pages.HTML:
                shown = f"{media.partition(';')[0].rpartition('/')[2]}: {name}{word}"
                yield Case(shown, partial(_page, name, size), PHP, None, goal)


def _page(name: str, size: int) -> tuple[Capture, Capture, tuple[Capture, ...]]:
    return *large_pages.pair(name, size), ()


def _json(kind: KindOfPair) -> tuple[Capture, Capture, tuple[Capture, ...]]:
    pair = of_bytes(kind, MEBIBYTE)
    again = () if pair.again is None else (_written(pair.again),)
    return _written(pair.legacy), _written(pair.modern), again


def _written(text: str) -> Capture:
    return Capture("GET", "/", 200, (("Content-Type", "application/json"),), text.encode())


def found(case: Case, rounds: int = ROUNDS) -> Found:
    """Return what comparing one kind takes here, or that its child ended otherwise."""
    with TemporaryFile() as bodies, TemporaryFile() as outcome:
        _in_child(lambda: _keep(tuple(map(_plain, _all(case))), bodies))
        _in_child(lambda: _keep(_measured(case, bodies, rounds), outcome))
        outcome.seek(0)
        return Found(*pickle.load(outcome))


def _all(case: Case) -> tuple[Capture, ...]:
    legacy, modern, again = case.made()
    return legacy, modern, *again


def _plain(capture: Capture) -> tuple[Any, ...]:
    return capture.method, capture.path, capture.status, tuple(capture.headers), capture.body


def _measured(case: Case, bodies: IO[bytes], rounds: int) -> tuple[float, float, str]:
    began = _peak()
    bodies.seek(0)
    legacy, modern, *again = (Capture(*each) for each in pickle.load(bodies))
    policy = Policy.from_mapping(case.mapping, legacy_hosts=OLD_HOSTS, modern_hosts=NEW_HOSTS)
    seconds, memory, said = [], 0.0, ""
    for _ in range(rounds):
        start = time.process_time()
        comparison = compare(legacy, modern, policy, secondary=again)
        seconds.append(time.process_time() - start)
        memory = memory or (_peak() - began) / 1024
        said = f"{comparison.verdict} {comparison.reason}".strip()
        del comparison
    return min(seconds), memory, said


def _keep(value: object, file: IO[bytes]) -> None:
    pickle.dump(value, file)
    file.flush()


def _peak() -> int:
    """Return the most kibibytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _in_child(work: Callable[[], None]) -> None:
    """Do something in a child, so that neither its memory nor its caches are left; RuntimeError where it fails."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the child that compares ended before its time: see above")


def lines(words: str = "") -> Iterator[tuple[str, ...]]:
    """Measure each kind whose name has these words: name, seconds, mebibytes, verdict, the seconds wanted, wrong."""
    for case in cases():
        if words in case.name:
            took = found(case)
            wrong = took.verdict.startswith("not_compared") if case.verdict is None else took.verdict != case.verdict
            yield (
                case.name, f"{took.seconds:.3f}", f"{took.mebibytes:.0f}", took.verdict, f"{case.seconds}",
                "wrong" if wrong else "",
            )  # fmt: skip


def worst(found: Sequence[Sequence[str]]) -> str:
    """Return the table: of the kinds of each goal the slowest, the largest, the wrong ones; what misses is marked."""
    rows = []
    for goal in dict.fromkeys(line[4] for line in found):
        some = [line for line in found if line[4] == goal]
        slowest, largest = (max(some, key=lambda line, at=at: float(line[at])) for at in (1, 2))
        wrong = [line[0] for line in some if line[5]]
        rows += [
            [f"slowest of {len(some)}", slowest[0], f"{slowest[1]} s", f"≤ {goal} s", _met(slowest[1], goal)],
            [f"largest of {len(some)}", largest[0], f"{largest[2]} MiB", f"≤ {GOAL_MEBIBYTES} MiB",
             _met(largest[2], GOAL_MEBIBYTES)],
            [f"wrong of {len(some)}", ", ".join(wrong), f"{len(wrong)}", "0", goals.met(good=not wrong)],
        ]  # fmt: skip
    return grid(["bound", "worst kind", "found", "wanted", ""], rows)


def _met(found: str, wanted: float | str) -> str:
    return goals.met(good=float(found) <= float(wanted))


def main(arguments: Sequence[str]) -> int:
    for line in lines(" ".join(arguments)):
        print("|".join(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
