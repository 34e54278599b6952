"""The three dashboards; writes them."""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.grafana.panels import (
    COMPARED,
    DIFFERENT,
    JOB,
    LIVE,
    MARKS,
    RATE,
    ROUTES,
    Board,
    Panel,
    Query,
    dashboard,
    limit,
    quantile,
    rate,
    share,
)

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
            decimals=1,
            base="blue",
            to="/",
        ),
        Panel(
            "Routes by stage",
            "How many routes are in each stage. Any rolled_back or held waits for a person: open the console.",
            "none",
            (Query(f"sum by (stage) (strangler_route_stage{{{ROUTES}}})", "{{stage}}"),),
            "stat",
            12,
            5,
            decimals=0,
            base="text",
            steps=((1, "blue"),),
            of_series=(("rolled_back", ((1, "red"),)), ("held", ((1, "orange"),))),
            to="/?stage={stage}",
        ),
        Panel(
            "Rollbacks",
            "In the time shown. The console's events say why each happened.",
            "none",
            (Query(f"sum by (job) (increase(strangler_rollbacks_total{{{ROUTES}}}[$__range]))", "rollbacks"),),
            "stat",
            6,
            5,
            decimals=0,
            steps=((1, "red"),),
            to="/events",
        ),
        Panel(
            "Weight in effect",
            "What modern answers of each route. Lower than the file intends: something was set at run time.",
            "percent",
            (Query(f'max by (route) (strangler_weight_percent{{{ROUTES}, kind="effective"}})', "{{route}}"),),
            most=100.0,
            decimals=1,
        ),
        Panel(
            "Requests a second by side",
            "Who answers the users. `none` is the proxy itself: refusals, or no backend to ask.",
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
            steps=((0.01, "orange"), (0.05, "red")),
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
            steps=((0.01, "orange"),),
            to="/differences?route={route}",
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
            decimals=1,
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
            least=None,
        ),
        Panel(
            "Rescued by legacy",
            "Requests that modern failed, by what went wrong.",
            "reqps",
            (
                Query(rate("strangler_fallbacks_total", "route, reason"), "{{route}} {{reason}}"),
                Query(rate("strangler_untranslated_total", "route, side"), "{{route}} {{side}} in its own words"),
            ),
        ),
        Panel(
            "Shadows dropped",
            "Mirrored requests not sent, or not answered in full. Many: raise max_in_flight, or lower the sample.",
            "reqps",
            (Query(rate("strangler_shadow_dropped_total", "route, reason"), "{{route}} {{reason}}"),),
        ),
    ),
    MARKS,
)


# Says what the dashboard of the proxy's own health shows.


def _now(metric: str, by: str = "instance", how: str = "max") -> str:
    return f"{how} by ({by}) ({metric}{{{JOB}}})"


