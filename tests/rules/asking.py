"""Small requests and files for tests of the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

import rules
from rules.model import Facts, Override, Snapshot
from rules.routing.decide import Generation

BACKENDS = """\
backends:
  legacy: {url: "http://127.0.0.1:9001"}
  modern: {url: "http://127.0.0.1:8000"}
identity: [cookie:uid]
"""


def facts(
    method: str = "GET",
    target: str = "/a",
    *,
    headers: Mapping[str, str] | None = None,
    user: str | None = None,
    trusted: bool = False,
    unhealthy: Sequence[str] = (),
) -> Facts:
    """What a decision may look at, of a request with this target."""
    path, mark, query = target.partition("?")
    fields = {name.lower(): value for name, value in (headers or {}).items()}
    return Facts(
        method=method,
        path=path,
        query=query if mark else None,
        host=fields.get("host", "example.com"),
        header=fields.get,
        user=lambda: user,
        trusted=trusted,
        unhealthy=frozenset(unhealthy),
    )


def snapshot(*routes: Mapping[str, Any], above: str = BACKENDS) -> Snapshot:
    """The file with these routes."""
    return rules.load(above + yaml.safe_dump({"routes": list(routes)}), environ={})


def generation(
    *routes: Mapping[str, Any], set_at_run_time: Sequence[Override] = (), legacy_only: bool = False
) -> Generation:
    """The file with these routes, running."""
    overrides = {override.route: override for override in set_at_run_time}
    return rules.generation(1, snapshot(*routes), overrides, legacy_only)


def route(path: str = "/a", name: str = "a", **sections: Any) -> dict[str, Any]:
    """One route as in the file."""
    return {"name": name, "match": {"path": path}, **sections}


def problems(text: str, environ: Mapping[str, str] | None = None) -> tuple[rules.Problem, ...]:
    """Everything that is said about a file."""
    try:
        return rules.load_with_warnings(text, environ=environ or {})[1]
    except rules.ConfigError as error:
        return error.problems
