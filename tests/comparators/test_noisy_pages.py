"""Pages that legacy never renders twice alike: what is hidden, what must not be."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from comparators.comparison import compare
from comparators.model import Comparison
from comparators.noise_learning import Learner
from comparators.policy import Policy
from tests.comparators.bodies import answer

TODAY = date(2026, 11, 21)
AT = 1_795_228_800.0
MAPPING: dict[str, Any] = {"preset": "php", "noise": "learn"}


def page(made: int = 12, title: str = "Plans", token: str = "aaaa1111", last: str = "end") -> str:
    return (
        f"<main><h1>{title}</h1><form><input type=hidden name=_token value={token}></form>"
        f"<p>rendered in {made} ms by web1</p><p>{last}</p></main>"
    )


def judged(
    legacy: str, modern: str, again: str | None = None, media: str = "text/html", learner: Any = None
) -> Comparison:
    rules = tuple(each.rule for each in learner.suggestions(TODAY)) if learner else ()
    policy = Policy.from_mapping(MAPPING, noise=rules, today=TODAY)
    secondary = () if again is None else (answer(again, media),)
    return compare(answer(legacy, media), answer(modern, media), policy, secondary=secondary)


def taught(media: str = "text/html") -> Learner:
    """A learner that saw legacy answer ten requests twice."""
    learner = Learner()
    for number in range(10):
        legacy, again = page(10 + number, token=f"t{number}aaaaaa"), page(30 - number, token=f"u{number}aaaaaa")
        learner.add_observations(judged(legacy, legacy, again, media).observations, AT + number)
    return learner


@pytest.mark.parametrize("media", ["text/html", "text/plain"])
def test_what_legacy_changes_by_itself_is_noise(media: str) -> None:
    token = "aaaa1111" if media == "text/plain" else "cccc3333"

    assert judged(page(12), page(15, token=token), page(14), media).verdict == "noise"


@pytest.mark.parametrize("media", ["text/html", "text/plain"])
@pytest.mark.parametrize("change", [{"title": "Plan"}, {"last": "END"}, {"token": ""}])
def test_one_noisy_place_hides_no_other(media: str, change: dict[str, str]) -> None:
    assert judged(page(12), page(15, **change), page(14), media).verdict == "different"  # type: ignore[arg-type]


def test_a_token_made_anew_is_not_even_noise() -> None:
    assert judged(page(token="aaaa1111"), page(token="bbbb2222"), page(token="cccc3333")).verdict == "equal"


def test_learned_noise_is_hidden_without_asking_legacy_twice() -> None:
    learner = taught()

    assert [each.rule.shape for each in learner.suggestions(TODAY)] == ["text"]
    assert judged(page(12), page(15), learner=learner).verdict in {"equal", "noise"}
    assert judged(page(12), page(15)).verdict == "different"


@pytest.mark.parametrize("change", [{"title": "Plan"}, {"last": "END"}, {"token": ""}])
def test_learned_noise_hides_no_other_place(change: dict[str, str]) -> None:
    assert judged(page(12), page(15, **change), learner=taught()).verdict == "different"  # type: ignore[arg-type]


def test_learned_noise_is_not_applied_where_it_is_only_suggested() -> None:
    rules = tuple(each.rule for each in taught().suggestions(TODAY))
    policy = Policy.from_mapping({**MAPPING, "noise": "suggest"}, noise=rules, today=TODAY)

    assert compare(answer(page(12), "text/html"), answer(page(15), "text/html"), policy).verdict == "different"


def fields(made: int, title: str = "Plans", more: str = "") -> str:
    return f'{{"html":"<h1>{title}</h1> rendered in {made} ms by web1","at":"2026-11-21 10:00:{made}"{more}}}'


def test_a_clock_inside_a_string_hides_no_word_of_it() -> None:
    media = "application/json"

    assert judged(fields(12), fields(15), fields(14), media).verdict == "noise"
    assert judged(fields(12), fields(15, "Plan"), fields(14), media).verdict == "different"
    assert judged(fields(12), fields(15, more=',"b":1'), fields(14), media).verdict == "different"


def test_two_clocks_inside_a_string_are_both_masked() -> None:
    def text(one: int, two: int, who: str = "db") -> str:
        return f'{{"note":"page in {one} ms and {who} in {two} ms"}}'

    media = "application/json"

    assert judged(text(12, 3), text(15, 5), text(14, 4), media).verdict == "noise"
    assert judged(text(12, 3), text(15, 5, "bd"), text(14, 4), media).verdict == "different"


@pytest.mark.parametrize("text", ["<p>Total: {} EUR</p>", "<p>You owe $ {}</p>", "<p>{} credits left</p>"])
def test_money_in_a_page_is_never_noise(text: str) -> None:
    assert judged(text.format("12.00"), text.format("15.00"), text.format("13.00")).verdict == "different"


def test_the_row_beside_a_noisy_one_is_not_noise() -> None:
    def rows(*cells: str) -> str:
        return "<ul>" + "".join(f"<li>{cell}</li>" for cell in cells) + "</ul>"

    assert judged(rows("a1b2c3d4", "x"), rows("ffb2c3d4", "x"), rows("a1b2ccc4", "x")).verdict == "noise"
    assert judged(rows("a1b2c3d4", "x"), rows("ffb2c3d4", "y"), rows("a1b2ccc4", "x")).verdict == "different"
    assert judged(rows("a1b2c3d4", "x"), rows("ffb2c3d4"), rows("a1b2ccc4", "x")).verdict == "different"


# ── a block that comes and goes ─────────────────────────────────────────────────────────────────────────


ANNOUNCED = '<ul><li><form id="ack-{}"><input name="uid" value="{}"></form></li></ul>'
IDS = {"legacy": ("kyr4qnsl", "p8vze3mx"), "again": ("tgb7hnuj", "w2sxedcr"), "modern": ("osg9nwbt", "a6jluqyf")}


def with_block(whose: str, announced: bool, total: str = "5", before: str = "", after: str = "") -> str:
    """A page with a block in an element or without, ids that are made anew in it and behind it, a number at the end."""
    one, two = IDS[whose]
    block = f"{before}{ANNOUNCED.format(one, two)}{after}" if announced else before + after
    return (
        f'<html><body><div id="notes">{block}</div><form id="refresh-{two}"><input name="q"></form>'
        f"<p>Rows: {total}</p></body></html>"
    )


@pytest.mark.parametrize(("before", "after"), [("", ""), ("<h2>News</h2>", ""), ("<h2>News</h2>", "<hr>")])
@pytest.mark.parametrize(
    ("first", "again", "modern"), [(True, False, False), (False, True, True), (False, True, False)]
)
def test_a_block_that_comes_and_goes_hides_nothing_behind_it(
    first: bool, again: bool, modern: bool, before: str, after: str
) -> None:
    """Wherever in its element it stands: last, alone, before others."""
    around = {"before": before, "after": after}
    legacy, second = with_block("legacy", first, **around), with_block("again", again, **around)

    assert judged(legacy, with_block("modern", modern, **around), second).verdict == "noise"
    wrong = judged(legacy, with_block("modern", modern, total="6", **around), second)
    assert [(each.legacy, each.modern) for each in wrong.findings] == [
        ("html > body > p: Rows: 5", "html > body > p: Rows: 6")
    ]


def test_what_varies_behind_a_block_is_known_though_only_one_answer_has_the_block() -> None:
    """What is in the block itself nothing tells of."""
    found = judged(with_block("legacy", True), with_block("modern", True), with_block("again", False)).findings

    assert {each.legacy.partition(" > ul")[0] for each in found} == {"html > body > div#notes", "body > div#notes"}


def test_an_element_that_is_another_one_is_one_difference_and_what_follows_it_is_compared() -> None:
    legacy, modern = (
        f"<body><div><{tag}>a</{tag}></div><p>Rows: {rows}</p></body>" for tag, rows in (("b", 5), ("i", 6))
    )

    assert [each.legacy for each in judged(legacy, modern).findings] == [
        "html > body > div: <b>", "html > body > p: Rows: 5",
    ]  # fmt: skip


def test_two_ends_of_different_elements_are_one_difference() -> None:
    """Both are passed: the streams go on from there, and nothing is told twice."""
    legacy, modern = "y<ul><span>z</span>x<b>z</b></ul>", "y<span><b>z</b></span>"
    found = [(each.legacy, each.modern) for each in judged(legacy, modern).findings]

    assert found
    assert len(found) == len(set(found))
