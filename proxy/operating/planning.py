"""Answers "what would this file change, for whom" with the same steps that a reload takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from proxy.operating.current import Current, built
from proxy.operating.reload import adopted, needs_restart
from proxy.settings import Settings
from rules.plan import Plan, RoutePlan, plan
from rules.user_sketch import Sample


def planned(
    settings: Settings,
    current: Current,
    text: str,
    seen: Mapping[str, Sample],
    everybody: Sample,
    *,
    variables: bool,
) -> dict[str, Any]:
    """Return the plan of putting `text` in the file's place, as JSON-ready values; ConfigError as a reload would.

    `variables` says whether the text may name any of ours. Takes as long as a reload: for a thread, not for
    the event loop.
    """
    from proxy.operating.prepare import prepare_text  # the checking libraries come when they are needed

    prepared = prepare_text(text, Path(settings.config), variables=variables)
    after = built(adopted(current.configuration, prepared))
    found = plan(current.generation, after, seen, everybody)
    return {
        "routes": [_route(route) for route in found.routes],
        "settings": list(_settings(found, tuple(needs_restart(settings, prepared.snapshot)))),
        "users": {"sampled": len(everybody.users), "estimated": everybody.estimated},
        "warnings": [asdict(warning) for warning in prepared.warnings],
    }


def _route(route: RoutePlan) -> dict[str, Any]:
    return {
        "name": route.name,
        "change": route.change,
        "what": list(route.what),
        "weight": {"before": route.before, "after": route.after},
        "users": asdict(route.users),
    }


def _settings(found: Plan, waiting: tuple[str, ...]) -> Iterator[str]:
    yield from found.settings
    if waiting and found.settings:
        yield f"waiting for a restart: {', '.join(waiting)}"
