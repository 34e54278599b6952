"""Fuzzes HTTP/1.1 parsing for a given time: `python tests/fuzz/http1.py --seconds 600`.

Each round spoils a request, an answer or a chunked body and holds it against the laws of `tests/support/laws.py`
(same verdict under every split; what we accept, h11 accepts with the same meaning), and lets requests sent ahead,
answers and turns of the loop come in some order or other. A finding is printed with
all that is needed to repeat it, written to a file that belongs into `tests/data/http1-regressions/`, and the
program ends with 1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from time import monotonic

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support import interleaving, laws, material  # noqa: E402 - the path comes first

REGRESSIONS = ROOT / "tests" / "data" / "http1-regressions"
Law = Callable[[bytes, Iterable[int]], None]
LAWS: dict[str, tuple[Law, list[bytes]]] = {
    "request": (laws.request_law, material.REQUESTS),
    "answer": (laws.answer_law, material.ANSWERS),
    "head-answer": (lambda data, places: laws.answer_law(data, places, "HEAD"), material.ANSWERS),
    "request-again": (laws.request_again_law, material.REQUESTS),
    "answer-again": (laws.answer_again_law, material.ANSWERS),
    "chunked": (laws.chunked_law, material.CHUNKED),
}


def judge(kind: str, data: bytes, places: Iterable[int]) -> str:
    """The offence as text, empty for none."""
    law, _ = LAWS[kind]
    try:
        law(data, places)
    except Exception:  # noqa: BLE001 - whatever is raised is the finding
        return traceback.format_exc()
    return ""


def smaller(kind: str, data: bytes, places: list[int]) -> bytes:
    """Take away whatever the offence does not need."""
    size = max(1, len(data) // 2)
    while size:
        at = 0
        while at < len(data):
            candidate = data[:at] + data[at + size :]
            if judge(kind, candidate, places):
                data = candidate
            else:
                at += size
        size //= 2
    return data


def report(kind: str, data: bytes, places: list[int], offence: str) -> None:
    data = smaller(kind, data, places)
    offence = judge(kind, data, places) or offence
    path = Path(f"fuzz-finding-{abs(hash(data)) % 10**8}.{kind}")
    path.write_bytes(data)
    print(
        f"{offence}\n{kind}: {data!r}\ncut at {places}\nkept in {path}; once mended it belongs into {REGRESSIONS.name}/"
    )


async def fuzz(seconds: float, seed: int) -> int:
    random = Random(seed)
    begin = told = monotonic()
    rounds = 0
    while monotonic() - begin < seconds:
        for kind, (_, seeds) in LAWS.items():
            data = material.spoilt(random, seeds)
            places = [random.randrange(len(data) + 1) for _ in range(random.choice((1, 1, 2, 5, len(data))))]
            offence = judge(kind, data, places)
            if offence:
                report(kind, data, places, offence)
                return 1
            rounds += 1
        scene = random.randrange(1 << 60), random.randrange(1, 12)
        try:
            await interleaving.interleaving_law(*scene)
        except Exception:  # noqa: BLE001 - whatever is raised is the finding
            print(f"{traceback.format_exc()}\nrepeat with interleaving_law{scene}")
            return 1
        if monotonic() - told >= 60:
            told = monotonic()
            print(f"{told - begin:.0f} s: {rounds} messages, no finding (seed {seed})", flush=True)
    print(f"{rounds} messages in {monotonic() - begin:.0f} s, no finding (seed {seed})")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=None, help="repeat an earlier run")
    chosen = parser.parse_args()
    seed = Random().randrange(1 << 32) if chosen.seed is None else chosen.seed
    return asyncio.run(fuzz(chosen.seconds, seed))


if __name__ == "__main__":
    sys.exit(main())
