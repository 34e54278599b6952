"""The options of the bench's command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.backends import SIZES

ROUNDS, SECONDS = 5, 3
QUICK_ROUNDS, QUICK_SECONDS, QUICK_SIZES = 2, 1, ("1k",)
SECTION = "peers"


@dataclass(frozen=True, slots=True)
class Options:
    """How often, how long, what, beside whom; `section` is its section in bench/RESULTS.md, if any."""

    rounds: int
    seconds: int
    sizes: tuple[str, ...]
    only: tuple[str, ...]
    memory: bool
    section: str | None
    trees: dict[str, Path]
    commands: dict[str, str]


def parse(arguments: Sequence[str]) -> Options:
    """Return the options, or exit with an explanation."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="The proxy beside its peers, in one run.")
    parser.add_argument("--rounds", type=_count, help=f"visits to each proxy (default {ROUNDS})")
    parser.add_argument("--seconds", type=_count, help=f"of load for each size in each visit (default {SECONDS})")
    parser.add_argument("--sizes", type=_sizes, help=f"of answers, of {','.join(SIZES)} (default all)")
    parser.add_argument("--only", default="", metavar="A,B", help="rows by the beginning of their name, any case")
    parser.add_argument("--quick", action="store_true", help="under 90 seconds: to see that it works, not to conclude")
    parser.add_argument("--no-memory", action="store_true", help="leave the memory table out")
    parser.add_argument(
        "--write", nargs="?", const=SECTION, metavar="SECTION", help="put the tables into bench/RESULTS.md"
    )
    parser.add_argument(
        "--tree", type=_pair, action="append", default=[], metavar="NAME=FOLDER", help="also our proxy from FOLDER"
    )
    parser.add_argument(
        "--command",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="also another proxy; {port}, {a}, {b} in COMMAND are where to listen, the two backends",
    )
    found = parser.parse_args(arguments)
    return Options(
        rounds=found.rounds or (QUICK_ROUNDS if found.quick else ROUNDS),
        seconds=found.seconds or (QUICK_SECONDS if found.quick else SECONDS),
        sizes=found.sizes or (QUICK_SIZES if found.quick else tuple(SIZES)),
        only=tuple(name.strip().lower() for name in found.only.split(",") if name.strip()),
        memory=not found.no_memory,
        section=found.write,
        trees={name: Path(folder).resolve() for name, folder in found.tree},
        commands=dict(found.command),
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _sizes(text: str) -> tuple[str, ...]:
    sizes = tuple(size.strip().lower() for size in text.split(","))
    if unknown := [size for size in sizes if size not in SIZES]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(SIZES)}")
    return sizes


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
