"""Checks on the `data:` section: references between its entries, and what could never be verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rules.config.route_checks import Plan
from rules.data_settings import DataCheck, DataSettings, DataTable
from rules.problems import WARNING, Finding


def _settings(plan: Plan) -> DataSettings | None:
    return None if "data" in plan.lost else plan.snapshot.data


def databases_missing(plan: Plan) -> Iterator[Finding]:
    """Anything written under `data` needs both databases."""
    if "data" in plan.lost or plan.snapshot.data is not None:
        return
    for key in ("tables", "checks", "every", "legacy", "modern"):
        if plan.is_written(("data", key)):
            message = f"`{key}` needs both databases: `data.legacy` and `data.modern`"
            yield Finding(("data", key), message, 'each with a `url`, such as "postgresql://reader@127.0.0.1/billing"')
            return


def repeated_names(plan: Plan) -> Iterator[Finding]:
    """Names of tables and of checks are unique."""
    data = _settings(plan)
    if data is None:
        return
    for section, named in _sections(data):
        seen: set[str] = set()
        for index, one in enumerate(named):
            if one.name in seen:
                yield Finding(("data", section, index, "name"), f"`{one.name}` is there twice", "choose another name")
            seen.add(one.name)


def unknown_routes(plan: Plan) -> Iterator[Finding]:
    """Routes that wait for a table or are rolled back by a check exist."""
    data = _settings(plan)
    if data is None or len(plan.indexes) != len(plan.snapshot.routes):
        return
    known = {route.name for _, route in plan.routes()}
    for section, named in _sections(data):
        for index, one in enumerate(named):
            for position, route in enumerate(one.routes):
                if route not in known:
                    place = ("data", section, index, "routes", position)
                    yield Finding(place, f"there is no route `{route}`", f"routes are {_listed(known)}")


def unknown_columns(plan: Plan) -> Iterator[Finding]:
    """Totals name compared columns; nothing is both compared and ignored."""
    data = _settings(plan)
    for index, table in enumerate(() if data is None else data.tables):
        place = ("data", "tables", index)
        names = {column.name for column in table.columns}
        for position, total in enumerate(table.totals):
            for key, column in (("sum", total.column), ("by", total.by)):
                if column is not None and column not in names:
                    message = f"`{column}` is not among the compared columns"
                    yield Finding((*place, "totals", position, key), message, f"columns are {_listed(names)}")
        for position, column in enumerate(table.ignore):
            if column in names:
                message = f"`{column}` is compared and ignored"
                yield Finding((*place, "ignore", position), message, "take it off one list")


def uneven_keys(plan: Plan) -> Iterator[Finding]:
    """Both keys have the same parts, in the same order."""
    data = _settings(plan)
    for index, table in enumerate(() if data is None else data.tables):
        if len(table.legacy.key) != len(table.modern.key):
            counts = f"{len(table.legacy.key)} and {len(table.modern.key)}"
            message = f"the keys of both sides have {counts} columns"
            yield Finding(("data", "tables", index, "modern"), message, "name the same parts in the same order")


def rollback_without_routes(plan: Plan) -> Iterator[Finding]:
    """A check that rolls back names the routes."""
    data = _settings(plan)
    for index, check in enumerate(() if data is None else data.checks):
        if check.on_violation == "rollback" and not check.routes:
            message = f"`{check.name}` rolls back, but names no routes"
            yield Finding(("data", "checks", index, "on_violation"), message, "add `routes: [...]`")


def nothing_changed(plan: Plan) -> Iterator[Finding]:
    """A table without a column of its last change is read in full runs only."""
    data = _settings(plan)
    if data is None or not data.every:
        return
    for index, table in enumerate(data.tables):
        if table.changed is None:
            message = f"`{table.name}` names no `changed` column: it is verified in full runs only"
            yield Finding(("data", "tables", index, "name"), message, _hint(data, table), level=WARNING)


def _hint(data: DataSettings, table: DataTable) -> str:
    if table.routes and 0 < data.max_age < data.full_every:
        return "its routes wait as soon as the last full run is older than `max_age`: shorten `full_every`"
    return "add `changed: updated_at` where both sides have such a column"


def _sections(data: DataSettings) -> tuple[tuple[str, tuple[DataTable | DataCheck, ...]], ...]:
    return ("tables", data.tables), ("checks", data.checks)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
