"""Says what the dashboard of the proxy's own health shows."""

from __future__ import annotations

from dashboards.boards.panels import Board, Panel, Query
from dashboards.boards.words import JOB, MARKS, RATE, quantile, rate


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
        ),
        Panel(
            "Requests a second",
            "All users' requests, by what they were answered with.",
            "reqps",
            (Query(rate("strangler_requests_total", "code", f'{JOB}, role="live"'), "{{code}}"),),
        ),
        Panel(
            "Event loop lag",
            "How late the slowest worker is. Above 100 ms somebody waits for it: too much load, or a bug.",
            "s",
            (Query(_now("strangler_event_loop_lag_seconds"), "{{instance}}"),),
        ),
        Panel(
            "Connections",
            "Open connections by kind. Near `limits.connections`, new users are refused.",
            "none",
            (Query(_now("strangler_connections", "instance, kind", "sum"), "{{instance}} {{kind}}"),),
        ),
        Panel(
            "In flight",
            "Requests that a backend works on now. It rises when a side gets slow.",
            "none",
            (Query(_now("strangler_in_flight", "side, role", "sum"), "{{side}} {{role}}"),),
        ),
        Panel(
            "Errors of the sides",
            "By kind, also those that the other side rescued. `connect`: is it running? `timeout`: is it overloaded?",
            "reqps",
            (Query(rate("strangler_upstream_errors_total", "side, kind", JOB), "{{side}} {{kind}}"),),
        ),
        Panel(
            "Workers that accept",
            "Fewer than configured: one died or hangs; the supervisor starts another. The log says why.",
            "none",
            (Query(_now("strangler_workers_accepting"), "{{instance}}"),),
            "stat",
            6,
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
        ),
        Panel(
            "File accepted",
            "0: the file on disk is broken, the old configuration runs on. `strangler check` says where.",
            "none",
            (Query(_now("strangler_config_reload_success", how="min"), "{{instance}}"),),
            "stat",
            6,
        ),
        Panel(
            "Store",
            "0: overrides and events cannot be written. Rollbacks work, promotions wait.",
            "none",
            (Query(_now("strangler_store_up", how="min"), "{{instance}}"),),
            "stat",
            6,
        ),
        Panel(
            "Configurations",
            "One line for each: more than one and instances disagree.",
            "none",
            (Query(f"count by (digest) (strangler_config_info{{{JOB}}})", "{{digest}}"),),
            "table",
        ),
        Panel(
            "Lost reports",
            "Log lines, reports, records that had to be dropped. Users are never held up for them.",
            "cps",
            (
                Query(f"sum by (job) (rate(strangler_log_lines_lost_total{{{JOB}}}[{RATE}]))", "log lines"),
                Query(f"sum by (job) (rate(strangler_reports_shed_total{{{JOB}}}[{RATE}]))", "reports"),
                Query(f"sum by (job) (rate(strangler_observer_failures_total{{{JOB}}}[{RATE}]))", "records"),
            ),
        ),
    ),
    tuple(mark for mark in MARKS if mark.name == "Reloads"),
    has_route=False,
)
