"""Says what the dashboard of differences shows."""

from __future__ import annotations

from dashboards.boards.panels import Board, Panel, Query
from dashboards.boards.words import COMPARED, DIFFERENT, JOB, MARKS, ROUTES, limit, rate, share

DIFFERENCES = Board(
    "strangler-diffs",
    "Strangler: differences",
    "Whether both sides answer the same, how much of the traffic that is known of.",
    (
        Panel(
            "Mismatch rate",
            "Differences among compared pairs beside the guard's limit.",
            "percentunit",
            (
                Query(share(DIFFERENT, COMPARED), "{{route}}"),
                Query(limit("mismatch_rate"), "{{route}} limit", dashed=True),
            ),
        ),
        Panel(
            "Coverage",
            "Compared among all that could be. Low: see the reasons beside it before you believe the mismatch rate.",
            "percentunit",
            (Query(share(COMPARED, rate("strangler_comparisons_total", "route")), "{{route}}"),),
            most=1.0,
        ),
        Panel(
            "Results",
            "What became of mirrored requests. `transient`: equal when asked again; `noise`: differs from itself.",
            "reqps",
            (Query(rate("strangler_comparisons_total", "result"), "{{result}}"),),
        ),
        Panel(
            "Not compared, by reason",
            "Why pairs were left out. `body_cap`, `time`: limits of the route; `session`: log the shadow in, or share.",
            "reqps",
            (
                Query(
                    rate("strangler_comparisons_total", "route, reason", f'{ROUTES}, result="not_compared"'),
                    "{{route}} {{reason}}",
                ),
            ),
        ),
        Panel(
            "Differences by kind",
            "`value` and `missing` are what users notice; the console shows the fields.",
            "reqps",
            (Query(rate("strangler_differences_total", "route, kind"), "{{route}} {{kind}}"),),
        ),
        Panel(
            "Forgiven, by rule",
            "Differences that a rule explains. A rule that forgives much deserves a look at what it hides.",
            "reqps",
            (Query(rate("strangler_forgiven_total", "route, rule"), "{{route}} {{rule}}"),),
        ),
        Panel(
            "Invariants violated",
            "Each one is money or trust. Open the console's events.",
            "none",
            (
                Query(
                    f"sum by (route, invariant) (increase(strangler_invariant_violations_total{{{ROUTES}}}[$__range]))",
                    "{{route}} {{invariant}}",
                ),
            ),
            "stat",
        ),
        Panel(
            "Invariants checked",
            "How often each rule could be checked. `indeterminate`: a number it needs is not in the answers.",
            "cps",
            (
                Query(
                    rate("strangler_invariant_checks_total", "route, invariant, state"),
                    "{{route}} {{invariant}} {{state}}",
                ),
            ),
        ),
        Panel(
            "Shadows in flight",
            "Mirrored requests that a backend works on now.",
            "none",
            (Query(f'sum by (side) (strangler_in_flight{{{JOB}, role="shadow"}})', "{{side}}"),),
        ),
    ),
    MARKS,
)
