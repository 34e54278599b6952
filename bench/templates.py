"""Fills in the templates of bench/conf: `@NAME@` becomes the value of that name."""

from __future__ import annotations

from pathlib import Path

CONF = Path(__file__).parent / "conf"


def fill(name: str, folder: Path, **values: object) -> Path:
    """Write `conf/NAME` into `folder` with `values`, `@FOLDER@` among them; return its path."""
    text = (CONF / name).read_text()
    for key, value in {"FOLDER": folder, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    filled = folder / name
    filled.write_text(text)
    return filled
