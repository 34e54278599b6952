from __future__ import annotations

from rules.problems import ConfigError, Problem


def test_a_problem_reads_as_place_message_and_hint() -> None:
    assert str(Problem("proxy.yaml", 3, 7, "unknown key", "did you mean x?")) == (
        "proxy.yaml:3:7: unknown key (did you mean x?)"
    )
    assert str(Problem("proxy.yaml", 3, 7, "broken")) == "proxy.yaml:3:7: broken"


def test_the_error_tells_every_problem_on_a_line_of_its_own() -> None:
    problems = (Problem("a", 1, 1, "x"), Problem("a", 2, 1, "y"))

    assert str(ConfigError(problems)) == "a:1:1: x\na:2:1: y"
    assert ConfigError(problems).problems == problems
