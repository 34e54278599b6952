"""Draws the migration report inside the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards import report as written
from dashboards.html import Html, el
from dashboards.pages.frame import Visitor, page


def migration(report: Mapping[str, Any], visitor: Visitor, state: Html) -> Html:
    """Return the page."""
    table = written.table(report)
    return page(
        "Report",
        "/report",
        visitor,
        el("h1", "Migration report"),
        [el("p", sentence) for sentence in written.summary(report)],
        el("p", _download("Markdown", "md"), " · ", _download("HTML", "html"), " · ", _download("JSON", "json")),
        el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Report"),
        [el("p", line) for line in (*written.retirement_lines(report), *written.resource_lines(report))],
        state=state,
    )


def _download(name: str, form: str) -> Html:
    return el("a", name, href=f"/api/v1/report?format={form}", download=f"migration-report.{form}")
