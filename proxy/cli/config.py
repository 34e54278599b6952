"""Commands about the configuration: run, check, plan, explain, config show, reload, what-if."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from dashboards.html import count
from proxy.cli.admin_client import Client, Reply, client
from proxy.cli.common import print_json, print_problems, progress, read
from proxy.control.config_loader import known_sticky_key, prepare
from proxy.described_request import facts_of, meets_strangers
from proxy.doctor.other_users import users_here
from proxy.ipc.internal_commands import command, environment
from proxy.settings import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError, is_legacy_only, why_unread
from proxy.state.identity_keys import keys_from
from rules.problems import ConfigError, Problem
from rules.routing.decide import generation
from rules.routing.explain import explain as explained


def run(config: str, workers: int | None, *, as_json: bool) -> int:
    """Replace this process by the supervisor, which needs none of what the command line needs.

    `as_json` changes nothing: the ready line is the only one printed, events are JSON off a terminal.
    """
    del as_json
    sys.stdout.flush()
    os.execve(sys.executable, command("supervise", config, str(workers or "")), environment())  # noqa: S606


# `strangler check`: validates the file.


def check(config: str, *, as_json: bool) -> int:
    """Print every problem of the file; 0 when it may run, with or without warnings."""
    try:
        prepared = prepare(Path(config), users=users_here(absent=False))
    except ConfigError as error:
        print_problems(error.problems, as_json=as_json)
        return EXIT_USAGE
    snapshot = prepared.snapshot
    if as_json:
        warnings = [asdict(warning) for warning in prepared.warnings]
        print_json({"problems": warnings, "digest": snapshot.digest, "routes": len(snapshot.routes)})
        return EXIT_YES
    print_problems(prepared.warnings)
    routes, backends = count(len(snapshot.routes), "route"), count(len(snapshot.backends), "backend")
    print(f"{config}: {routes}, {backends}, digest {snapshot.digest}")
    return EXIT_YES


def schema() -> int:
    """Print the JSON Schema of the file, for editors."""
    from rules.config import json_schema

    print_json(json_schema())
    return EXIT_YES


# `strangler check --against`: what the file would change in a running proxy.


_API = "/api/v1/plan"


def plan(config: str, admin: str, *, as_json: bool) -> int:
    """Print the plan; 2 when the running proxy would refuse the file. It is read here, judged there."""
    try:
        text = _read(config)
    except ConfigError as error:
        print_problems(error.problems, as_json=as_json)
        return EXIT_USAGE
    reply = client(config, admin).post(_API, {"config": text})
    if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY and "problems" in reply.body:
        problems = [Problem(**{**problem, "file": _named(problem, config)}) for problem in reply.body["problems"]]
        print_problems(problems, as_json=as_json)
        return EXIT_USAGE
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy does not report what would change")))
    if as_json:
        print_json(reply.body)
    else:
        _print_plan(reply.body)
    return EXIT_YES


def _read(config: str) -> str:
    try:
        return Path(config).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError((Problem(config, 1, 1, f"cannot be read: {why_unread(error)}"),)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((Problem(config, 1, 1, "is not UTF-8"),)) from error


def _named(problem: Mapping[str, Any], config: str) -> str:
    """The proxy speaks of its own file; the one that was read here is meant. A variable keeps its name."""
    file = str(problem["file"])
    return config if "/" in file else file


def _print_plan(body: Mapping[str, Any]) -> None:
    print_problems(Problem(**warning) for warning in body["warnings"])
    changed = [route for route in body["routes"] if route["change"] != "same"]
    for route in changed:
        print(f"{route['name']}: {route['change']}, weight {_weight(route['weight'])}; {_users(route['users'])}")
        for sentence in route["what"]:
            print(f"  {sentence}")
    for sentence in body["settings"]:
        print(sentence)
    if not changed and not body["settings"]:
        print("nothing would change")
    if body.get("applied"):
        hint = "the proxy runs this very file already; to plan an edit, plan a copy with -c before you save it there"
        print(hint, file=sys.stderr)


def _weight(weight: Mapping[str, float | None]) -> str:
    before, after = ("none" if value is None else f"{value:g} %" for value in (weight["before"], weight["after"]))
    return before if before == after else f"{before} → {after}"


def _users(users: Mapping[str, Any]) -> str:
    """Say who switches, as a number of all the users there are."""
    sampled, estimated = users["sampled"], users["estimated"]
    if not sampled:
        return "no users seen lately"
    about = "" if sampled == estimated else "about "
    parts = [
        f"{about}{round(users[f'to_{side}'] * estimated / sampled)} to {side}"
        for side in ("modern", "legacy")
        if users[f"to_{side}"]
    ]
    seen = f"{about}{estimated} recent users"
    if users["of"] == "all":
        seen += " of other routes (its own are not known)"
    return f"{' and '.join(parts) or 'no user switches'}, of {seen}"


# `strangler config show`: the effective configuration with the origin of each value.


def config_show(config: str, *, as_json: bool) -> int:
    """Print each setting as the file would spell it, with where it came from."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    from rules.config import effective

    settings = effective(Path(config).read_text(encoding="utf-8-sig"), config)
    if as_json:
        print_json([asdict(setting) for setting in settings])
        return EXIT_YES
    print_problems(prepared.warnings)
    width = max(len(setting.path) for setting in settings)
    for setting in settings:
        print(f"{setting.path:<{width}}  {_spelled(setting.value)}  # {setting.origin}")
    return EXIT_YES


