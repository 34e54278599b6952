"""The law of loading: whatever the text, it is a snapshot or a list of problems, each with a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import rules

SAMPLE = (Path(__file__).parents[1] / "data" / "contract-sample.yaml").read_text()
LINES = SAMPLE.splitlines(keepends=True)
WORDS = sorted({word for word in SAMPLE.replace(":", " ").split() if word.isidentifier()})
scalar = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.sampled_from(WORDS),
    st.sampled_from(["5s", "10%", "64KiB", "/a", "~(", "http://a", "{x}", "${X}", "none", "1e9", "*"]),
)  # fmt: skip
tree = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(WORDS), scalar), inner, max_size=6)
    ),
    max_leaves=25,
)


def _holds(text: str, environ: dict[str, str] | None = None) -> None:
    loaded = None
    try:
        loaded, found = rules.load_with_warnings(text, environ=environ or {})
    except rules.ConfigError as error:
        found = error.problems

    assert all(one.line >= 1 and one.column >= 1 and one.message for one in found)
    assert (loaded is None) == any(one.level == "error" for one in found)
    if loaded is not None:
        rules.generation(1, loaded)


@settings(max_examples=80)
@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    _holds(text)


@settings(max_examples=100)
@given(st.text(alphabet=" \n-:{}[]&*!|>'\"%@`,?#~<$ab1.", max_size=120))
def test_any_punctuation_is_answered(text: str) -> None:
    _holds(text)


@settings(max_examples=80)
@given(tree)
def test_any_tree_is_answered(value: Any) -> None:
    _holds(yaml.safe_dump(value, allow_unicode=True))


@settings(max_examples=80)
@given(
    st.fixed_dictionaries(
        {"backends": st.just({"legacy": {"url": "http://a"}, "modern": {"url": "http://b"}})},
        optional={
            "routes": st.lists(
                st.dictionaries(
                    st.sampled_from(
                        ["name", "match", "rollout", "legacy", "modern", "fallback", "shadow", "compare", "guard"]
                    ),
                    tree,
                    max_size=6,
                ),
                max_size=3,
            ),
            "defaults": tree,
            "listen": tree,
            "identity": tree,
        },
    )
)
def test_any_values_under_known_keys_are_answered(value: Any) -> None:
    _holds(yaml.safe_dump(value, allow_unicode=True))


@settings(max_examples=80)
@given(
    cut=st.lists(st.integers(0, len(LINES) - 1), max_size=4),
    at=st.integers(0, len(SAMPLE)),
    put=st.one_of(st.text(max_size=4), st.sampled_from(["&a ", "*a", "<<: ", "on", "1:30", "\t", "~", "null", "!x "])),
)
def test_the_sample_with_anything_wrong_is_answered(cut: list[int], at: int, put: str) -> None:
    text = "".join(line for number, line in enumerate(LINES) if number not in cut)

    _holds(text[:at] + put + text[at:])


@given(
    name=st.sampled_from(
        ["LISTEN__ADDRESS", "LISTEN__LIMITS", "BACKENDS__LEGACY__URL", "STORE", "DIFFS__REDACT", "X__Y"]
    ),
    value=st.text(max_size=20),
)
def test_any_variable_is_answered(name: str, value: str) -> None:
    _holds(SAMPLE, {f"STRANGLER_{name}": value})
