"""A `compare:` mapping is read as an operator writes it, and refused where it contains something unknown."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from comparators import Policy
from comparators.paths import Ignored
from comparators.policy import EQUIVALENCES, PHP_RULES
from rules.config.schema_compare import Compare, Equivalent, Preset
from tests.support.tables import cases


def test_everything_may_be_left_out():
    assert Policy.from_mapping({}).rules == frozenset()
    assert Policy.from_mapping(dict.fromkeys(["preset", "ignore", "map", "custom", "legacy_timezone"])).known == ()


def test_the_preset_in_short_and_in_full():
    assert Policy.from_mapping({"preset": "php"}).rules == set(PHP_RULES)
    assert Policy.from_mapping({"preset": {"name": "php", "except": ["own_host"]}}).rules == {*PHP_RULES} - {"own_host"}
    assert Policy.from_mapping({"preset": {"name": "none"}}).rules == set()


def test_what_is_ignored_on_purpose_is_known():
    mapping = {
        "ignore": ["/a", {"path": "/eta", "reason": "live", "owner": "ops", "until": "2027-01-31", "max_rate": "5%"}]
    }

    before = Policy.from_mapping(mapping, today=date(2027, 1, 31))
    after = Policy.from_mapping(mapping, today=date(2027, 2, 1))

    eta = Ignored("/eta", "live", "ops", "2027-01-31", 0.05)
    assert (before.known, before.expired) == ((Ignored("/a"), eta), ())
    assert (after.known, after.expired) == ((Ignored("/a"),), (eta,))


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"prest": "php"}, "unknown key `prest`, did you mean preset?"),
        ({"preset": "phpp"}, "did you mean php?"),
        ({"preset": {"name": "php", "except": ["numeric"]}}, "preset.except: `numeric` is not one of"),
        ({"preset": {"name": "php", "but": []}}, "unknown key `but`"),
        ({"preset": 1}, "a mapping is needed"),
        ({"ignore": "/a"}, "a list is needed"),
        ({"ignore": ["a/b"]}, "not a JSON pointer"),
        ({"ignore": ["/a~b"]}, "lone `~`"),
        ({"ignore": ["@boddy"]}, "not a part of an answer"),
        ({"ignore": [{"path": "/a", "til": "2027-01-31"}]}, "unknown key `til`"),
        ({"ignore": [{"path": "/a", "until": "next week"}]}, "not a date"),
        ({"ignore": [{"path": "/a", "max_rate": 5}]}, "a share is written 5% or 0.05"),
        ({"ignore": [{"reason": "x"}]}, "a text is needed"),
        ({"ignore_text": ["("]}, "not a regular expression"),
        ({"unordered": [{"path": "/a", "keys": "id"}]}, "did you mean key?"),
        ({"tolerance": [{"path": "/a"}]}, "`relative` or `absolute`"),
        ({"tolerance": [{"path": "/a", "absolute": -1}]}, "not below 0"),
        ({"tolerance": [{"path": "/a", "absolute": True}]}, "not below 0"),
        ({"equivalent": ["null_mising"]}, "did you mean null_missing?"),
        ({"equivalent": [{"rule": "empty_null", "at": "notes"}]}, "not a JSON pointer"),
        ({"legacy_timezone": "Europe/Amsterdm"}, "not a time zone"),
        ({"map": {"renames": {}}}, "did you mean rename?"),
        ({"map": {"case": "kebab"}}, "map.case: `kebab` is not one of camel"),
        ({"map": {"pagination": "django"}}, "map.pagination"),
        ({"map": {"rename": {"a": "/b"}}}, "not a JSON pointer"),
        ({"status": [[200]]}, "not a pair"),
        ({"status": [["200", 201]]}, "not a pair"),
        ({"redirects": "loose"}, "redirects: `loose`"),
        ({"errors": "symfony"}, "errors: `symfony`"),
        ({"body": "yaml"}, "body: `yaml`"),
        ({"noise": "hide"}, "noise: `hide`"),
        ({"custom": "module.function"}, "does not name a function"),
        ({"headers": [1]}, "a text is needed"),
    ],
)
def test_what_is_not_understood_is_refused_and_said(mapping: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=r"^compare") as refusal:
        Policy.from_mapping(mapping)

    assert says in str(refusal.value)


@pytest.mark.parametrize("table", ["comparing_preset", "comparing_settings"])
def test_what_the_file_allows_is_understood_and_the_other_way_round(table: str):
    for case in cases(table):
        written = case.values[0].get("policy", {})

        assert Compare.model_validate(written)
        Policy.from_mapping(written)


def test_file_and_comparator_know_the_same_names():
    rules = Equivalent.model_fields["rule"].annotation
    presets = Preset.model_fields["except_"].annotation

    assert str(EQUIVALENCES)[1:-1] in str(rules)
    assert str(PHP_RULES)[1:-1] in str(presets)
    assert set(Compare.model_fields) == set(_keys())


def _keys() -> tuple[str, ...]:
    from comparators.policy import KEYS

    return KEYS
