"""Laws of comparing: a response is equal to itself, order of members is irrelevant, a setting only ever excuses."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from deepdiff import DeepDiff
from hypothesis import assume, given
from hypothesis import strategies as st

from comparators import Policy, compare
from comparators.paths import matches, pointer, steps
from comparators.policy import EQUIVALENCES, PHP_RULES
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import are_equal, exact
from tests.comparators.answers import answer, held, policy

TEXTS = st.sampled_from(
    ["", "a", "b", "0", "1", "01", "1.5", "1.50", "true", "2024-01-02", "2024-01-02 00:00:00", "2024-01-02T00:00:00Z",
     "0000-00-00 00:00:00", "http://old.test:9001/a", "http://new.test:8000/a", "/a"]
) | st.text(max_size=5)  # fmt: skip
NUMBERS = (
    st.sampled_from([0, 1, -1, 1.5, 0.1, 1.0, 2**53 + 1, 2**64, 1704153600])
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(float)
)
EVERYWHERE = (
    "numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "own_host", "bom_ws", "float_noise",
    "query_spaces", "php_datetime",
)  # fmt: skip
"""Rules that look at values of JSON."""
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
NAMES = st.sampled_from(["a", "b", "user_id", "userId", "0", "1", "data", "total", "password"]) | st.text(max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
PLACES = st.sampled_from(["", "/a", "/*", "/**", "/**/a", "/*/b", "/0", "/a/*"])
SETTINGS = st.one_of(
    st.sampled_from(EQUIVALENCES).map(lambda rule: {"equivalent": [rule]}),
    st.tuples(st.sampled_from(EQUIVALENCES), PLACES).map(lambda at: {"equivalent": [{"rule": at[0], "at": at[1]}]}),
    st.just({"preset": "php"}),
    PLACES.map(lambda path: {"ignore": [path]}),
    PLACES.map(lambda path: {"allow_extra": [path]}),
    PLACES.map(lambda path: {"unordered": [path]}),
    PLACES.map(lambda path: {"unordered": [{"path": path, "key": "a"}]}),
    st.tuples(PLACES, st.sampled_from([0.5, 1, 10])).map(
        lambda near: {"tolerance": [{"path": near[0], "absolute": near[1]}]}
    ),
    st.sampled_from([{"map": {"case": "camel"}}, {"map": {"unwrap": "/data"}}, {"map": {"rename": {"/a": "/b"}}}]),
    st.just({"errors": "laravel"}),
    st.just({"ignore_text": ["[0-9]+"]}),
    st.just({"asset_paths": ["/build"]}),
    PLACES.map(lambda path: {"include": [path]}),
    st.just({"legacy_timezone": "Europe/Amsterdam"}),
)


def merged(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """Several settings as one mapping."""
    found: dict[str, Any] = {}
    for setting in settings:
        for key, value in setting.items():
            found[key] = [*found.get(key, []), *value] if isinstance(value, list) else value
    return found


@st.composite
def twins(draw: st.DrawFn) -> tuple[Any, Any]:
    """A value and the same with something changed, or something else altogether."""
    value = draw(VALUES)
    return value, draw(st.one_of(VALUES, st.just(changed(value, draw(st.integers(0, 20)), draw(VALUES)))))


def changed(value: Any, at: int, new: Any) -> Any:
    """The value with its `at`-th branch replaced."""
    if isinstance(value, list) and value:
        where = at % len(value)
        return [changed(each, at // 2, new) if index == where else each for index, each in enumerate(value)]
    if isinstance(value, dict) and value:
        where = at % len(value)
        return {
            name: changed(each, at // 2, new) if index == where else each
            for index, (name, each) in enumerate(value.items())
        }
    return new


def spelled(value: Any, **how: Any) -> str:
    return json.dumps(value, **how)


@given(VALUES, st.lists(SETTINGS, max_size=3))
def test_an_answer_is_equal_to_itself_however_it_is_spelled(value: Any, settings: list[dict[str, Any]]):
    mapping = merged(settings)

    comparison = held(spelled(value), spelled(value, indent=1, sort_keys=True, ensure_ascii=False), mapping)

    assert (comparison.verdict, comparison.findings) == ("equal", ())


@given(st.binary(max_size=60), st.binary(max_size=60), st.lists(SETTINGS, max_size=2))
def test_whatever_two_bodies_hold_there_is_an_outcome(legacy: bytes, modern: bytes, settings: list[dict[str, Any]]):
    for media in ("application/json", "text/html", "text/plain", ""):
        comparison = compare(answer(legacy, media=media), answer(modern, media=media), policy(merged(settings)))

        assert comparison.reason != "error", comparison.notes
        assert (comparison.verdict == "different") == bool(comparison.findings)


@given(twins(), st.lists(SETTINGS, max_size=2))
def test_the_order_of_members_is_nothing(pair: tuple[Any, Any], settings: list[dict[str, Any]]):
    legacy, modern = pair
    mapping = merged(settings)

    assert (
        held(spelled(legacy), spelled(modern), mapping).verdict
        == held(spelled(legacy), spelled(reversed_members(modern)), mapping).verdict
    )


def reversed_members(value: Any) -> Any:
    if isinstance(value, list):
        return [reversed_members(each) for each in value]
    if isinstance(value, dict):
        return {name: reversed_members(value[name]) for name in reversed(value)}
    return value


@given(st.lists(LEAVES | VALUES, max_size=6), st.randoms(use_true_random=False))
def test_rows_in_another_order_are_the_same_only_where_order_does_not_matter(rows: list[Any], order: Any):
    shuffled = order.sample(rows, len(rows))

    assert held(spelled(rows), spelled(shuffled), {"unordered": [""]}).verdict == "equal"
    ordered = held(spelled(rows), spelled(shuffled))
    assert (ordered.verdict == "equal") == (frozen_rows(rows) == frozen_rows(shuffled))
    if ordered.findings and len(ordered.findings) > 1:
        assert {finding.kind for finding in ordered.findings} <= {
            "value",
            "type",
            "order",
            "length",
            "missing",
            "extra",
        }


def frozen_rows(rows: list[Any]) -> list[str]:
    """Rows as texts that are the same exactly when the rows are, as JSON sees them."""
    return [spelled(numbers_alike(row), sort_keys=True) for row in rows]


def booleans_named(value: Any) -> Any:
    if isinstance(value, list):
        return [booleans_named(each) for each in value]
    if isinstance(value, dict):
        return {name: booleans_named(each) for name, each in value.items()}
    return f"a boolean, {value}" if isinstance(value, bool) else numbers_alike(value)


def numbers_alike(value: Any) -> Any:
    if isinstance(value, list):
        return [numbers_alike(each) for each in value]
    if isinstance(value, dict):
        return {name: numbers_alike(each) for name, each in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@given(st.lists(LEAVES, min_size=1, max_size=5), st.integers(0, 4), LEAVES)
def test_a_lost_a_doubled_and_a_changed_row_are_differences_in_any_order(rows: list[Any], at: int, other: Any):
    at %= len(rows)
    unordered = {"unordered": [""]}

    assert held(spelled(rows), spelled(rows[:at] + rows[at + 1 :]), unordered).verdict == "different"
    assert held(spelled(rows), spelled([*rows, rows[at]]), unordered).verdict == "different"
    assume(frozen_rows([rows[at]]) != frozen_rows([other]))
    assert held(spelled(rows), spelled([*rows[:at], other, *rows[at + 1 :]]), unordered).verdict == "different"


@given(twins(), st.lists(SETTINGS, max_size=2), SETTINGS)
def test_a_setting_only_ever_forgives(pair: tuple[Any, Any], settings: list[dict[str, Any]], more: dict[str, Any]):
    legacy, modern = map(spelled, pair)
    # The zone is no setting that forgives: it says which instant a text is.
    assume("legacy_timezone" not in more)

    before = held(legacy, modern, merged(settings)).verdict

    assert before != "equal" or held(legacy, modern, merged([*settings, more])).verdict == "equal"


@given(twins())
def test_where_deepdiff_finds_something_so_does_the_walk_and_nowhere_else(pair: tuple[Any, Any]):
    legacy, modern = pair
    # DeepDiff takes False for 0 inside lists of lists: it is shown names instead.
    wanted = DeepDiff(
        booleans_named(legacy), booleans_named(modern), threshold_to_diff_deeper=0, ignore_private_variables=False
    )

    assert (held(spelled(legacy), spelled(modern)).verdict == "different") == bool(wanted)


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=5),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=5),
)
def test_the_paths_are_those_of_deepdiff(legacy: dict[str, int], modern: dict[str, int]):
    tree = DeepDiff(legacy, modern, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    wanted = {pointer((None, one.path(output_format="list")[0])) for kind in tree.values() for one in kind}

    assert {finding.path for finding in held(spelled(legacy), spelled(modern)).findings} == wanted


@given(st.lists(st.text(max_size=4), max_size=4))
def test_a_pointer_is_read_as_it_was_written(names: list[str]):
    trail: Any = None
    for name in names:
        trail = (trail, name)

    assert steps(pointer(trail)) == tuple(names)
    assert matches(pointer(trail), pointer(trail)) or any(name in {"*", "**"} for name in names)
    assert not names or matches("/**", pointer(trail))


@pytest.mark.parametrize("preset", ["php", "none"])
@given(pair=twins())
def test_legacy_against_itself_is_silent(preset: str, pair: tuple[Any, Any]):
    first, again = (answer(spelled(value)) for value in pair)

    comparison = compare(first, again, Policy.from_mapping({"preset": preset}), secondary=(again,))

    # What is forgiven one way only is no noise: then legacy merely spells one value in two ways.
    both_ways = {finding.path for finding in compare(again, first, Policy.from_mapping({"preset": preset})).findings}
    counting = {finding.path for finding in comparison.findings if not _never_noise(finding.path)}
    assert counting & both_ways == set()


def _never_noise(path: str) -> bool:
    names = steps(path)
    return looks_money(names) or any(map(looks_secret, names))


MAY_CHANGE = {
    # What a setting is about, and pairs that have nothing of it.
    "status": [({"status": [[200, 201]]}, '{"a":1}', "[]"), ({"status": [[200, 204]]}, '{"a":1}', "null")],
    "errors": [({"errors": "laravel"}, '{"message":"a"}', '{"message":"b"}')],
    "asset_paths": [({"asset_paths": ["/build"]}, '{"a":"/build/a.js"}', '{"a":"/build/b.js"}')],
    "cookies": [({"equivalent": ["cookies"]}, '{"a":1}', '{"a":2}')],
    "content_type": [({"equivalent": ["content_type"]}, '{"a":1}', '{"a":2}')],
    "timezone": [({"legacy_timezone": "Europe/Amsterdam"}, '{"a":"1"}', '{"a":1}')],
}
CASES = [(name, *case) for name, some in MAY_CHANGE.items() for case in some]


@pytest.mark.parametrize(("_", "mapping", "legacy", "modern"), CASES)
def test_a_setting_changes_no_verdict_where_its_name_does_not_apply(
    _: str, mapping: dict[str, Any], legacy: str, modern: str
):
    assert held(legacy, modern, mapping).verdict == held(legacy, modern).verdict == "different"


@given(twins(), st.sampled_from([rule for rule in PHP_RULES if rule not in EVERYWHERE]))
def test_a_rule_of_other_bodies_changes_no_verdict_of_json(pair: tuple[Any, Any], rule: str):
    legacy, modern = map(spelled, pair)
    only = {"preset": {"name": "php", "except": [each for each in PHP_RULES if each != rule]}}

    assert held(legacy, modern, only).verdict == held(legacy, modern).verdict


@given(twins(), st.sampled_from([[200, 204], [200, 404], [500, 200]]), st.booleans())
def test_a_setting_about_statuses_never_forgives_bodies(pair: tuple[Any, Any], statuses: list[int], ignored: bool):
    legacy, modern = map(spelled, pair)
    mapping: dict[str, Any] = {"ignore": ["@status"]} if ignored else {"status": [statuses]}
    same = held(legacy, modern).verdict

    forgiven = compare(
        answer(legacy, statuses[0]), answer(modern if statuses[1] != 204 else "", statuses[1]), policy(mapping)
    )

    assert forgiven.verdict == ("different" if statuses[1] == 204 else same)


ROWS = st.lists(st.fixed_dictionaries({"id": st.integers(0, 9), "v": LEAVES}), min_size=1, max_size=30)


def with_changes(rows: list[dict[str, Any]], many: int) -> list[dict[str, Any]]:
    """The first so many rows with another value each."""
    return [{**row, "v": f"changed {at}"} if at < many else row for at, row in enumerate(rows)]


@pytest.mark.parametrize("unordered", [[], [""], [{"path": "", "key": "id"}]])
@given(ROWS, st.integers(1, 30), st.integers(0, 30), st.randoms(use_true_random=False))
def test_findings_only_grow_with_more_differences(
    unordered: list[Any], rows: list[dict[str, Any]], some: int, more: int, order: Any
):
    mapping = {"unordered": unordered}
    few, many = with_changes(rows, some), with_changes(rows, some + more)
    shuffle = list(range(len(rows)))
    if unordered:
        order.shuffle(shuffle)

    less = held(spelled(rows), spelled([few[at] for at in shuffle]), mapping)
    further = held(spelled(rows), spelled([many[at] for at in shuffle]), mapping)

    assert less.verdict == further.verdict == "different"
    assert len(less.findings) <= len(further.findings)


@pytest.mark.parametrize("unordered", [[], [""], [{"path": "", "key": "id"}]])
@pytest.mark.parametrize("count", [150, 1000, 4000])
def test_no_number_of_differences_makes_them_none(unordered: list[Any], count: int):
    rows = [{"id": at, "v": f"{at}.50", "w": [at]} for at in range(count)]
    found = [
        held(spelled(rows), spelled(with_changes(rows, many)[::-1] if unordered else with_changes(rows, many)), mapping)
        for many in (1, 30, count // 2, count)
        for mapping in [{"preset": "php", "unordered": unordered}]
    ]

    assert {each.verdict for each in found} == {"different"}
    assert [len(each.findings) for each in found] == sorted(len(each.findings) for each in found)


@st.composite
def close_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """Two literals of numbers, often of one value in two spellings, often a digit apart."""
    digits = draw(st.integers(0, 10**20))
    places = draw(st.integers(0, 20))
    value = Decimal(digits).scaleb(-places)
    other = value + draw(st.sampled_from((0, 0, 1, -1))) * Decimal(1).scaleb(-places)
    spell = st.sampled_from(("{:f}", "{:f}0", "{:f}.0", "{:e}", "-{:f}"))
    return draw(spell).format(abs(value)), draw(spell).format(abs(other))


@given(close_numbers())
def test_two_numbers_are_equal_where_their_values_are(numbers: tuple[str, str]):
    left, right = numbers
    assume(max(left.count("."), right.count(".")) < 2)

    assert are_equal(left, right) == (Decimal(left) == Decimal(right)) == (exact(left) == exact(right))
