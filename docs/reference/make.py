"""Writes the reference pages from what the program itself says: models, commands, metrics, events.

`make reference` writes them; a test fails when they are not what this would write.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
import yaml

from proxy.cli.app import app
from proxy.control.audit_log import CLOSED_LIST
from proxy.telemetry import events as telemetry_events
from proxy.telemetry.metric_names import METRICS
from rules.config import json_schema

HERE = Path(__file__).resolve().parent
FILE = """\
# proxy.yaml

<!-- Written by `make reference`. -->

Times are `250ms`, `5s`, `10m`, `1h`; sizes `64KiB`, `10MiB`; shares `5%` or `0.05`; weights percent, 0 to 100; 0 is
unlimited. `${NAME}` in a value comes from the environment, `$$` is a dollar. Process settings can be overridden from
there: `STRANGLER_LISTEN__ADDRESS`. `strangler check` says what is wrong with a file, with line and column;
`strangler config show` tells where each value came from.
"""
COMMANDS = """\
# Commands

<!-- Written by `make reference`. -->

Every command takes `-c/--config FILE` (default `proxy.yaml`) and `--json`, honours `NO_COLOR`, ends with 0 for yes, 1
for no, 2 for wrong usage or a broken file, 3 when the proxy cannot be reached.
"""
NUMBERS = """\
# Metrics

<!-- Written by `make reference`. -->

At `/metrics` of the admin port, in Prometheus' text or OpenMetrics. Seconds and bytes; the file bounds labels.

| metric | kind | labels | |
|---|---|---|---|
"""
EVENTS = """\
# Events

<!-- Written by `make reference`. -->

## The audit trail

What `strangler events` shows, `/api/v1/events` answers, webhooks are sent (`notify`): who changed what, when, why. It
is kept in the store, 10,000 events long.

| event | |
|---|---|
"""
LOG = """
## The log

JSON lines on standard error, the access lines on standard output; each has `ts`, `level`, `event`, `process`.

| event | |
|---|---|
"""
RULES = {
    "Compare": ("settings of compare that forgive",),
    "Preset": ("rules of preset: php",),
    "Equivalent": ("settings of compare.equivalent",),
}
TRAIL = {
    "rollback": "Everybody of a route was sent to legacy; by the guard with its evidence, or by a person.",
    "step_back": "The guard went to the step before (`on_breach: step_back`).",
    "advance": "A route entered its next step; by a person, or by itself when the step had baked.",
    "hold": "A route stays at its weight: a person said so, or the guard may not act (`rollback: forbidden`).",
    "resume": "A hold or a rollback was lifted.",
    "weight": "A person set the share.",
    "invariant": "A business rule does not hold, asked again included.",
    "reload": "Another configuration is live.",
    "config_refused": "The file is broken; the old configuration stays.",
    "trip": "A worker left modern by itself after failures in a row; the rollback follows.",
    "drill": "Somebody practised the way back.",
    "sessions_revoked": "Sessions of the console were ended, everybody's or those of one name.",
}
Node = dict[str, Any]


def pages() -> dict[str, str]:
    """Every page with its text."""
    return {
        "configuration.md": "".join(configuration()),
        "commands.md": "".join(commands()),
        "strangler.1": "".join(manual()),
        "metrics.md": "".join(metrics()),
        "events.md": "".join(events()),
    }


# ── proxy.yaml ──


def sections() -> dict[str, tuple[str, Node]]:
    """Every section by its name, with the place where it first stands; `defaults` repeats what routes say."""
    schema = json_schema()
    definitions = schema["$defs"]
    found: dict[str, tuple[str, Node]] = {}

    def visit(name: str, place: str, node: Node) -> None:
        if name in found:
            return
        found[name] = (place, node)
        for key, value in node.get("properties", {}).items():
            for inner, suffix in referred(value):
                if name != "Defaults":
                    visit(inner, f"{place}.{key}{suffix}".removeprefix("."), definitions[inner])

    visit("File", "", schema)
    return found


def referred(node: Node, suffix: str = "") -> Iterator[tuple[str, str]]:
    """The sections a value may be, each with what follows the key: `[]`, `.NAME`."""
    if "$ref" in node:
        yield node["$ref"].rpartition("/")[2], suffix
    for one in node.get("anyOf", ()):
        yield from referred(one, suffix)
    if "items" in node:
        yield from referred(node["items"], f"{suffix}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from referred(node["additionalProperties"], f"{suffix}.NAME")


def configuration() -> Iterator[str]:
    """The page of proxy.yaml."""
    meanings, rules = (yaml.safe_load((HERE / name).read_text()) for name in ("meanings.yaml", "rules.yaml"))
    yield FILE
    for name, (place, node) in sections().items():
        yield f"\n## {f'`{place}`' if place else 'The file'}\n\n"
        yield "| key | value | left out | |\n|---|---|---|---|\n"
        for key, value in node.get("properties", {}).items():
            required = key in node.get("required", ())
            default = "required" if required else spelled(value.get("default"))
            yield f"| `{key}` | {kind(value)} | {default} | {meanings[name][key]} |\n"
        for title in RULES.get(name, ()):
            yield from _rules(title, rules[title])


def _rules(title: str, rules: dict[str, list[str]]) -> Iterator[str]:
    yield f"\n### The {title}\n\nWhat each forgives is counted under its name.\n\n"
    yield "| rule | forgives | never |\n|---|---|---|\n"
    for rule, (forgives, never) in rules.items():
        yield f"| `{rule}` | {forgives} | {never} |\n"


def kind(node: Node) -> str:
    """What may be written."""
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return " ".join(f"`{one}`" for one in node["enum"])
    if "anyOf" in node:
        kinds = [kind(one) for one in node["anyOf"] if one.get("type") != "null" and one.get("pattern") != "\\$\\{"]
        return " or ".join(dict.fromkeys(each for each in kinds if each != "`0`"))
    if node.get("type") == "array":
        return f"a list of {kind(node['items'])}"
    pattern = node.get("pattern", "")
    named = {"ms|s": "a time", "KiB": "a size", "%": "a share"}
    by_pattern = next((name for part, name in named.items() if part in pattern), "")
    plain = {"string": "text", "boolean": "true or false", "number": "a number", "integer": "a number"}
    return by_pattern or plain.get(node.get("type", ""), "a mapping")


def spelled(value: object) -> str:
    """A default as the file would have it."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if not isinstance(value, list) else f"`[{', '.join(map(str, value))}]`"


