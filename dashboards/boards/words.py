"""Spells the queries that several dashboards share."""

from __future__ import annotations

from dashboards.boards.panels import Mark

ROUTES = 'job=~"$job", route=~"$route"'
LIVE = f'{ROUTES}, role="live"'
JOB = 'job=~"$job"'
RATE = "$__rate_interval"


def rate(metric: str, by: str, where: str = ROUTES) -> str:
    """Return the rate of a counter, summed by labels."""
    return f"sum by ({by}) (rate({metric}{{{where}}}[{RATE}]))"


def share(part: str, whole: str) -> str:
    """Return one rate as a share of another: nothing, not 0, where there is nothing to share."""
    return f"{part} / ({whole} > 0)"


def quantile(q: float, metric: str, by: str, where: str) -> str:
    """Return a quantile of a histogram, by labels."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({metric}_bucket{{{where}}}[{RATE}])))"


def limit(name: str) -> str:
    """Return the guard's limit of that name for the routes chosen."""
    return f'max by (route) (strangler_guard_limit{{{ROUTES}, limit="{name}"}})'


COMPARED = rate("strangler_comparisons_total", "route", f'{ROUTES}, result=~"equal|different|noise"')
DIFFERENT = rate("strangler_comparisons_total", "route", f'{ROUTES}, result="different"')
MARKS = (
    Mark(
        "Rollbacks",
        f"sum by (route, reason) (increase(strangler_rollbacks_total{{{ROUTES}}}[1m])) > 0",
        "red",
        "{{route}} rolled back: {{reason}}",
    ),
    Mark(
        "Changes",
        f'sum by (route, verb) (increase(strangler_route_changes_total{{{ROUTES}, verb!="rollback"}}[1m])) > 0',
        "blue",
        "{{route}}: {{verb}}",
    ),
    Mark(
        "Reloads",
        f"changes(strangler_config_loaded_timestamp_seconds{{{JOB}}}[1m]) > 0",
        "purple",
        "configuration loaded",
    ),
)
"""What happened, from counters: no key of Grafana's is needed."""
