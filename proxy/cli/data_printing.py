"""Prints what verifying both databases found, for people."""

from __future__ import annotations

import sys
from typing import Any

_STATES = {"missing_legacy": "missing in legacy", "missing_modern": "missing in modern", "different": "differs"}


def print_outcome(document: dict[str, Any]) -> None:
    """Print tables, checks, what failed, and one line of what it comes to."""
    for warning in document["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    for table in document["tables"]:
        _print_table(table)
    for check in document["checks"]:
        reason = f": {check['reason']}" if check["reason"] else ""
        figures = f"  legacy {check['legacy']}, modern {check['modern']}" if check["legacy"] or check["modern"] else ""
        print(f"check {check['name']}: {check['state'].replace('_', ' ')}{figures}{reason}")
    for failure in document["failures"]:
        print(f"{failure['table']}: not verified: {failure['reason']}", file=sys.stderr)
    print(_summary(document))


def _summary(document: dict[str, Any]) -> str:
    if document["stopped"]:
        return "stopped; the next run goes on behind what is done"
    if document["failures"]:
        again = " the next run goes on behind what is done" if document["exit"] == 3 else ""  # noqa: PLR2004 - unreachable
        return (
            f"{len(document['failures'])} of {len(document['failures']) + len(document['tables'])} not verified;{again}"
        )
    return "both hold the same" if document["exit"] == 0 else "they differ"


def _print_table(table: dict[str, Any]) -> None:
    rows = table["rows"]
    what = "rows" if table["full"] else "changed rows"
    apart = f"{rows['missing_legacy']:,} missing in legacy, {rows['missing_modern']:,} missing in modern"
    print(f"{table['table']}: {rows['compared']:,} {what} compared, {rows['equal']:,} equal,")
    print(f"  {rows['different']:,} different, {apart}")
    if table["settled"]:
        print(f"  in flight: {table['settled']:,} rows differed at first and were alike when read again")
    if table["by_column"]:
        print("  by column: " + ", ".join(f"{name} {count:,}" for name, count in table["by_column"].items()))
    if table["forgiven"]:
        print("  by rule: " + ", ".join(f"{name} {count:,}" for name, count in table["forgiven"].items()))
    for example in table["examples"]:
        print(f"  {example['key']}: {_STATES[example['state']]}")
        for column in example["columns"]:
            print(f"    {column['name']}: {column['legacy']} → {column['modern']}")
    for total in table["totals"]:
        group = f" {total['group']}" if total["group"] else ""
        print(f"  {total['what']}{group}: {total['legacy']} → {total['modern']}")
    for note in table["notes"]:
        print(f"  note: {note}")
    if table["look"]:
        print(f"  look at it: legacy> {table['look']['legacy']}\n              modern> {table['look']['modern']}")
