from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from rules.model import Match
from rules.routing.conditions import bare_host, conditions_of, methods_of, unmet, weight_of
from tests.rules.asking import facts


def test_head_follows_get() -> None:
    assert methods_of(Match("/", methods=("GET",))) == {"GET", "HEAD"}
    assert methods_of(Match("/", methods=("POST",))) == {"POST"}
    assert methods_of(Match("/")) is None


def test_every_condition_counts_once() -> None:
    match = Match("/", methods=("GET", "POST"), host="a", headers=(("X", "1"), ("Y", "2")), query=(("r", "x"),))

    assert weight_of(match) == 5
    assert weight_of(Match("/")) == 0


@pytest.mark.parametrize(
    ("host", "bare"),
    [
        ("A.Example", "a.example"),
        ("a.example:80", "a.example"),
        ("a.example.", "a.example"),
        ("a.example.:80", "a.example"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
    ],
)
def test_a_host_is_bared_of_port_case_and_final_dot(host: str, bare: str) -> None:
    assert bare_host(host) == bare


def test_the_first_unmet_condition_is_told() -> None:
    match = Match("/", host="a.example", headers=(("X-A", "1"), ("X-B", "~^b")), query=(("r", "x"),))
    conditions = conditions_of(match)
    met = {"Host": "a.example", "X-A": "1", "X-B": "bb"}

    assert unmet(conditions, facts(target="/?r=x", headers=met)) is None
    assert unmet(conditions, facts(target="/?r=x")) == "the host is not a.example"
    assert unmet(conditions, facts(target="/?r=x", headers={**met, "X-A": "2"})) == "header x-a is not 1"
    assert unmet(conditions, facts(target="/?r=x", headers={**met, "X-B": "c"})) == "header x-b does not match ~^b"
    assert unmet(conditions, facts(target="/?r=y", headers=met)) == "query r is not x"
    assert unmet(conditions, facts(target="/", headers=met)) == "query r is not x"


def test_an_empty_parameter_is_there() -> None:
    conditions = conditions_of(Match("/", query=(("debug", ""),)))

    assert unmet(conditions, facts(target="/?debug")) is None
    assert unmet(conditions, facts(target="/?debug=")) is None
    assert unmet(conditions, facts(target="/?debug=1")) is not None


def test_a_parameter_that_is_no_text_breaks_nothing() -> None:
    assert unmet(conditions_of(Match("/", query=(("r", "x"),))), facts(target="/?r=%ff&%00&=&&")) is not None


@pytest.mark.parametrize("query", ["r=x", "a=1&r=x", "r=y&r=x", "%72=%78", "&&r=x&", "r=x#", "+=1&r=x", "r=x&r%00=y"])
def test_a_parameter_is_found_where_the_standard_library_finds_it(query: str) -> None:
    expected = dict(parse_qsl(query, keep_blank_values=True)).get("r")

    met = unmet(conditions_of(Match("/", query=(("r", expected or ""),))), facts(target=f"/?{query}"))

    assert met is None
