"""A request becomes one span, each of its attempts one below it, in the trace that the backends got."""

from __future__ import annotations

from proxy.telemetry.spans import Leg, spans_of
from tests.support.exchanges import attempt, exchange

THEIRS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OURS = "a" * 15


def test_each_attempt_is_below_the_call_which_is_below_the_caller():
    call = exchange(
        attempt("modern", 502, wait=0.01), attempt("legacy"), fallback="status", traceparent=THEIRS, span=OURS, at=100.0
    )

    own, first, second = spans_of(call)

    assert {span.trace for span in (own, first, second)} == {THEIRS[3:35]}
    assert (own.span, own.parent, own.kind, own.name) == (f"{OURS}f", THEIRS[36:52], "server", "GET profile")
    assert [(span.span, span.parent, span.name) for span in (first, second)] == [
        (f"{OURS}1", own.span, "modern"),
        (f"{OURS}2", own.span, "legacy"),
    ]
    assert (own.failed, first.failed, second.failed) == (False, True, False)
    assert (first.began, first.ended, second.ended) == (100.0, 100.01, 100.03)
    assert own.values["strangler.fallback"] == "status"


def test_a_copy_is_below_the_call_that_it_was_made_of():
    leg = Leg("profile", "GET", "f" * 32, "", OURS, "b" * 16, attempt("modern", 0, "timeout"), 1.0, 2.0)

    (span,) = spans_of(leg)

    assert (span.trace, span.span, span.parent) == ("f" * 32, "b" * 16, f"{OURS}f")
    assert span.failed
    assert (span.values["strangler.role"], span.values["error.type"]) == ("shadow", "timeout")


def test_no_span_says_more_than_an_access_line():
    names = {name for span in spans_of(exchange(attempt(), span=OURS)) for name in span.values}

    assert not {name for name in names if "header" in name or "query" in name or "cookie" in name}
