"""Writes the dashboards of `dashboards.boards` as JSON files beside this script (`make dashboards`)."""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.boards.differences import DIFFERENCES
from dashboards.boards.gateway import GATEWAY
from dashboards.boards.migration import OVERVIEW, ROUTE
from dashboards.boards.panels import dashboard

BOARDS = (OVERVIEW, ROUTE, DIFFERENCES, GATEWAY)


def texts() -> dict[str, str]:
    """Return each file's name with its content."""
    return {f"{board.uid}.json": json.dumps(dashboard(board), indent=2) + "\n" for board in BOARDS}


def main() -> None:
    """Write them."""
    for name, text in texts().items():
        (Path(__file__).parent / name).write_text(text)


if __name__ == "__main__":
    main()
