"""How long an answer took is never the same twice; a coarse clock shows the same figure by chance."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from comparators import Comparison, compare, timings
from comparators.noise_rules import speaks_of_money
from tests.comparators.answers import answer, policy

SCRIPT: dict[str, Any] = {"preset": "php", "ignore_text": [r'(?<=walltime":")[0-9.]{1,19}(?=")']}
JSON: dict[str, Any] = {"ignore": ["/report/walltime"]}


def page(cpu: str, wall: str, price: str = "12.10", name: str = "cputime") -> str:
    """A page with MediaWiki's report on itself in a script."""
    report = {"report": {name: cpu, "walltime": wall}, "price": price}
    return f"<html><head><script>RLCONF={json.dumps(report)};</script></head><body><p>Hammer</p></body></html>"


def document(cpu: str, wall: str, price: str = "12.10", name: str = "cputime") -> str:
    """The same as JSON."""
    return json.dumps({"report": {name: cpu, "walltime": wall}, "price": price})


def thrice(kind: str, first: tuple[str, ...], again: tuple[str, ...], modern: tuple[str, ...]) -> Comparison:
    """Legacy's answer, its second one, modern's, where `walltime` is ignored."""
    write, media, settings = (page, "text/html", SCRIPT) if kind == "page" else (document, "application/json", JSON)
    legacy, secondary, other = (answer(write(*each), media=media) for each in (first, again, modern))
    return compare(legacy, other, policy(settings), secondary=(secondary,))


@pytest.mark.parametrize("kind", ["page", "document"])
@pytest.mark.parametrize(
    ("first", "again", "modern", "verdict"),
    [
        (("0.001", "0.005"), ("0.001", "0.006"), ("0.002", "0.007"), "noise"),
        (("0.001", "0.005"), ("0.001", "0.006"), ("0.000", "0.007"), "noise"),
        # Nothing shows that legacy takes differently long.
        (("0.001", "0.005"), ("0.001", "0.005"), ("0.002", "0.007"), "different"),
        # Another unit, another spelling, something else.
        (("0.001", "0.005"), ("0.001", "0.006"), ("1.900", "0.007"), "different"),
        (("0.001", "0.005"), ("0.001", "0.006"), ("fast", "0.007"), "different"),
        (("0.001", "0.005"), ("0.001", "0.006"), ("0.002", "0.007", "12.20"), "different"),
        # What takes long in the world.
        (
            ("1", "0.005", "12.10", "preparation_time"),
            ("1", "0.006", "12.10", "preparation_time"),
            ("2", "0.007", "12.10", "preparation_time"),
            "different",
        ),
    ],
)  # fmt: skip
def test_a_coarse_clock_is_noise_where_legacy_took_differently_long(
    kind: str, first: tuple[str, ...], again: tuple[str, ...], modern: tuple[str, ...], verdict: str
):
    assert thrice(kind, first, again, modern).verdict == verdict


def test_without_noise_it_counts():
    legacy, again, modern = (answer(document("0.001", each)) for each in ("0.005", "0.006", "0.007"))
    other = answer(document("0.002", "0.007"))

    assert compare(legacy, other, policy({**JSON, "noise": "none"}), secondary=(again, modern)).verdict == "different"


@pytest.mark.parametrize(
    ("legacy", "modern", "verdict"),
    [
        ("(0.000 s)", "(0.004 s)", "noise"),
        ("Page made in 0.002 seconds, 0.001 s of it SQL", "Page made in 0.020 seconds, 0.000 s of it SQL", "noise"),
        ("took 0.01 ms", "took 0.12 ms", "noise"),
        ("(0.150 s)", "(0.300 s)", "different"),
        ("(0.000 s)", "(0.204 s)", "different"),
        ("(0.000 s)", "(0.4 s)", "different"),
        ("(0.000 s)", "(0.004 min)", "different"),
        ("0.000 shares", "0.004 shares", "different"),
        ("(0.000 s)", "", "different"),
        ("1.00 s, 3 rows", "1.00 s, 4 rows", "different"),
        ("price 0.001 s", "price 0.004 s", "different"),
    ],
)
def test_hardly_a_step_of_a_clock_in_a_page_is_noise_where_legacy_was_asked_again(
    legacy: str, modern: str, verdict: str
):
    one, other = (answer(f"<html><body><p>{text}</p></body></html>", media="text/html") for text in (legacy, modern))
    settings = policy({"preset": "php"})

    assert compare(one, other, settings, secondary=(one,)).verdict == verdict
    assert compare(one, other, settings).verdict == "different"


