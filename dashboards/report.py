"""Writes the migration report: every route, legacy beside modern, since the proxy began to count."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from dashboards import retirement
from dashboards.html import NOTHING, Html, count, el, number, percent, seconds, share, span, spoken_moment

Report = Mapping[str, Any]
_COLUMNS = ("Route", "Stage", "Weight", "Side", "Requests", "Requests/s", "P50", "P95", "Error rate", "Mismatch rate",
            "Coverage")  # fmt: skip
_FIRST_NUMBER = 4
_STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;color:#1a211e}
table{border-collapse:collapse;width:100%}th,td{padding:.3em .7em;border-bottom:1px solid #d5dcd8;text-align:left}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}caption{text-align:left;color:#55615c}
tr.first th,tr.first td{border-top:2px solid #b8c2bd}"""
CONTENTS = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
"""What a browser should allow the page: its own stylesheet, nothing else."""


def markdown(report: Report) -> str:
    """Return the report as Markdown (tables as GitHub reads them)."""
    lines = [f"# {_title(report)}", "", *_sentences(report), ""]
    lines += ["", f"| {' | '.join(_COLUMNS)} |", f"|{'|'.join(_rulers())}|"]
    for route in report["routes"]:
        lines += [f"| {' | '.join(map(_escaped, cells))} |" for cells in _rows(route)]
    lines += ["", *(f"- {_escaped(line)}" for line in retirement_lines(report))]
    lines += ["", *(f"- {line}" for line in resource_lines(report))]
    return "\n".join(lines) + "\n"


def page(report: Report) -> Html:
    """Return the report as a document of its own, to be sent around."""
    head = el("head", el("meta", charset="utf-8"), el("title", _title(report)), el("style", Html(_STYLE)))
    resources = [el("p", line) for line in (*retirement_lines(report), *resource_lines(report))]
    body = el(
        "body",
        el("h1", _title(report)),
        [el("p", sentence) for sentence in _sentences(report)],
        table(report),
        resources,
    )
    return Html(f"<!doctype html>{el('html', head, body, lang='en')}")


def table(report: Report) -> Html:
    """Return the report's table alone."""
    heads = [el("th", name, scope="col", class_=_class(place)) for place, name in enumerate(_COLUMNS)]
    rows = [
        el("tr", [_cell(place, text) for place, text in enumerate(cells)], class_="first" if first else None)
        for route in report["routes"]
        for first, cells in zip((True, False), _rows(route), strict=True)
    ]
    caption = el("caption", "Every route, legacy beside modern")
    return el("table", caption, el("thead", el("tr", heads)), el("tbody", rows))


def summary(report: Report) -> tuple[str, ...]:
    """Return the sentences above the table."""
    return tuple(_sentences(report))


def _title(report: Report) -> str:
    return f"Migration report, {spoken_moment(report['at'])} UTC"


def _sentences(report: Report) -> list[str]:
    routes = report["routes"]
    done = sum(route["stage"] == "modern" for route in routes)
    migrated = report["share_migrated"]
    return [
        "No request has come yet."
        if migrated is None
        else f"{share(migrated)} of the requests were answered by modern.",
        f"{done} of {count(len(routes), 'route')} {'is' if len(routes) == 1 else 'are'} all modern.",
        f"Counted over {span(report['seconds'])} under configuration {report['digest'][:12]}.",
        *_data(report.get("data") or {}),
    ]


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known of both databases, where the file names them."""
    if not data.get("configured"):
        return
    yield f"Both databases hold the same in {data['verified']} of {count(data['tables'], 'table')}."
    yield from (f"{each[0].upper()}{each[1:]}." for each in data["unverified"])
    yield from (f"Check {name} is violated." for name in data["violated"])


def _rows(route: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    weight = percent(route["weight"]["effective"])
    return (
        (route["name"], route["stage"].replace("_", " "), weight, *_side(route, "legacy"), "", ""),
        ("", "", "", *_side(route, "modern"), share(route["mismatch_rate"]), share(route["coverage"])),
    )


def _side(route: Mapping[str, Any], side: str) -> tuple[str, ...]:
    """Return a side with its figures; one that answers no user yet with those of its copies, marked as such."""
    live, copies = route[side], (route.get("copies") or {}).get(side)
    if live["requests"] or not copies or not copies["requests"]:
        return (side, *_figures(live))
    return (f"{side} (copies, lately)", *_figures({**copies, "rate": None}))


def _figures(side: Mapping[str, Any]) -> tuple[str, ...]:
    if not side["requests"]:
        return "0", NOTHING, NOTHING, NOTHING, NOTHING
    return (
        f"{side['requests']:,}",
        NOTHING if side["rate"] is None else number(side["rate"]),
        seconds(side["p50"]),
        seconds(side["p95"]),
        share(side["error_rate"]),
    )


def retirement_lines(report: Report) -> list[str]:
    """Yield for each route that modern answers wholly whether legacy's part may go."""
    return retirement.lines(report["routes"])


def resource_lines(report: Report) -> list[str]:
    """Yield what the machine knows of the sides' processes, where it knows anything."""
    return [
        f"{name}: {found['memory_bytes'] / 1e6:,.0f} MB of memory, {found['cpu_seconds']:,.0f} s of CPU, "
        f"{count(found['processes'], 'process', 'processes')}"
        for name, found in (report.get("resources") or {}).items()
    ]


def _cell(place: int, text: str) -> Html:
    return el("th", text, scope="row") if place == 0 else el("td", text, class_=_class(place))


def _class(place: int) -> str | None:
    return "number" if place >= _FIRST_NUMBER else None


def _rulers() -> list[str]:
    return ["---:" if place >= _FIRST_NUMBER else "---" for place in range(len(_COLUMNS))]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
