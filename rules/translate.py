"""What a request's target becomes for one side: path from the captured names, query edited, the rest verbatim."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus

from rules.model import QueryEdit, SidePolicy
from rules.pattern import REST

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# What may stand in one segment as it is. `;` is not among them: behind it some servers see parameters.
_SEGMENT = "!$&'()*+,=:@~"


class TranslationError(ValueError):
    """A request or answer that cannot be put into the other side's form; sending it again changes nothing."""


def target(side: SidePolicy, names: Mapping[str, str], path: str, query: str | None) -> str:
    """Return path and query as they are sent to a side; what no rule touches keeps its bytes.

    `names` are what the match captured, `query` is None where the request had no question mark.
    TranslationError where the rewritten path would climb.
    """
    if side.path is not None:
        path = rewritten_path(side.path, names)
    query = edited_query(side.query, query)
    return path if query is None else f"{path}?{query}"


def rewritten_path(template: str, names: Mapping[str, str]) -> str:
    """Put captured names into a path template; each is encoded so that it stays where it is put."""
    ending = ""
    if template.endswith("/**"):
        template = template.removesuffix("/**")
        rest = names.get(REST)
        ending = "" if rest is None else f"/{_encoded(rest)}"
    path = _NAME.sub(lambda found: _encoded(names.get(found.group(1), "")), template) + ending
    if "/." in path and any(segment in {".", ".."} for segment in path.split("/")):
        raise TranslationError("the rewritten path would climb out of the place the route gives it")
    return path or "/"


def edited_query(edit: QueryEdit, query: str | None) -> str | None:
    """Apply rename, remove, set; parameters that no rule names keep their bytes and their order."""
    if not (edit.rename or edit.set or edit.remove):
        return query
    renames = dict(edit.rename)
    gone = {*edit.remove, *(name for name, _ in edit.set)}
    kept: list[str] = []
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        plain = unquote_plus(name, errors="surrogateescape")
        if plain in renames:
            plain = renames[plain]
            part = f"{_parameter(plain)}{equals}{value}"  # noqa: PLW2901 - the part as it goes on
        if plain not in gone:
            kept.append(part)
    kept += [f"{_parameter(name)}={_parameter(value)}" for name, value in edit.set]
    return "&".join(kept) if kept else None


def status_of(side: SidePolicy, status: int) -> int:
    """Return the status a client sees for a side's status."""
    for before, after in side.status:
        if before == status:
            return after
    return status


def _encoded(value: str) -> str:
    """Percent-encode a captured value; its slashes stay, for a regex or a prefix may capture several segments."""
    return quote(value, safe=_SEGMENT + "/", errors="surrogateescape")


def _parameter(text: str) -> str:
    """Encode a name or value of a query; brackets and slashes stay readable, as PHP applications write them."""
    return quote(text, safe="/[]:@!$'()*,~", errors="surrogateescape")
