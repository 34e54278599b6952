"""One worker's access lines: where they go, what the operator hears of those that cannot be written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from proxy.log import names
from proxy.log.access import AccessLog
from proxy.log.events import Tell, lost_line
from proxy.log.writer import LineWriter
from proxy.settings import access_log_target


class AccessLines:
    """The writer of access lines, if any are wanted. `_trouble` is what was told last."""

    def __init__(self, environ: Mapping[str, str], base_dir: Path, tell: Tell) -> None:
        self._tell = tell
        self._trouble = ""
        self._writer: LineWriter | None = None
        target = access_log_target(environ, base_dir)
        if target is not None:
            descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640) if target else 1
            self._writer = LineWriter(descriptor, lambda count: lost_line("worker", count))

    def observer(self) -> AccessLog | None:
        """Return what makes lines of exchanges; None when nobody wants them."""
        return None if self._writer is None else AccessLog(self._writer)

    def lost(self) -> int:
        """Return how many lines nobody will read; tells, once, why they cannot be written."""
        if self._writer is None:
            return 0
        trouble = self._writer.trouble
        if trouble and trouble != self._trouble:
            self._tell(names.LINES_UNWRITTEN, "error", reason=trouble)
        self._trouble = trouble
        return self._writer.lost

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
