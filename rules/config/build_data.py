"""The checked `data:` section to its frozen values: names filled in, one value for each side."""

from __future__ import annotations

from rules import data_settings as settings
from rules.config import schema_data as written


def data(section: written.Data) -> settings.DataSettings | None:
    """Return the settings; None where the file names no databases."""
    if section.legacy is None or section.modern is None:
        return None
    limits = section.limits
    return settings.DataSettings(
        legacy=_source(section.legacy),
        modern=_source(section.modern),
        limits=settings.DataLimits(**limits.model_dump()),
        tables=tuple(_table(one) for one in section.tables),
        checks=tuple(_check(one) for one in section.checks),
        every=section.every,
        full_every=section.full_every,
        max_age=section.max_age,
    )


def _source(source: written.Source) -> settings.DataSource:
    return settings.DataSource(source.url, source.password_env, source.timezone)


def _table(table: written.Table) -> settings.DataTable:
    return settings.DataTable(
        name=table.name,
        legacy=_side(table.legacy),
        modern=_side(table.modern),
        columns=tuple(_column(one) for one in table.columns),
        ignore=tuple(table.ignore),
        changed=None if table.changed is None else _column(table.changed),
        totals=tuple(settings.Total(one.sum, one.by) for one in table.totals),
        settle=table.settle,
        routes=tuple(table.routes),
        equivalent=tuple(table.equivalent),
    )


def _side(side: written.TableSide) -> settings.TableSide:
    return settings.TableSide(side.table, tuple(side.key), side.where)


def _column(column: written.Column) -> settings.DataColumn:
    return settings.DataColumn(column.name, column.legacy or column.name, column.modern or column.name, column.convert)


def _check(check: written.Check) -> settings.DataCheck:
    return settings.DataCheck(
        check.name, check.legacy, check.modern, check.equal, check.every, check.on_violation,
        tuple(check.routes), check.settle,
    )  # fmt: skip
