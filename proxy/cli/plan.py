"""`strangler check --against`: what the file would change in a running proxy."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from proxy.cli.client import client
from proxy.cli.files import print_json, print_problems
from proxy.errors import EXIT_USAGE, EXIT_YES, ProxyError
from rules.problems import ConfigError, Problem

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
        raise ProxyError(str(reply.body.get("detail", "the proxy cannot tell what would change")))
    if as_json:
        print_json(reply.body)
    else:
        _print(reply.body)
    return EXIT_YES


def _read(config: str) -> str:
    try:
        return Path(config).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError((Problem(config, 1, 1, f"cannot be read: {error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((Problem(config, 1, 1, "is not UTF-8"),)) from error


def _named(problem: Mapping[str, Any], config: str) -> str:
    """The proxy speaks of its own file; the one that was read here is meant. A variable keeps its name."""
    file = str(problem["file"])
    return config if "/" in file else file


def _print(body: Mapping[str, Any]) -> None:
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
    return f"{' and '.join(parts) or 'nobody switches'}, of {seen}"