GATEWAY = Board(
    "strangler-gateway",
    "Strangler: gateway",
    "Whether the proxy itself is well: time it adds, connections, workers, configuration, store.",
    (
        Panel(
            "Time added by the proxy",
            "What the proxy itself adds to a request. Above a few milliseconds: add workers, look at the event loop.",
            "s",
            (
                Query(quantile(0.5, "strangler_overhead_seconds", "job", JOB), "P50"),
                Query(quantile(0.95, "strangler_overhead_seconds", "job", JOB), "P95"),
                Query(quantile(0.99, "strangler_overhead_seconds", "job", JOB), "P99"),
            ),
            steps=((0.005, "orange"), (0.01, "red")),
        ),
        Panel(
            "Requests a second",
            "All users' requests, by what they were answered with.",
            "reqps",
            (Query(rate("strangler_requests_total", "code", f'{JOB}, role="live"'), "{{code}}"),),
        ),
        Panel(
            "Event loop lag",
            "How late the slowest worker is. Above 100 ms users wait for it: too much load, or a bug.",
            "s",
            (Query(_now("strangler_event_loop_lag_seconds"), "{{instance}}"),),
            steps=((0.05, "orange"), (0.1, "red")),
        ),
        Panel(
            "Connections",
            "Open connections by kind. Near `limits.connections`, new users are refused.",
            "none",
            (Query(_now("strangler_connections", "instance, kind", "sum"), "{{instance}} {{kind}}"),),
            decimals=0,
        ),
        Panel(
            "In flight",
            "Requests that a backend works on now. It rises when a side gets slow.",
            "none",
            (Query(_now("strangler_in_flight", "side, role", "sum"), "{{side}} {{role}}"),),
            decimals=0,
        ),
        Panel(
            "Errors of the sides",
            "By kind, also those that the other side rescued. `connect`: is it running? `timeout`: is it overloaded?",
            "reqps",
            (Query(rate("strangler_upstream_errors_total", "side, kind", JOB), "{{side}} {{kind}}"),),
            to="/backends",
        ),
        Panel(
            "Workers that accept",
            "Fewer than configured: one died or hangs; the supervisor starts another. Not as set: a change waits.",
            "none",
            (
                Query(_now("strangler_workers_accepting"), "{{instance}}"),
                Query(_now("strangler_workers_unconfirmed"), "{{instance}} not as set"),
            ),
            "stat",
            6,
            decimals=0,
            base="red",
            steps=((1, "green"),),
            to="/instances",
        ),
        Panel(
            "Restarts",
            "In the time shown. Any is a bug of ours or a lack of memory.",
            "none",
            (
                Query(f"sum by (job) (increase(strangler_worker_restarts_total{{{JOB}}}[$__range]))", "workers"),
                Query(f"sum by (job) (increase(strangler_control_restarts_total{{{JOB}}}[$__range]))", "control"),
            ),
            "stat",
            6,
            decimals=0,
            steps=((1, "orange"), (3, "red")),
            to="/instances",
        ),
        Panel(
            "File accepted",
            "0: the file on disk is broken, the old configuration runs on. `strangler check` says where.",
            "none",
            (Query(_now("strangler_config_reload_success", how="min"), "{{instance}}"),),
            "stat",
            6,
            decimals=0,
            base="red",
            steps=((1, "green"),),
            words=((0, "refused", "red"), (1, "accepted", "green")),
            to="/instances",
        ),
        Panel(
            "Store",
            "0: overrides and events cannot be written. Rollbacks work, promotions wait.",
            "none",
            (Query(_now("strangler_store_up", how="min"), "{{instance}}"),),
            "stat",
            6,
            decimals=0,
            base="red",
            steps=((1, "green"),),
            words=((0, "down", "red"), (1, "up", "green")),
            to="/instances",
        ),
        Panel(
            "Configurations",
            "One line for each: more than one and instances disagree.",
            "none",
            (Query(f"count by (digest) (strangler_config_info{{{JOB}}})", "{{digest}}"),),
            "table",
            decimals=0,
        ),
        Panel(
            "Targets",
            "Down: a worker does not use the target now, by its health check or because it cannot be reached.",
            "none",
            (Query(_now("strangler_backend_up", "backend, target", "min"), "{{backend}} {{target}}"),),
            "stat",
            decimals=0,
            base="red",
            steps=((1, "green"),),
            words=((0, "down", "red"), (1, "up", "green")),
            to="/backends",
        ),
        Panel(
            "In flight by target",
            "Requests that each target works on now. One far above the others is slower than they are.",
            "none",
            (Query(_now("strangler_backend_in_flight", "backend, target", "sum"), "{{backend}} {{target}}"),),
            decimals=0,
            to="/backends",
        ),
        Panel(
            "Tried again",
            "Further addresses, further targets, requests sent again where nothing was done. Many: a target is ill.",
            "reqps",
            (Query(rate("strangler_retries_total", "side, reason", JOB), "{{side}} {{reason}}"),),
            to="/backends",
        ),
        Panel(
            "Loops",
            "Requests that came back to this instance and were answered 508: the backend leads here.",
            "reqps",
            (Query(rate("strangler_loops_total", "backend", JOB), "{{backend}}"),),
            steps=((0.001, "red"),),
            to="/backends",
        ),
        Panel(
            "Waits for a connection",
            "Requests that found all connections in use: raise `max_connections`, if the backend can bear more.",
            "reqps",
            (Query(rate("strangler_pool_waits_total", "backend", JOB), "{{backend}}"),),
            steps=((1, "orange"),),
            to="/backends",
        ),
        Panel(
            "Slow clients",
            "Clients that sent or read too slowly, or gave their connection up to another request.",
            "reqps",
            (Query(rate("strangler_slow_clients_total", "direction", JOB), "{{direction}}"),),
        ),
        Panel(
            "Look-ups of backends' names",
            "`failed`, `silent`: the name server. The last good addresses are used meanwhile.",
            "reqps",
            (Query(rate("strangler_lookups_total", "backend, result", JOB), "{{backend}} {{result}}"),),
            to="/backends",
        ),
        Panel(
            "Lost reports",
            "Log lines, reports, records that had to be dropped. Users are never held up for them.",
            "cps",
            (
                Query(f"sum by (job) (rate(strangler_log_lines_lost_total{{{JOB}}}[{RATE}]))", "log lines"),
                Query(f"sum by (job) (rate(strangler_reports_shed_total{{{JOB}}}[{RATE}]))", "reports"),
                Query(f"sum by (job) (rate(strangler_observer_failures_total{{{JOB}}}[{RATE}]))", "records"),
                Query(f"sum by (task) (rate(strangler_task_failures_total{{{JOB}}}[{RATE}]))", "task {{task}}"),
            ),
        ),
    ),
    tuple(mark for mark in MARKS if mark.name == "Reloads"),
    has_route=False,
)