# ── commands ──


def commands() -> Iterator[str]:
    """The page of the commands."""
    yield COMMANDS
    group = typer.main.get_command(app)
    yield from _commands(group, "strangler")


def _commands(group: Any, prefix: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
            continue
        arguments = [each.name.upper() for each in command.params if each.param_type_name == "argument"]
        yield f"\n## `{' '.join((prefix, name, *arguments))}`\n\n{(command.help or '').strip()}\n"
        rows = [
            each for each in command.params if each.param_type_name == "option" and each.name not in ("config", "json")
        ]
        if rows:
            yield "\n| option | |\n|---|---|\n"
        for option in rows:
            value = f" {option.metavar}" if option.metavar else ""
            yield f"| `{'`, `'.join(option.opts)}{value}` | {option.help or ''} |\n"


# ── manual page ──

MAN_HEAD = """\
.\\" Written by `make reference`.
.TH STRANGLER 1 "" "strangler-proxy" "User Commands"
.SH NAME
strangler \\- strangler-fig reverse proxy: routes, mirrors, compares and rolls back, endpoint by endpoint
.SH SYNOPSIS
.B strangler
.I COMMAND
[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]
.SH DESCRIPTION
Sends each endpoint to the legacy or to the modern side, as
.I proxy.yaml
says, and takes a route back when modern behaves worse.
.SH COMMON OPTIONS
.TP
\\fB\\-c\\fR, \\fB\\-\\-config\\fR \\fIFILE\\fR
The configuration file; left out: proxy.yaml in the present folder.
.TP
\\fB\\-\\-json\\fR
Print JSON for programs.
.SH COMMANDS
"""
MAN_TAIL = """\
.SH EXIT STATUS
0 for yes, 1 for no, 2 for wrong usage or a broken file, 3 when the proxy cannot be reached.
.SH ENVIRONMENT
.TP
STRANGLER_ADMIN_URL
Where the admin port is, as --admin.
.TP
STRANGLER_ADMIN_TOKEN, STRANGLER_VIEW_TOKEN
What proves to the admin port who asks.
.TP
NO_COLOR
Set: no colours.
.SH FILES
.TP
/etc/strangler/proxy.yaml
The configuration of the service.
.TP
/etc/strangler/environment
Its secrets; mode 0600.
"""


def manual() -> Iterator[str]:
    """The manual page, in the man macros of groff."""
    yield MAN_HEAD
    yield from _described(typer.main.get_command(app), "")
    yield MAN_TAIL


def _described(group: Any, prefix: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _described(command, f"{prefix}{name} ")
            continue
        arguments = [each.name.upper() for each in command.params if each.param_type_name == "argument"]
        yield f".SS {_roff(' '.join((prefix + name, *arguments)))}\n{_roff(' '.join((command.help or '').split()))}\n"
        for option in command.params:
            if option.param_type_name == "option" and option.name not in ("config", "json"):
                value = f" \\fI{_roff(option.metavar)}\\fR" if option.metavar else ""
                yield f".TP\n\\fB{_roff(', '.join(option.opts))}\\fR{value}\n{_roff(option.help or '')}\n"


def _roff(text: str) -> str:
    """Return text that groff prints as it is: no escape, no request at the start of a line."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


# ── metrics ──


def metrics() -> Iterator[str]:
    """The page of the metrics."""
    yield NUMBERS
    for metric in METRICS:
        labels = " ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind.partition('_')[0]} | {labels} | {metric.help} |\n"


# ── events ──


def events() -> Iterator[str]:
    """The page of the events."""
    yield EVENTS
    for name in CLOSED_LIST:
        yield f"| `{name}` | {TRAIL[name]} |\n"
    yield LOG
    for name, meaning in logged():
        yield f"| `{name}` | {meaning} |\n"


def logged() -> Iterator[tuple[str, str]]:
    """Every event of the log with the sentence that stands under its name."""
    body = ast.parse(Path(telemetry_events.__file__).read_text()).body
    for named, said in pairwise(body):
        match named, said:
            case ast.Assign(value=ast.Constant(value=str(name))), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (HERE / name).write_text(re.sub(r" +\n", "\n", text))


if __name__ == "__main__":
    main()
