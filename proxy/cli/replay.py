"""`strangler replay`: recorded requests put to both sides, compared; pairs kept, judged again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proxy.cli.files import print_json, print_problems, read
from proxy.cli.progress import progress
from proxy.cli.recordings import RecordingError, path_of, unread
from proxy.errors import EXIT_NO, EXIT_USAGE, EXIT_YES
from proxy.state.live import Prepared
from proxy.traffic.reader import Recording, UnreadableError
from proxy.traffic.replay import Replay, Results, Wish
from proxy.traffic.replay_archive import Judge, Keeper, pairs
from proxy.traffic.replay_client import Sides

_SHOWN = 20


def replay(
    config: str, file: str, headers: Sequence[str], wish: Wish, *, unsafe: bool, out: str, state: str, as_json: bool
) -> int:
    """Replay `file`, print what was found; 0 when something was compared and all of it agreed."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    source = path_of(file)
    if not as_json:
        print_problems(prepared.warnings)
    judge = _judge(config, prepared)
    keeper = _keeper(out, judge) if out else None
    own = [(name.strip(), value.strip()) for name, _, value in (header.partition(":") for header in headers)]
    try:
        results, recording = asyncio.run(
            _run(Path(config).absolute().parent, prepared, source, own, judge, wish, keeper, state=state, unsafe=unsafe)
        )
    except UnreadableError as error:
        raise RecordingError(str(error)) from error
    except OSError as error:
        raise RecordingError(f"{error.filename or file}: {error.strerror or error}") from error
    finally:
        if keeper is not None:
            keeper.close()
    unread(recording)
    return _tell(results, as_json=as_json)


def rejudge(config: str, file: str, *, as_json: bool) -> int:
    """Judge the pairs that `replay --out` kept, by the file as it is now."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    judge, results = _judge(config, prepared), Results()
    try:
        for route, legacy, modern in pairs(path_of(file)):
            comparison, broken = judge.compare(route, legacy, modern)
            results.compared(route, comparison, comparison.findings, f"{legacy.method} {legacy.path}")
            results.invariants.update(f"{route}: {name}" for name in broken)
    except UnreadableError as error:
        raise RecordingError(str(error)) from error
    return _tell(results, as_json=as_json)


def _judge(config: str, prepared: Prepared) -> Judge:
    return Judge(prepared.snapshot, Path(config).absolute().parent, secrets.token_bytes(32))


def _keeper(out: str, judge: Judge) -> Keeper:
    try:
        return Keeper(Path(out), judge.redactors)
    except OSError as error:
        raise RecordingError(f"{out}: cannot be written: {error.strerror}") from error


async def _run(
    base: Path,
    prepared: Prepared,
    source: Path,
    headers: Sequence[tuple[str, str]],
    judge: Judge,
    wish: Wish,
    keeper: Keeper | None,
    *,
    state: str,
    unsafe: bool,
) -> tuple[Results, Recording]:
    with progress(f"replaying {source.name}") as told:
        recording = Recording(source, told)
        async with Sides(prepared.snapshot, base, headers, unsafe=unsafe) as sides:
            running = Replay(sides, judge, wish, keeper=keeper, state=Path(state) if state else None)
            await running.run(recording)
    return running.results, recording


def _tell(results: Results, *, as_json: bool) -> int:
    document = results.document()
    if as_json:
        print_json(document)
    else:
        _print(document)
    return EXIT_YES if results.clean else EXIT_NO


def _print(document: dict[str, Any]) -> None:
    for route, counts in document["routes"].items():
        print(f"{route}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}")
    for title in ("not_compared", "skipped", "failed", "invariants"):
        for reason, count in sorted(document[title].items(), key=lambda pair: -pair[1]):
            print(f"{title.replace('_', ' ')}: {count} x {reason}")
    for group in document["groups"][:_SHOWN]:
        print(f"{group['id']}  {group['route']}  {group['path'] or '(root)'}  {group['kind']}  x {group['count']}")
        for example in group["examples"][:1]:
            print(f"    {example['request']}: {example['legacy'] or '-'} → {example['modern'] or '-'}")
    if document["findings_cut"]:
        print(f"{document['findings_cut']} findings more, of differences that are too many to list")
    if not document["routes"]:
        print("nothing was compared")