def _spelled(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


# `strangler reload`: has the running proxy read its file again.


def reload(config: str, admin: str, *, wait: bool, as_json: bool) -> int:
    """Ask for the reload; with `wait` the outcome is the exit code: 2 for a broken file."""
    proxy = client(config, admin)
    reply = proxy.post("/api/v1/reload", {"wait": wait})
    if as_json:
        print_json({**reply.body, "proxy": proxy.url})
    else:
        _print_reload(proxy, reply)
    if reply.ok:
        return EXIT_YES
    return EXIT_USAGE if "problems" in reply.body else EXIT_NO


def _print_reload(proxy: Client, reply: Reply) -> None:
    body = reply.body
    problems = [Problem(**problem) for problem in (*body.get("problems", ()), *body.get("warnings", ()))]
    print_problems(problems)
    if not reply.ok:
        print(f"{body.get('detail', 'refused')} (digest {body.get('digest', 'unknown')}, {proxy.url})")
        return
    if body["outcome"] == "accepted":
        print(f"asked for; status shows the outcome ({proxy.url})")
        return
    print(f"{body['outcome']}: digest {body['digest']}, generation {body['generation']} ({proxy.url})")
    if body["needs_restart"]:
        print(f"waiting for a restart: {', '.join(body['needs_restart'])}")


# `strangler explain`: where a request would go, and why.


_EVEN_DRAW = 0.5


def explain(config: str, method: str, path: str, headers: list[str], user: str | None, *, as_json: bool) -> int:
    """Print the decision for one request under the file; nothing of a running proxy is looked at."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    pairs = [(name.strip(), value.strip()) for name, _, value in (header.partition(":") for header in headers)]
    running = generation(0, prepared.snapshot, {}, is_legacy_only(os.environ))
    keys = keys_from(os.environ, Path(config).absolute().parent, known_sticky_key(prepared.snapshot.store, config))
    facts = facts_of(running, method, path, pairs, user, keys=keys)
    fresh = meets_strangers(running, keys, user)
    answer = asdict(explained(running, facts, draw=_EVEN_DRAW, fresh=fresh))
    if as_json:
        print_json(answer)
    else:
        _print_explanation(answer)
    return EXIT_YES


def _print_explanation(answer: dict[str, Any]) -> None:
    for name, value in answer.items():
        if name != "trail":
            print(f"{name:<9} {'-' if value is None else value}")
    print("trail")
    for step in answer["trail"]:
        print(f"  {step}")


# `strangler check --against LOG`: where recorded requests would go under the file.


def yesterday(config: str, log: str, *, as_json: bool) -> int:
    """Print what the file makes of every request of `log`."""
    # with what replays and compares: as much again as every other command of this file has to load
    from proxy.cli.recordings import each, path_of, unread
    from proxy.traffic.reader import Recording
    from proxy.traffic.what_if import Yesterday

    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    found = Yesterday(generation(0, prepared.snapshot, {}, is_legacy_only(os.environ)))
    with progress(f"reading {Path(log).name}") as told:
        recording = Recording(path_of(log), told)
        each(recording, found.add_request)
    unread(recording)
    if as_json:
        print_json(found.document() | {"unreadable": recording.unreadable})
        return EXIT_YES
    print_problems(prepared.warnings)
    _print_what_if(found.document())
    return EXIT_YES


def _print_what_if(told: Mapping[str, Any]) -> None:
    print(f"{'route':<28} {'requests':>9} {'modern':>7} {'changed':>8} {'mirrored':>9} {'users':>7} {'switch':>7}")
    for route in told["routes"]:
        print(
            f"{route['name']:<28} {route['requests']:>9} {route['to_modern']:>7.1%} {route['changed']:>8.1%} "
            f"{route['mirrored']:>9.1%} {route['users']:>7} {route['switching']:>7}"
        )
    if any(route["before"] != "known" for route in told["routes"] if route["requests"]):
        print("the log does not say who answered: it is taken for legacy")
    if told["stand_ins"]:
        print(f"{told['stand_ins']} requests name no user: one address with one agent stands for one")
    if told["unmatched"]:
        print("no route takes")
        for one in told["unmatched"]:
            print(f"  {one['requests']:>8} {one['method']} {one['path'][:100]}")
