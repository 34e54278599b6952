"""A difference is excused where legacy differs from itself, by evidence; never by a kind or name that must count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.guard import limits
from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, Evidence
from rules.guard.excuses import NEVER_EXCUSED, Excused, Place, Sampled, excused
from rules.guard.window import ComparedTally
from rules.model import GuardPolicy

CLOCK, PRICE = Place("/clock", "value"), Place("/price", "value", money=True)
NOISY = [Sampled(frozenset({"/clock"}))] * 3


@pytest.mark.parametrize(
    ("noisy", "quiet", "pairs"), [(3, 0, 1), (3, 3, 1), (2, 0, 0), (0, 0, 0), (3, 4, 0), (10, 10, 1)]
)
def test_three_samples_and_half_of_them_excuse_a_place(noisy: int, quiet: int, pairs: int):
    samples = [Sampled(frozenset({"/clock"})) for _ in range(noisy)] + [Sampled(frozenset(), quiet)]

    assert excused([{CLOCK}], samples) == Excused(pairs, ("/clock",) * pairs)


@pytest.mark.parametrize("kind", sorted(NEVER_EXCUSED))
def test_what_must_count_is_never_excused(kind: str):
    assert excused([{Place("/clock", kind)}], NOISY * 10).pairs == 0


@pytest.mark.parametrize(
    "places",
    [{CLOCK, PRICE}, {Place("/price", "value", money=True)}, {CLOCK, Place("/name", "value")}, set()],
    ids=["a price beside a clock", "a price", "a name beside a clock", "nowhere"],
)
def test_a_pair_is_excused_only_where_all_of_it_is(places: set[Place]):
    samples = [Sampled(frozenset({"/clock", "/price"}))] * 5

    assert excused([places], samples).pairs == 0


@given(
    st.lists(st.frozensets(st.sampled_from([CLOCK, PRICE, Place("/a", "value"), Place("/a", "type")]))),
    st.lists(st.frozensets(st.sampled_from(["/clock", "/price", "/a"]))),
)
def test_more_samples_in_which_legacy_agrees_with_itself_never_excuse_more(differing, samples):
    taken = [Sampled(each) for each in samples]

    assert excused(differing, [*taken, Sampled(frozenset(), 5)]).pairs <= excused(differing, taken).pairs


@pytest.mark.parametrize(
    ("different", "of_them", "outcome"),
    [(0, 0, GOOD), (50, 0, BAD), (50, 50, CANNOT_TELL), (50, 49, CANNOT_TELL), (50, 20, BAD), (3, 0, GOOD)],
)
def test_what_is_left_is_judged_again(different: int, of_them: int, outcome: str):
    tally = ComparedTally(
        equal=100, different=different, eligible=150, excused=Excused(of_them, ("/clock",) if of_them else ())
    )

    check = limits.mismatch(GuardPolicy(), Evidence(mirrored=True, compared=tally))

    assert check.outcome == outcome
    if outcome == CANNOT_TELL:
        assert "/clock" in check.detail
        assert "noise: learn" in check.detail
