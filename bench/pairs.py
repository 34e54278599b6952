"""Real pairs, judged: how often is the comparison wrong, how much does it miss? `python -m bench.pairs`.

The example's PHP and FastAPI serve everything that proxy.yaml routes, for many users; each pair is compared by its
route's policy. Then each fault is planted in turn, and the same requests are sent again. The truth: a request is
touched by a fault when the modern side's response differs in a byte from that of the sound modern side. A finding on a
touched pair is right, on another one wrong; a touched pair without one is missed. Last, legacy is compared with itself.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from bench import machine, results
from bench.tables import grid
from bench.twins import ROUNDS_OF_LEARNING, Tested, against_itself, faults, requests
from examples.paymenter.sides import Database, Legacy, Modern

SECTION = "pairs"


def report(found: Mapping[str, Tested], verdicts: Counter[str]) -> str:
    """Return the table of the faults with precision and recall over all of them."""
    rows = []
    for name, one in found.items():
        share = f"{one.found} of {one.touched}"
        places = [*one.places]
        rows.append(
            [name, share, f"{one.wrong} of {one.untouched}", "; ".join(places[:6]) + (" …" * (len(places) > 6))]
        )
    touched = sum(one.touched for one in found.values())
    right, wrong = sum(one.found for one in found.values()), sum(one.wrong for one in found.values())
    sound, alarms = verdicts.total(), verdicts.total() - verdicts["equal"]
    precision = right / max(1, right + wrong + alarms)
    return (
        f"The sound port: {sound} pairs, {alarms} alarms ({_told(verdicts)}).\n\n"
        + grid(["fault", "found of the touched pairs", "alarms on untouched ones", "where (route, path)"], rows)
        + f"\n\nPrecision {precision:.4f}, recall {right / max(1, touched):.4f}, over {touched} touched pairs; twins "
        f"told apart: {right} of {touched}."
    )


def report_itself(preset: str, before: Counter[str], after: Counter[str], learned: Sequence[str]) -> str:
    """Return the result of legacy against itself."""
    return (
        f"Legacy against itself, `preset: {preset}`: {_told(before)}; after {ROUNDS_OF_LEARNING} rounds in which noise "
        f"was learned: {_told(after)}. Learned: {', '.join(learned) or 'nothing'}."
    )


def _told(verdicts: Counter[str]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())


def main(arguments: Sequence[str]) -> int:
    """Print how often the comparison is right; 1 when it raised a false alarm or missed a fault."""
    parser = argparse.ArgumentParser(prog="python -m bench.pairs", description=__doc__.split("\n\n")[0])
    parser.add_argument("--users", type=int, default=40, help="whose own pages are read")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    began = time.monotonic()
    with Database() as database, Legacy(database) as legacy, Modern(database) as modern:
        # from staff to the newest client, with some disabled accounts
        users = range(1, 201, max(1, 200 // wanted.users))
        asked = requests(users, database.key)
        found, verdicts = asyncio.run(faults(legacy, modern, asked))
        alike = {preset: asyncio.run(against_itself(legacy, preset, asked)) for preset in ("php", "none")}
    itself = "\n\n".join(report_itself(preset, *found) for preset, found in alike.items())
    told = machine.about(arguments).replace("python -m bench", "python -m bench.pairs", 1)
    text = machine.anonymous(
        f"## Real pairs, judged\n\n{told}\n\n{len(asked)} reads of {len(users)} users and the staff, over every route "
        "of proxy.yaml that can be read, with its own `compare:` sections. A pair is touched by a fault when modern "
        f"itself answers otherwise than its sound twin, to the byte.\n\n{report(found, verdicts)}\n\n"
        f"{itself}\n\n{time.monotonic() - began:.0f} s in all.\n"
    )
    print(text)
    if wanted.write:
        results.write(SECTION, text)
    missed = sum(one.touched - one.found + one.wrong for one in found.values())
    alarmed = set(alike["php"][1]) != {"equal"} or "different" in alike["none"][1]
    return 1 if missed or alarmed or set(verdicts) != {"equal"} else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
