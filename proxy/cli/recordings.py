"""Commands about recorded traffic: init, replay, export."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashboards.html import count
from proxy.cli.admin_client import reachable
from proxy.cli.common import UnknownRouteError, print_json, print_problems, progress, read, unknown
from proxy.cli.data_draft import data_section
from proxy.settings import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError, parse_address
from proxy.state.live import Prepared
from proxy.traffic.draft import Draft, Operation, draft, operations
from proxy.traffic.draft_file import written
from proxy.traffic.endpoints import Endpoints
from proxy.traffic.reader import Recorded, Recording, UnreadableError
from proxy.traffic.replay import Replay, Results, Wish
from proxy.traffic.replay_archive import WRITERS, Judge, PairWriter, pairs
from proxy.traffic.replay_client import Sides


class RecordingError(ProxyError):
    """The file cannot be read, or holds no requests."""

    exit_code = EXIT_USAGE


def each(recording: Recording, take: Callable[[Recorded], None]) -> None:
    """Hand every request of `recording` to `take`; RecordingError when there is none."""
    try:
        for recorded in recording:
            take(recorded)
    except OSError as error:
        raise RecordingError(f"{recording.path}: cannot be read: {error.strerror or error}") from error
    except UnreadableError as error:
        raise RecordingError(str(error)) from error


def unread(recording: Recording) -> None:
    """Say on standard error how many lines were no requests, with the first of them."""
    if recording.unreadable:
        print(f"{recording.path}: {recording.unreadable} lines could not be read, such as", file=sys.stderr)
        for number, why in recording.examples:
            print(f"{recording.path}:{number}: {why}", file=sys.stderr)


def path_of(name: str) -> Path:
    """The file that an argument names; RecordingError when there is none."""
    path = Path(name)
    if not path.is_file():
        raise RecordingError(f"{name}: there is no such file")
    return path


# `strangler init`: a first configuration from what the traffic or the new API looks like.


class NothingToGoByError(ProxyError):
    """Neither traffic nor an API was named."""

    exit_code = EXIT_USAGE


class ThereAlreadyError(ProxyError):
    """A file that may be written by hand stands where the draft would go."""

    exit_code = EXIT_USAGE


def init(
    config: str,
    access_log: str,
    openapi: str,
    databases: Sequence[str] = (),
    *,
    sides: Mapping[str, str],
    force: bool,
    as_json: bool,
) -> int:
    """Write the draft to `config` with the schema for editors beside it, print what it could not decide."""
    from rules.config import json_schema

    if not access_log and not openapi and not databases:
        raise NothingToGoByError("name what to go by: --access-log FILE, --openapi FILE or both, or --database")
    if Path(config).exists() and not force:
        raise ThereAlreadyError(f"{config} is there already; choose another with -c, or overwrite it with --force")
    data, open_ends = data_section(databases, os.environ) if databases else ("", ())
    offered = _operations(openapi) if openapi else ()
    traffic = _traffic(access_log) if access_log else None
    made = draft(traffic, offered) if access_log or openapi else Draft()
    made = replace(made, undecided=[*made.undecided, *open_ends])
    names = [Path(name).name for name in (access_log, openapi) if name] or ["both databases"]
    schema = Path(config).with_suffix(".schema.json")
    _put(schema, json.dumps(json_schema(), indent=2) + "\n")
    text = written(
        made, source=" and ".join(names), legacy=sides["legacy"], modern=sides["modern"], schema=f"./{schema.name}"
    )
    _put(Path(config), text + data)
    _print_draft(config, made, traffic, as_json=as_json)
    return EXIT_YES


def _operations(name: str) -> tuple[Operation, ...]:
    try:
        return operations(path_of(name))
    except (UnreadableError, OSError) as error:
        raise RecordingError(str(error)) from error


def _traffic(name: str) -> Endpoints:
    traffic = Endpoints()
    with progress(f"reading {Path(name).name}") as told:
        recording = Recording(path_of(name), told)
        each(recording, traffic.add_request)
    unread(recording)
    return traffic


def _put(path: Path, text: str) -> None:
    """Write beside, then rename: a full disk leaves what was there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written: {error.strerror}") from error


def _print_draft(config: str, made: Draft, traffic: Endpoints | None, *, as_json: bool) -> None:
    if as_json:
        requests = traffic.requests if traffic is not None else 0
        routes = [{"name": route.name, "path": route.path, "modern": route.modern} for route in made.routes]
        print_json({"file": config, "requests": requests, "routes": routes, "undecided": made.undecided})
        return
    seen = f" from {count(traffic.requests, 'request')}" if traffic is not None else ""
    print(f"{config}: {count(len(made.routes), 'route')}{seen}, every weight 0")
    if made.undecided:
        print("not decided:")
        for sentence in made.undecided:
            print(f"  {sentence}")
    print(f"next: strangler check -c {config}", file=sys.stderr)


