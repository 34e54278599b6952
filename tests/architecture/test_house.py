"""Conventions of the source: every file has a docstring, stays small, and keeps names in one place."""

from __future__ import annotations

import ast
import re

from proxy.telemetry import events
from proxy.telemetry.metric_names import BY_NAME, METRICS
from tests.architecture.source import ROOMS, Module, modules

LONGEST = 450
LONGER: dict[str, str] = {
    "comparators/noise_rules.py": "learned rules beside what reads text by them: each in the other's words",
    "dashboards/grafana/dashboards.py": "every panel of the four dashboards, side by side",
    "comparators/self_noise.py": "one question: may this stand where legacy varies by itself",
    "proxy/ipc/messages.py": "every message that processes exchange, best read in one piece",
    "proxy/worker/client_connection.py": "one protocol: its callbacks share the state of a connection",
    "proxy/worker/connection_pool.py": "one story: targets, their addresses, the attempts to reach them, who waits",
    "proxy/worker/forwarding.py": "one story: a request's way there with every way it can go wrong",
    "rules/config/route_checks.py": "every check of one route, side by side",
    "rules/config/yaml_document.py": "the guard around YAML: every silent surprise it refuses, side by side",
    "rules/model.py": "the vocabulary of the whole house, best read in one piece",
}
"""Files that may be longer, each with its reason."""

SHORTEST = 60
SHORTER: dict[str, str] = {
    "rules/config/build_data.py": "the section of one process, apart from the rest of the file",
    "rules/bounded_cache.py": "one law of every cache on the path of a request",
    "rules/problems.py": "known to every check, knows none",
    "rules/secret_names.py": "the one module that pure rooms share",
    "comparators/custom.py": "the one place where code of an operator's is asked about a pair",
    "comparators/personal_data.py": "forms of mail addresses and account numbers, apart from names",
    "proxy/cli/data_commands.py": "declares a command whose parts are loaded when it is called",
    "proxy/cli/data_draft.py": "loads database drivers on demand",
    "proxy/cli/data_printing.py": "for people only; programs get the document",
    "proxy/control/api/data.py": "an area of the API by itself",
    "proxy/data/redaction.py": "the one place where rows of strangers become examples",
    "proxy/data/schedule.py": "pure: when what is due",
    "proxy/data/sqlite_functions.py": "what one database lacks",
    "proxy/supervisor/start.py": "what runs before the supervisor is imported",
    "proxy/ipc/verifying.py": "what one kind of child says",
    "proxy/judge/confinement.py": "what a judge gives up, apart from its work",
    "comparators/body_cost.py": "what is refused before it is read, whatever kind it is",
    "comparators/assets.py": "read by pages alone, with a rule of its own to be found by name",
    "comparators/jsonp.py": "a kind of body by itself",
    "comparators/one_sided.py": "searches what is not compared, apart from the walk that compares",
    "comparators/noise_bytes.py": "noise of bodies that are no text, apart from that of texts",
    "dashboards/retirement.py": "a part that a route's page and the migration report both show",
    "proxy/__main__.py": "the entry point: what it imports, every process pays for",
    "proxy/control/errors.py": "known to guard and actions, which know nothing of HTTP's layers",
    "proxy/control/api/backends.py": "an area of the API by itself",
    "proxy/control/effective.py": "the one answer to what users really meet",
    "proxy/control/hooks.py": "starts a process, which neither the loader nor check should know how to",
    "proxy/control/api/report.py": "an area of the API by itself: neither a route nor the configuration",
    "proxy/described_request.py": "shared by control, the command line and recorded traffic, part of none",
    "proxy/doctor/finding.py": "what every check returns; they know it and not each other",
    "proxy/doctor/modes.py": "one check a file, as the others",
    "proxy/http1/cookies.py": "a port that worker and control share",
    "proxy/http1/forwarded.py": "one field (RFC 7239) with a grammar of its own",
    "proxy/judge/hooks.py": "the program of a process of a moment",
    "proxy/judge/share.py": "a limit apart from what it limits",
    "proxy/state/laravel_cookie.py": "loads cryptography on demand",
    "proxy/telemetry/untranslated.py": "an observer by itself",
    "rules/token_bucket.py": "what three processes count with",
    "proxy/state/identity_keys.py": "keys from the environment, apart from values that travel between processes",
    "proxy/worker/caching.py": "reads a field (RFC 9111), decides nothing",
    "proxy/worker/retry_policy.py": "a decision apart from what acts on it",
    "proxy/worker/shadow/live_response.py": "the live side, known to observers, apart from copies",
    "rules/captured.py": "a value that rules and rewriting hand each other",
    "rules/methods.py": "a table of HTTP's methods",
    "rules/guard/analysis.py": "the one answer of the guard's rules: the worst of all checks",
}
"""Files that may be shorter, each with its reason; an `__init__.py` needs none."""


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
    assert [name for name in LONGER if lines.get(name, 0) <= LONGEST] == [], "needs no reason any more"


def test_a_file_is_worth_a_look():
    lines = {named(module): module.text.count("\n") for module in modules(*ROOMS) if module.path.name != "__init__.py"}

    assert {name: many for name, many in lines.items() if many < SHORTEST and name not in SHORTER} == {}, (
        "is it read without another file? then it belongs there"
    )
    assert [name for name in SHORTER if lines.get(name, SHORTEST) >= SHORTEST] == [], "needs no reason any more"


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
