"""The map names files and functions that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = "proxy|rules|comparators|dashboards|tests|docs"


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_path_leads_somewhere(page: str):
    paths = set(re.findall(rf"`((?:{ROOMS})/[\w./-]*\w)(?::\w+)?`", (ROOT / page).read_text()))

    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_function_of_the_map_is_in_its_file():
    named = re.findall(r"`([\w/]+\.py):(\w+)`", (ROOT / "docs/architecture.md").read_text())

    assert len(named) > 10
    assert [
        f"{path}:{name}"
        for path, name in named
        if not re.search(rf"^\s*(?:async )?(?:def|class) {name}\b", (ROOT / path).read_text(), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("room", ["rules", "comparators", "dashboards", "proxy"])
def test_every_folder_has_its_sentence(room: str):
    table = (ROOT / "docs/architecture.md").read_text()
    folders = {str(face.parent.relative_to(ROOT)) for face in (ROOT / room).rglob("__init__.py")}

    assert sorted(folder for folder in folders if f"| `{folder}` |" not in table) == []