# `strangler replay`: recorded requests put to both sides, compared; pairs kept, judged again.


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
    names = [route.name for route in prepared.snapshot.routes]
    if wish.only and wish.only not in names:
        raise UnknownRouteError(unknown(wish.only, names, config))
    judge = _judge(config, prepared)
    pair_writer = _pair_writer(out, judge) if out else None
    own = [(name.strip(), value.strip()) for name, _, value in (header.partition(":") for header in headers)]
    try:
        results, recording = asyncio.run(
            _run(
                Path(config).absolute().parent,
                prepared,
                source,
                own,
                judge,
                wish,
                pair_writer,
                state=state,
                unsafe=unsafe,
            )
        )
    except UnreadableError as error:
        raise RecordingError(str(error)) from error
    except OSError as error:
        raise RecordingError(f"{error.filename or file}: {error.strerror or error}") from error
    finally:
        if pair_writer is not None:
            pair_writer.close()
    unread(recording)
    return _print_results(results, as_json=as_json)


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
            results.answered(route, legacy.status, modern.status)
            results.invariants.update(f"{route}: {name}" for name in broken)
    except UnreadableError as error:
        raise RecordingError(str(error)) from error
    return _print_results(results, as_json=as_json)


def _judge(config: str, prepared: Prepared) -> Judge:
    return Judge(prepared.snapshot, Path(config).absolute().parent, secrets.token_bytes(32))


def _pair_writer(out: str, judge: Judge) -> PairWriter:
    try:
        return PairWriter(Path(out), judge.redactors)
    except OSError as error:
        raise RecordingError(f"{out}: cannot be written: {error.strerror}") from error


async def _run(
    base: Path,
    prepared: Prepared,
    source: Path,
    headers: Sequence[tuple[str, str]],
    judge: Judge,
    wish: Wish,
    pair_writer: PairWriter | None,
    *,
    state: str,
    unsafe: bool,
) -> tuple[Results, Recording]:
    with progress(f"replaying {source.name}") as told:
        recording = Recording(source, told)
        async with Sides(prepared.snapshot, base, headers, unsafe=unsafe) as sides:
            running = Replay(sides, judge, wish, pair_writer=pair_writer, state=Path(state) if state else None)
            await running.run(recording)
    return running.results, recording


def _print_results(results: Results, *, as_json: bool) -> int:
    document = results.document()
    if as_json:
        print_json(document)
    else:
        _print(document)
    return EXIT_YES if results.clean else EXIT_NO


def _print(document: dict[str, Any]) -> None:
    for route, counts in document["routes"].items():
        classes = sorted(document["statuses"].get(route, {}).items(), key=lambda pair: (-pair[1], pair[0]))
        statuses = f"; answered {', '.join(f'{times} x {name}' for name, times in classes)}" if classes else ""
        print(f"{route}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}{statuses}")
    for route in document["unproved"]:
        print(f"{route}: refusals and redirects alone were compared: no credentials? give them with -H 'Cookie: …'")
    for title in ("not_compared", "skipped", "failed", "invariants"):
        for reason, times in sorted(document[title].items(), key=lambda pair: -pair[1]):
            print(f"{title.replace('_', ' ')}: {times} x {reason}")
    for group in document["groups"][:_SHOWN]:
        print(f"{group['id']}  {group['route']}  {group['path'] or '(root)'}  {group['kind']}  x {group['count']}")
        for example in group["examples"][:1]:
            print(f"    {example['request']}: {example['legacy'] or '-'} → {example['modern'] or '-'}")
    if document["findings_cut"]:
        print(f"{document['findings_cut']} findings more, of differences that are too many to list")
    if not document["routes"]:
        print("nothing was compared")


# `strangler export`: one recorded request for curl, an editor, a test.


_LISTENS = "http://127.0.0.1:8080"


def export(config: str, file: str, line: int, form: str, origin: str, *, as_json: bool) -> int:
    """Print request `line` of `file` in `form`, for `origin` or for the proxy that `config` describes."""
    writer = WRITERS.get(form)
    if writer is None:
        raise RecordingError(f"{form}: one of {', '.join(WRITERS)} is expected")
    where = origin or _listening(config, as_json=as_json)
    if where is None:
        return EXIT_USAGE
    try:
        found = next((recorded for recorded in Recording(path_of(file)) if recorded.line >= line), None)
    except (UnreadableError, OSError) as error:
        raise RecordingError(str(error)) from error
    if found is None or found.line != line:
        raise RecordingError(f"{file}: there is no request in line {line}")
    text = writer(found, where.rstrip("/"))
    if as_json:
        print_json({"form": form, "text": text})
    else:
        print(text, end="")
    return EXIT_YES


def _listening(config: str, *, as_json: bool) -> str | None:
    """Return where users reach the proxy; None after the problems of a broken file were printed."""
    if not Path(config).exists():
        return _LISTENS
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return None
    listen = prepared.snapshot.listen
    address = parse_address(listen.address, Path(config).absolute().parent)
    # a request for another tool needs a host: that of a Unix socket is the proxy in front's
    if address.path:
        return _LISTENS
    return reachable(address).url("https" if listen.tls else "http")
