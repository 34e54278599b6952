"""Whether two addresses name the same style sheet or script, whatever folder and fingerprint a build gave them."""

from __future__ import annotations

import re
from typing import Final

from comparators.context import Context
from comparators.html_volatile import MARK, is_worded, without_version

_TAGS: Final = {"script": "src", "link": "href"}
_ASSET: Final = re.compile(r"(?P<path>/[^?#]*?)(?P<min>\.min)?\.(?P<kind>css|m?js)(?P<query>\?[^#]*)?")
_FINGERPRINT: Final = re.compile(
    r"[.\-_](?:(?=[a-f]{0,64}[0-9])[0-9a-f]{5,64}|(?=[A-Za-z]{0,64}[0-9])[A-Za-z0-9]{20,64}|(?=[^A-Z]{0,7}[A-Z])(?=[^a-z]{0,7}[a-z])[\w-]{8}"
    r"|(?=[A-Z]{0,7}[0-9])[A-Z0-9]{8}|(?=[a-z0-9]{0,15}[0-9][a-z]{1,15}[0-9])[a-z0-9]{8,16})$"
)
"""Hexadecimal, long, mixed as Vite's, in capitals as esbuild's, small letters between digits."""
_FOLDERS: Final = frozenset({"assets", "build", "bundles", "css", "dist", "js", "static"})


def are_one(tag: str, name: str, legacy: str, modern: str, context: Context) -> bool:
    """Whether two addresses in the operator's `asset_paths` are one css or js but for folder and fingerprint."""
    if _TAGS.get(tag) != name:
        return False
    origins = context.origins
    left, right = _stem(origins.bare(legacy, modern=False), context), _stem(origins.bare(modern, modern=True), context)
    if left is None or left != right:
        return False
    context.forgive("asset_paths")
    return True


def _stem(address: str, context: Context) -> str | None:
    """Return the name of an asset without folder and fingerprint; None for what is not an asset in such a folder."""
    found = _ASSET.fullmatch(without_version(address))
    if found is None:
        return None
    path = found["path"]
    folder = next((each for each in context.policy.asset_paths if path.startswith(f"{each}/")), None)
    if folder is None or "/../" in path:
        return None
    steps = path[len(folder) + 1 :].split("/")
    while len(steps) > 1 and steps[0] in _FOLDERS:
        steps.pop(0)
    kind = "js" if found["kind"] == "mjs" else found["kind"]
    query = found["query"] or ""
    return f"{_FINGERPRINT.sub(_fingerprint, '/'.join(steps))}.{kind}{'' if MARK in query else query}"


def _fingerprint(found: re.Match[str]) -> str:
    return found[0] if is_worded(found[0][1:]) else ""
