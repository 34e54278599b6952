"""A known difference is not counted, up to its day, up to its rate."""

from __future__ import annotations

import pytest

from proxy.control.comparison.results import WINDOW, KnownDifferences, Rates, limited_ignores, share
from proxy.storage.diff_store import Known
from tests.support import snapshots
from tests.support.clock import Clock

TODAY = "2026-11-21"


def known(rates: Rates, entry: Known) -> KnownDifferences:
    made = KnownDifferences(rates, lambda: TODAY)
    made.learn({"g": entry})
    return made


@pytest.mark.parametrize(
    ("until", "forgiven"), [("", True), ("2026-11-21", True), ("2027-01-31", True), ("2026-11-20", False)]
)
def test_a_known_difference_is_forgiven_until_its_day_has_passed(until: str, forgiven: bool):
    made = known(Rates(Clock()), Known("live data", until=until))

    assert made.forgives("profile", "g") is forgiven
    assert not made.forgives("profile", "another")


def test_one_that_is_more_frequent_than_it_may_be_counts_again():
    clock = Clock()
    rates = Rates(clock)
    made = known(rates, Known("now and then", max_rate=0.1))

    for number in range(40):
        rates.note("profile", ["g"] if number % 20 == 0 else [])
    seldom = made.forgives("profile", "g")
    for _ in range(10):
        rates.note("profile", ["g"])
    often = made.forgives("profile", "g")
    clock.turn(WINDOW + 1)
    rates.note("profile", [])

    assert (seldom, often) == (True, False)
    assert made.forgives("profile", "g")


def test_a_rate_is_a_share_of_all_pairs_those_that_workers_found_equal_included():
    rates = Rates(Clock())
    made = known(rates, Known("now and then", max_rate=0.1))

    rates.note("profile", ["g"], 5)
    rates.note("profile", (), 15)
    often = made.forgives("profile", "g")
    rates.note("profile", (), 40)

    assert (often, made.forgives("profile", "g")) == (False, True)


def test_a_handful_of_pairs_says_nothing_about_a_rate():
    rates = Rates(Clock())
    for _ in range(5):
        rates.note("profile", ["g"])

    assert known(rates, Known("now and then", max_rate=0.1)).forgives("profile", "g")


def test_what_is_taken_back_counts_again():
    made = known(Rates(Clock()), Known("live data"))

    made.set("g", None)

    assert not made.forgives("profile", "g")


def test_the_file_names_its_own_limits():
    ignore = ["/a", {"path": "/b"}, {"path": "/eta", "reason": "live", "max_rate": "5%"}]
    route = snapshots.route(name="orders", compare={"ignore": ignore})
    snapshot = snapshots.snapshot({"legacy": []}, routes=[route, snapshots.route("/x", name="plain")])

    assert limited_ignores(snapshot) == {"orders": {"/eta": 0.05}}


@pytest.mark.parametrize(("written", "meant"), [("5%", 0.05), (" 100 % ", 1.0), (0.05, 0.05), ("0.5", 0.5), (1, 1.0)])
def test_a_share_is_read_as_the_file_spells_it(written: str | float, meant: float):
    assert share(written) == meant
