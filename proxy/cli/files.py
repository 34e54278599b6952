"""Reads the configuration file for a command, prints what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import orjson

from proxy.operating.prepare import prepare
from proxy.state.live import Prepared
from rules.problems import ConfigError, Problem


def read(config: str, *, as_json: bool = False) -> Prepared | None:
    """Return the file ready to run, or None after its problems were printed."""
    try:
        return prepare(Path(config))
    except ConfigError as error:
        print_problems(error.problems, as_json=as_json)
        return None


def print_problems(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    """Print problems: for programs to standard output, for people to standard error."""
    if as_json:
        print_json({"problems": [asdict(problem) for problem in problems]})
        return
    for problem in problems:
        print(problem if problem.level == "error" else f"{problem} [{problem.level}]", file=sys.stderr)


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())