@pytest.mark.parametrize("piece", ["a", "a-", "took ", "took=1", '"took":1,', "_=0.", "ab="])
def test_looking_for_timings_takes_a_time_that_grows_with_the_body(piece: str):
    body = piece * ((1 << 20) // len(piece))
    begun = time.process_time()

    assert not timings.differ(body, body)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("legacy", "modern", "verdict"),
    [
        ("Page generated in 0.0012 seconds.", "Page generated in 0.0017 seconds.", "equal"),
        ("Page generated in 0.0213 seconds.", "Page generated in 0.0317 seconds.", "equal"),
        ("Pagina gegenereerd in 0.033 seconden", "Pagina gegenereerd in 0.064 seconden", "equal"),
        ("Seite in 0.061 Sekunden erstellt", "Seite in 0.035 Sekunden erstellt", "equal"),
        ("Page générée en 0.053 secondes", "Page générée en 0.085 secondes", "equal"),
        ("Página generada en 0.059 segundos", "Página generada en 0.067 segundos", "equal"),
        ("Execution time: 0.062 s", "Execution time: 0.093 s", "equal"),
        ("Rundenzeit 0.061 Sekunden", "Rundenzeit 0.035 Sekunden", "different"),
        ("29, Total: 60 (Query took 0.0002 sec)", "29, Total: 60 (Query took 0 sec)", "equal"),
        ("3 queries, rendered in 0.012 s", "3 queries, rendered in 0.041 s", "equal"),
        # Another size, something else beside it, another unit.
        ("Page generated in 0.0213 seconds.", "Page generated in 0.4 seconds.", "different"),
        ("Total: 60 (Query took 0.0002 sec)", "Total: 61 (Query took 0.0001 sec)", "different"),
        ("Page generated in 0.0012 seconds.", "Page generated in 0.0012 ms.", "different"),
        ("Page generated in 0.0012 seconds.", "Page generated in None seconds.", "different"),
        # What takes long in the world, what is money.
        ("Lap took 12.500 s", "Lap took 13.500 s", "different"),
        ("The query of 2019 took 3.250 seconds", "The query of 2019 took 3.350 seconds", "different"),
        ("Page price: 0.125 s", "Page price: 0.127 s", "different"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("media", ["text/html", "application/json"])
def test_how_long_a_page_took_is_the_answers_own_without_a_second_answer(
    media: str, legacy: str, modern: str, verdict: str
):
    bodies = [f"<p>{each}</p>" if media == "text/html" else json.dumps({"footer": each}) for each in (legacy, modern)]
    found = compare(*(answer(body, media=media) for body in bodies), policy({"preset": "php"}))

    assert found.verdict == verdict
    assert found.forgiven.get("clock", 0) == (verdict == "equal")


def test_a_bracket_is_a_clause_of_its_own():
    """Where `Total` stands before it, what a query took is no money, and legacy's 0 is a coarse clock."""
    legacy, again, modern = (f"<b>Total: 60 (Query took {took} sec)</b>" for took in ("0.0002", "0.0003", "0.0001"))
    pair = answer(legacy, media="text/html"), answer(modern, media="text/html")

    assert compare(*pair, policy({}), secondary=(answer(again, media="text/html"),)).verdict == "noise"
    assert not timings.are_coarse("Total (3 items): 0.02 s", "Total (3 items): 0.03 s", speaks_of_money)
