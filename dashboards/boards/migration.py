"""Says what the dashboards of the migration show: all routes, one route."""

from __future__ import annotations

from dashboards.boards.panels import Board, Panel, Query
from dashboards.boards.words import COMPARED, DIFFERENT, LIVE, MARKS, ROUTES, limit, quantile, rate, share

_REQUESTS = "strangler_requests_total"
_DURATION = "strangler_request_duration_seconds"
_MODERN, _LEGACY = f'{LIVE}, side="modern"', f'{LIVE}, side="legacy"'

OVERVIEW = Board(
    "strangler-overview",
    "Strangler: migration",
    "How far the migration is, whether modern behaves, what needs a person.",
    (
        Panel(
            "Answered by modern",
            "The share of users' requests that modern answers. It falls when a route is rolled back.",
            "percentunit",
            (
                Query(
                    share(
                        rate(_REQUESTS, "job", f'{LIVE}, side="modern"'),
                        rate(_REQUESTS, "job", f'{LIVE}, side=~"legacy|modern"'),
                    ),
                    "modern",
                ),
            ),
            "stat",
            6,
            5,
            1.0,
        ),
        Panel(
            "Routes by stage",
            "How many routes are in each stage. Any rolled_back or held waits for a person: open the console.",
            "none",
            (Query(f"sum by (stage) (strangler_route_stage{{{ROUTES}}})", "{{stage}}"),),
            "stat",
            12,
            5,
        ),
        Panel(
            "Rollbacks",
            "In the time shown. The console's events say why each happened.",
            "none",
            (Query(f"sum by (job) (increase(strangler_rollbacks_total{{{ROUTES}}}[$__range]))", "rollbacks"),),
            "stat",
            6,
            5,
        ),
        Panel(
            "Weight in effect",
            "What modern answers of each route. Lower than the file intends: something was set at run time.",
            "percent",
            (Query(f'max by (route) (strangler_weight_percent{{{ROUTES}, kind="effective"}})', "{{route}}"),),
            most=100.0,
        ),
        Panel(
            "Requests a second by side",
            "Who answers the users. `none` is the proxy itself: refusals, or nobody to ask.",
            "reqps",
            (Query(rate(_REQUESTS, "side", LIVE), "{{side}}"),),
        ),
        Panel(
            "Errors by side",
            "5xx among the answers of each side. Modern above legacy: hold the canary, look at the route.",
            "percentunit",
            (
                Query(
                    share(rate(_REQUESTS, "side", f'{LIVE}, code="5xx"'), rate(_REQUESTS, "side", LIVE)),
                    "{{side}}",
                ),
            ),
        ),
        Panel(
            "P95 by side",
            "Time to the last byte. A gap between the sides that grows is a reason to hold.",
            "s",
            (Query(quantile(0.95, _DURATION, "side", LIVE), "{{side}}", exemplars=True),),
        ),
        Panel(
            "Mismatch rate",
            "Differences among compared pairs. Above the route's limit the guard acts; open the console's differences.",
            "percentunit",
            (Query(share(DIFFERENT, COMPARED), "{{route}}"),),
        ),
        Panel(
            "Rescued by legacy",
            "Requests that modern failed, answered by legacy instead. Users did not notice; modern is not well.",
            "reqps",
            (Query(rate("strangler_fallbacks_total", "route, reason"), "{{route}} {{reason}}"),),
        ),
    ),
    MARKS,
)

ROUTE = Board(
    "strangler-route",
    "Strangler: route",
    "Both sides of the chosen routes beside each other, with the guard's limits.",
    (
        Panel(
            "Weight",
            "Intended by the file, in effect now. They differ after a rollback, a hold, or a weight set by hand.",
            "percent",
            (Query(f"max by (route, kind) (strangler_weight_percent{{{ROUTES}}})", "{{route}} {{kind}}"),),
            most=100.0,
        ),
        Panel(
            "Requests a second",
            "What each side answers of this route.",
            "reqps",
            (Query(rate(_REQUESTS, "route, side", LIVE), "{{route}} {{side}}"),),
        ),
        Panel(
            "Errors",
            "5xx of each side beside the guard's ceiling. Requests that legacy rescued are not in here.",
            "percentunit",
            (
                Query(
                    share(rate(_REQUESTS, "route, side", f'{LIVE}, code="5xx"'), rate(_REQUESTS, "route, side", LIVE)),
                    "{{route}} {{side}}",
                ),
                Query(limit("error_rate"), "{{route}} limit", dashed=True),
            ),
        ),
        Panel(
            "P95",
            "Time to the last byte of each side beside the guard's limit (which judges the first byte).",
            "s",
            (
                Query(quantile(0.95, _DURATION, "route, side", LIVE), "{{route}} {{side}}", exemplars=True),
                Query(limit("p95"), "{{route}} limit", dashed=True),
            ),
        ),
        Panel(
            "P50 and P99",
            "The usual request beside the unlucky one. P99 far above: look for locks, cold caches, large answers.",
            "s",
            (
                Query(quantile(0.5, _DURATION, "route, side", LIVE), "{{route}} {{side}} P50"),
                Query(quantile(0.99, _DURATION, "route, side", LIVE), "{{route}} {{side}} P99"),
            ),
        ),
        Panel(
            "P95: modern minus legacy",
            "Above zero, modern is slower. The guard acts by `worse_than_legacy`.",
            "s",
            (
                Query(
                    f"{quantile(0.95, _DURATION, 'route', _MODERN)} - {quantile(0.95, _DURATION, 'route', _LEGACY)}",
                    "{{route}}",
                ),
            ),
        ),
        Panel(
            "Rescued by legacy",
            "Requests that modern failed, by what went wrong.",
            "reqps",
            (Query(rate("strangler_fallbacks_total", "route, reason"), "{{route}} {{reason}}"),),
        ),
        Panel(
            "Shadows dropped",
            "Mirrored requests that were not sent or not heard out. Many: raise max_in_flight, or lower the sample.",
            "reqps",
            (Query(rate("strangler_shadow_dropped_total", "route, reason"), "{{route}} {{reason}}"),),
        ),
    ),
    MARKS,
)
