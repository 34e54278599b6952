"""The habits of the house: files that introduce themselves, stay small, keep names in one place."""

from __future__ import annotations

import ast
import re

from proxy.telemetry import events
from proxy.telemetry.metric_names import BY_NAME, METRICS
from tests.architecture.source import ROOMS, Module, modules

LONGEST = 250
LONGER: dict[str, str] = {
    "rules/model.py": "the vocabulary of the whole house, best read in one piece",
    "comparators/row_values.py": "when two values mean the same: every rule of two databases, side by side",
    "rules/config/yaml_document.py": "the guard around YAML: every silent surprise it refuses, side by side",
    "rules/config/schema.py": "the file format as models, best read in one piece",
    "proxy/control/main.py": "one composition: everything that the control process consists of, in one place",
    "proxy/control/route_actions.py": "every verb there is, with the one way in which a change is made",
    "proxy/http1/request.py": "one pass over a head with every check beside it: a reader must see that none is missing",
    "proxy/ipc/messages.py": "every word that processes exchange, best read in one piece",
    "proxy/worker/response_relay.py": "one story: an answer on its way to the client",
    "proxy/worker/client_connection.py": "one protocol: its callbacks share the state of a connection",
    "proxy/worker/forwarding.py": "one story: a request's way there with every way it can go wrong",
    "proxy/worker/connection_pool.py": "one story: a connection's life between requests",
    "proxy/worker/upstream_connection.py": "one protocol: its callbacks share the state of a connection",
    "proxy/supervisor/process_manager.py": "one story: every event in the life of the children, in order",
}
"""Files that may be longer, each with its reason."""


MAY_NAME_METRICS = ("proxy.telemetry.metric_names", "dashboards.grafana")
"""Grafana's queries spell names out; tests/dashboards/test_boards.py holds them against the list."""


def named(module: Module) -> str:
    return str(module.path)


def test_a_file_says_its_job_in_one_sentence():
    # one test for all files: a thousand small ones cost more to arrange than to run
    first = {named(module): (ast.get_docstring(module.tree) or "").partition("\n")[0] for module in modules(*ROOMS)}

    assert {name: line for name, line in first.items() if not re.search(r"[.:?]$", line)} == {}


def test_a_file_can_be_read_before_the_tea_is_cold():
    lines = {named(module): module.text.count("\n") for module in modules(*ROOMS)}

    assert {name: many for name, many in lines.items() if many > LONGEST and name not in LONGER} == {}, (
        "look for the second idea inside"
    )


def test_metric_names_live_in_one_file():
    elsewhere = {
        str(module.path): text
        for module in modules("proxy", "rules", "dashboards")
        for text in _strings(module)
        if text in BY_NAME and not module.name.startswith(MAY_NAME_METRICS)
    }

    assert elsewhere == {}


def test_metric_names_say_their_unit():
    wrong = [
        metric.name
        for metric in METRICS
        if not metric.name.startswith("strangler_") or (metric.kind == "counter") != metric.name.endswith("_total")
    ]

    assert wrong == []
    assert len(BY_NAME) == len(METRICS)


def test_event_names_live_in_one_file_and_are_told_apart():
    told = [
        f"{module.path}:{call.lineno}"
        for module in modules("proxy")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and _is_tell(call.func) and call.args and _is_text(call.args[0])
    ]
    known = [value for name, value in vars(events).items() if name.isupper()]

    assert told == []
    assert len(set(known)) == len(known)


def _strings(module: Module) -> set[str]:
    return {
        node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _is_text(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Constant) and isinstance(argument.value, str)


def _is_tell(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("tell", "_tell")
