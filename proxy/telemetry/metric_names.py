"""Every metric: its name, what it counts, its labels, how several workers' values become one."""

from __future__ import annotations

from dataclasses import dataclass

COUNTER = "counter"
HISTOGRAM = "histogram"
GAUGE_SUM = "gauge_sum"
"""A gauge whose living workers add up."""
GAUGE_MAX = "gauge_max"
"""A gauge whose value is that of the worst worker."""

LIVE = "live"
"""The `role` of a request that a user waits for."""
SHADOW = "shadow"
"""The `role` of a copy that no user waits for."""
NO_ANSWER = "none"
"""The `code` of a copy without a response; a live request gets at least one of the proxy's own."""
CODES = ("1xx", "2xx", "3xx", "4xx", "5xx")
ERROR_KINDS = ("status", "connect", "reset", "timeout", "broken", "truncated", "unhealthy")
"""Kinds of upstream errors; `status` is a response of 5xx, `unhealthy` that no target was available."""
FALLBACK_REASONS = (*ERROR_KINDS, "declined", "busy", "untranslatable", "shared")
"""Why legacy answered in modern's place."""
DIRECTIONS = ("request", "response")
"""What a slow client was slow with."""
VERBS = ("rollback", "step_back", "advance", "hold", "resume", "weight")
MANUAL = "manual"
"""The reason of a rollback that a person asked for."""
DATA = "data"
"""The reason of a rollback because a check of both databases is violated."""

# Not fixed tuples of fourteen or ten: the compiler unpacks and rebuilds such at each use.
DURATION_BOUNDS: tuple[float, ...] = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
OVERHEAD_BOUNDS: tuple[float, ...] = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as operators know it; `bounds` are the upper bounds of a histogram's buckets, seconds."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUESTS = Metric(
    "strangler_requests_total",
    COUNTER,
    "Requests answered, counted once under the side whose response the client got (none: the proxy itself).",
    ("route", "side", "role", "code"),
)
DURATION = Metric(
    "strangler_request_duration_seconds",
    HISTOGRAM,
    "Time from a request's first byte to the last byte of its response.",
    ("route", "side", "role"),
    DURATION_BOUNDS,
)
OVERHEAD = Metric(
    "strangler_overhead_seconds",
    HISTOGRAM,
    "What the proxy itself added to a request, without waiting for backend or client.",
    ("route",),
    OVERHEAD_BOUNDS,
)
UPSTREAM_ERRORS = Metric(
    "strangler_upstream_errors_total",
    COUNTER,
    "Requests that a side failed, also when another side rescued them.",
    ("side", "kind"),
)
RETRIES = Metric(
    "strangler_retries_total",
    COUNTER,
    "Further addresses or targets of the same side that were tried, and requests sent again, where nothing was done.",
    ("side", "reason"),
)
POOL_WAITS = Metric(
    "strangler_pool_waits_total",
    COUNTER,
    "Requests that found every connection to their backend in use; no error of the backend.",
    ("backend",),
)
NOT_ELIGIBLE = Metric(
    "strangler_not_eligible_total",
    COUNTER,
    "Requests never mirrored: by `method`, `write`, `fields` (body, range, stream, upgrade), `effects`, `denied`.",
    ("route", "reason"),
)
LOOPS = Metric(
    "strangler_loops_total",
    COUNTER,
    "Requests answered 508: they had come back to this instance, so their backend leads here.",
    ("backend",),
)
SLOW_CLIENTS = Metric(
    "strangler_slow_clients_total",
    COUNTER,
    "Clients that sent or read too slowly, or gave their connection up to another request.",
    ("direction",),
)
LOOKUPS = Metric(
    "strangler_lookups_total",
    COUNTER,
    "Look-ups of backends' names: answered, failed (an error, nothing found), silent (no answer within 2 s).",
    ("backend", "result"),
)
BACKEND_UP = Metric(
    "strangler_backend_up",
    GAUGE_SUM,
    "1 when every worker would use the target, else 0.",
    ("backend", "target"),
)
BACKEND_IN_FLIGHT = Metric(
    "strangler_backend_in_flight",
    GAUGE_SUM,
    "Connections to the target that have a request.",
    ("backend", "target"),
)
FALLBACKS = Metric(
    "strangler_fallbacks_total",
    COUNTER,
    "Requests that legacy served after modern had failed.",
    ("route", "reason"),
)
SHADOW_DROPPED = Metric(
    "strangler_shadow_dropped_total",
    COUNTER,
    "Requests of the sample that no copy was made of, by what was in the way.",
    ("route", "reason"),
)
COMPARISONS = Metric(
    "strangler_comparisons_total",
    COUNTER,
    "Mirrored requests by what became of them; each stands in exactly one result.",
    ("route", "result", "reason"),
)
FORGIVEN = Metric(
    "strangler_forgiven_total",
    COUNTER,
    "Values of compared responses that differ in a way that a rule accepts.",
    ("route", "rule"),
)
DIFFERENCES = Metric(
    "strangler_differences_total",
    COUNTER,
    "Differences that were still there in the re-check.",
    ("route", "kind"),
)
INVARIANT_CHECKS = Metric(
    "strangler_invariant_checks_total",
    COUNTER,
    "Business rules held against pairs: held, violated (the first time), or indeterminate for want of a number.",
    ("route", "invariant", "state"),
)
INVARIANT_VIOLATIONS = Metric(
    "strangler_invariant_violations_total",
    COUNTER,
    "Business rules that were violated, also in the re-check.",
    ("route", "invariant"),
)
IN_FLIGHT = Metric("strangler_in_flight", GAUGE_SUM, "Requests that a backend is working on now.", ("side", "role"))
CONNECTIONS = Metric("strangler_connections", GAUGE_SUM, "Open connections.", ("kind",))
LOOP_LAG = Metric("strangler_event_loop_lag_seconds", GAUGE_MAX, "How late the slowest worker's event loop was lately.")
LOG_LINES_LOST = Metric(
    "strangler_log_lines_lost_total",
    COUNTER,
    "Access lines dropped because their reader was too slow or gone, or the disk full.",
)
OBSERVER_FAILURES = Metric(
    "strangler_observer_failures_total", COUNTER, "Records that a metric, window or log could not take in."
)
SPANS_LOST = Metric(
    "strangler_spans_lost_total", COUNTER, "Calls whose spans no collector got, because it was slow or gone."
)
REPORTS_SHED = Metric(
    "strangler_reports_shed_total", COUNTER, "Reports of workers dropped because control was too slow."
)

