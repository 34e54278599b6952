from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import rules

ROOT = Path(__file__).parents[3]
EXAMPLES = [ROOT / "tests/data/contract-sample.yaml", ROOT / "proxy.yaml"]
EXAMPLES += sorted(path for path in (ROOT / "examples").rglob("*.yaml") if "backends:" in path.read_text())
VALIDATOR = jsonschema.Draft202012Validator(rules.json_schema())


def _plain(text: str) -> Any:
    """A file as JSON has it: an editor's YAML knows no dates, member names are text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(rules.json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_schema_accepts_an_example(path: Path) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(_plain(path.read_text()))]

    assert errors == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "backends: {legacy: {url: 'http://a'}}\nrutes: []",
        "backends: {legacy: {url: 'http://a', urls: ['http://b']}}",
        "backends: {legacy: {url: 'http://a', timeout: 5}}",
        "backends: {legacy: {url: 'http://a', max_connections: '5'}}",
        "backends: {}\nlisten: {limits: {header_bytes: 32KB}}",
        "backends: {}\nlisten: {workers: 0}",
        "backends: {}\nversion: 2",
        "backends: {}\nroutes: [{name: a}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a, methods: [get]}}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, rollout: {weight: '10'}}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, rollout: {weight: 101}}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, rollout: {weight: 1, steps: [{weight: 2}]}}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, rollout: {group: a, salt: b}}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, shadow: {sample: 5}}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, guard: off}]",
        "backends: {}\nroutes: [{name: a, match: {path: /a}, compare: {preset: symfony}}]",
    ],
)
def test_the_schema_refuses_what_loading_refuses(text: str) -> None:
    with pytest.raises(rules.ConfigError):
        rules.load(text, environ={})

    assert list(VALIDATOR.iter_errors(_plain(text)))


def test_variables_are_accepted_where_a_number_would_stand() -> None:
    text = (
        "backends: {a: {url: 'http://${H}', timeout: '${T}'}}\n"
        "routes: [{name: a, match: {path: /a}, rollout: {weight: '${W}'}}]"
    )

    assert list(VALIDATOR.iter_errors(_plain(text))) == []


def test_defaults_are_spelled_as_operators_spell_them() -> None:
    definitions = rules.json_schema()["$defs"]

    assert definitions["Backend"]["properties"]["timeout"]["default"] == "30s"
    assert definitions["Diffs"]["properties"]["max_bytes"]["default"] == "1GiB"
    assert definitions["Guard"]["properties"]["error_rate"]["default"] == "5%"
