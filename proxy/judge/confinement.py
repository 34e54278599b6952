"""Takes from a judge what it does not need, as far as Linux allows without being root.

What runs here may be an operator's own function over answers that anybody may have shaped. A judge keeps its user, its
network and the files of that user: who wants more isolation than that gives the whole unit less (see the unit file).

1. no program that it starts gets more rights than it has; for any user but root it starts none at all
2. its memory ends where a judge's work does; when the machine's does, a judge goes first, no worker, not control
3. descriptors: those it was handed, a few for workers; no core file, which would hold what users were answered
"""

from __future__ import annotations

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

MEMORY = 384 << 20
"""Bytes of address space: two bodies of a mebibyte fit whatever they hold, a bomb ends here, in this process."""
PROCESSOR_SECONDS = 2.0
"""Of processor for one pair."""
ALARM_SECONDS = 5.0
"""By the clock: what waits uses no processor."""
DESCRIPTORS = 512
_FIRST_TO_GO = "1000"
_NO_NEW_PRIVILEGES = 38
"""PR_SET_NO_NEW_PRIVS of prctl(2)."""


def confine() -> None:
    """Give up what is not needed; what this kernel does not know stays as it is."""
    ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _limit(resource.RLIMIT_CORE, 0)
    if os.geteuid() != 0:
        # of root's processes the kernel counts none; of others this counts threads of all their processes
        _limit(resource.RLIMIT_NPROC, 0)


def _limit(what: int, most: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    _, hard = resource.getrlimit(what)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (value, value))