# Says what the dashboard of differences shows.


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
            base="red",
            steps=((0.5, "orange"), (0.9, "green")),
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
            "Never mirrored, by reason",
            "Requests that no copy is made of: their method, fields, path or the route's `deny` forbid it.",
            "reqps",
            (Query(rate("strangler_not_eligible_total", "route, reason", ROUTES), "{{route}} {{reason}}"),),
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
            decimals=0,
            steps=((1, "red"),),
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
            "Rows that both databases do not hold alike",
            "By table, of the last verifying. Zero everywhere is what a promotion waits for.",
            "none",
            (Query(f'max by (table, result) (strangler_data_rows{{{JOB}, result!="equal"}})', "{{table}} {{result}}"),),
            decimals=0,
            steps=((1, "red"),),
            to="/data",
        ),
        Panel(
            "Age of the verified data",
            "Since both databases were last known to hold the same rows of a table.",
            "s",
            (Query(f"time() - max by (table) (strangler_data_verified_timestamp_seconds{{{JOB}}} > 0)", "{{table}}"),),
            decimals=0,
            to="/data",
        ),
        Panel(
            "Checks of both databases",
            "1 holds, 0 is violated, -1 was not judged.",
            "none",
            (Query(f"min by (name) (strangler_data_check{{{JOB}}})", "{{name}}"),),
            kind="stat",
            decimals=0,
            least=None,
            base="text",
            steps=((0, "red"), (1, "green")),
            words=((-1, "not judged", "text"), (0, "violated", "red"), (1, "holds", "green")),
            to="/data",
        ),
        Panel(
            "Shadows in flight",
            "Mirrored requests that a backend works on now.",
            "none",
            (Query(f'sum by (side) (strangler_in_flight{{{JOB}, role="shadow"}})', "{{side}}"),),
            decimals=0,
        ),
    ),
    MARKS,
)


# Writes the dashboards of `dashboards.grafana` as JSON files beside this script (`make dashboards`).


BOARDS = (OVERVIEW, ROUTE, DIFFERENCES, GATEWAY)


def texts() -> dict[str, str]:
    """Return each file's name with its content."""
    return {f"{board.uid}.json": json.dumps(dashboard(board), indent=2) + "\n" for board in BOARDS}


def main() -> None:
    """Write them."""
    for name, text in texts().items():
        (Path(__file__).parent / name).write_text(text)


if __name__ == "__main__":
    main()
