from __future__ import annotations

import subprocess
import sys

import pytest

import rules


def test_a_process_that_only_decides_imports_neither_yaml_nor_pydantic() -> None:
    program = "import rules, sys; print([m for m in ('yaml', 'pydantic', 'rules.config') if m in sys.modules])"

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("first", ["import rules.config.units", "from rules.config import load", "import rules"])
def test_load_is_a_function_whatever_was_imported_first(first: str) -> None:
    program = (
        f"{first}\nimport rules\nprint(rules.load('backends: {{legacy: {{url: http://a}}}}', environ={{}}).digest)"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert len(told.stdout.strip()) == 12


def test_every_public_name_is_there() -> None:
    missing = [name for name in rules.__all__ if not hasattr(rules, name)]

    assert missing == []


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'judge_me'"):
        rules.judge_me  # noqa: B018 - asking is the test