TASK_FAILURES = Metric(
    "strangler_task_failures_total",
    COUNTER,
    "Exceptions in what the control process does for ever: it goes on, and is replaced when that lasts for a minute.",
    ("task",),
)
ROLLBACKS = Metric(
    "strangler_rollbacks_total", COUNTER, "Rollbacks (all users sent back to legacy), by cause.", ("route", "reason")
)
ROUTE_CHANGES = Metric(
    "strangler_route_changes_total", COUNTER, "Changes at run time, by people or by the guard.", ("route", "verb")
)
STORE_UP = Metric("strangler_store_up", GAUGE_SUM, "1 when the store took the last thing it was given, else 0.")
MODERN_WRITES = Metric(
    "strangler_modern_writes_total",
    COUNTER,
    "Writes that only modern has served successfully: legacy may lack them where each side has its own data.",
    ("route",),
)
UNTRANSLATED = Metric(
    "strangler_untranslated_total",
    COUNTER,
    "Responses to writes that reached the client unmapped, because `response` could not map them.",
    ("route", "side"),
)
DATA_ROWS = Metric(
    "strangler_data_rows", GAUGE_SUM, "Rows of a table by what its last verifying came to.", ("table", "result")
)
DATA_VERIFIED = Metric(
    "strangler_data_verified_timestamp_seconds",
    GAUGE_SUM,
    "When both databases were last known to hold the same rows of a table; 0: never, or they differ.",
    ("table",),
)
DATA_CHECK = Metric(
    "strangler_data_check", GAUGE_SUM, "1 while a check of both databases holds, 0 violated, -1 not judged.", ("name",)
)
WEIGHT = Metric(
    "strangler_weight_percent",
    GAUGE_SUM,
    "Share of a route that modern serves: as the file intends, as it is in effect.",
    ("route", "kind"),
)
STAGE = Metric("strangler_route_stage", GAUGE_SUM, "1 for the stage a route is in.", ("route", "stage"))
GUARD_LIMIT = Metric(
    "strangler_guard_limit", GAUGE_SUM, "The limits a route's modern side is judged by.", ("route", "limit")
)
RELOAD_SUCCESS = Metric(
    "strangler_config_reload_success",
    GAUGE_SUM,
    "1 when the last reading of the file was accepted and every worker runs it, else 0.",
)
LOADED_TIMESTAMP = Metric(
    "strangler_config_loaded_timestamp_seconds", GAUGE_SUM, "When the running configuration was loaded."
)
CONFIG_INFO = Metric("strangler_config_info", GAUGE_SUM, "1 for the running configuration.", ("digest",))
GENERATION = Metric("strangler_config_generation", GAUGE_SUM, "Number of the running generation.")
WORKERS = Metric("strangler_workers_accepting", GAUGE_SUM, "Workers that accept connections.")
WORKERS_UNCONFIRMED = Metric(
    "strangler_workers_unconfirmed",
    GAUGE_SUM,
    "Workers that have not said within 2 s that they run what was set: the latest file, a rollback.",
)
WORKER_RESTARTS = Metric(
    "strangler_worker_restarts_total", COUNTER, "Workers replaced because they died or fell silent."
)
CONTROL_RESTARTS = Metric("strangler_control_restarts_total", COUNTER, "Control processes that were replaced.")
BUILD_INFO = Metric("strangler_build_info", GAUGE_SUM, "1 for the running version and build.", ("version", "compiled"))

METRICS = (
    REQUESTS,
    DURATION,
    OVERHEAD,
    UPSTREAM_ERRORS,
    RETRIES,
    POOL_WAITS,
    NOT_ELIGIBLE,
    LOOPS,
    SLOW_CLIENTS,
    LOOKUPS,
    BACKEND_UP,
    BACKEND_IN_FLIGHT,
    FALLBACKS,
    SHADOW_DROPPED,
    COMPARISONS,
    FORGIVEN,
    DIFFERENCES,
    INVARIANT_CHECKS,
    INVARIANT_VIOLATIONS,
    IN_FLIGHT,
    CONNECTIONS,
    LOOP_LAG,
    LOG_LINES_LOST,
    OBSERVER_FAILURES,
    REPORTS_SHED,
    SPANS_LOST,
    TASK_FAILURES,
    ROLLBACKS,
    ROUTE_CHANGES,
    STORE_UP,
    MODERN_WRITES,
    UNTRANSLATED,
    DATA_ROWS,
    DATA_VERIFIED,
    DATA_CHECK,
    WEIGHT,
    STAGE,
    GUARD_LIMIT,
    RELOAD_SUCCESS,
    LOADED_TIMESTAMP,
    CONFIG_INFO,
    GENERATION,
    WORKERS,
    WORKERS_UNCONFIRMED,
    WORKER_RESTARTS,
    CONTROL_RESTARTS,
    BUILD_INFO,
)
BY_NAME = {metric.name: metric for metric in METRICS}
