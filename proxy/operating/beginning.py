"""Says what is set at run time when the proxy begins: what an earlier run left, or nobody on modern.

A store that cannot be read may hold a rollback. Until it answers every route is on legacy: that is where users were
sent for a reason, or were to begin with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import time

from proxy.storage import kept_overrides
from proxy.storage.store import StoreError
from rules.model import Override, Snapshot

UNKNOWN = "store"
"""The reason of an override that only waits for the store."""


def begun_with(store: str, base: Path, snapshot: Snapshot, complain: Callable[[str], None]) -> tuple[Override, ...]:
    """Return the overrides that the first generation has."""
    try:
        return kept_overrides(store, base)
    except StoreError as error:
        complain(f"{store} cannot be read: {error}; everybody is on legacy until it can")
        return tuple(cautious(snapshot))


def cautious(snapshot: Snapshot) -> Iterator[Override]:
    """Yield what keeps every route on legacy, below anything that a store may know."""
    now = time()
    for route in snapshot.routes:
        if route.rollout.weight or route.rollout.steps or route.rollout.include:
            yield Override(route.name, rolled_back=True, reason=UNKNOWN, who="start", at=now)


def reconciled(
    running: Iterable[Override], kept: Iterable[Override]
) -> tuple[list[Override], list[Override], list[str]]:
    """Return what the store knows better, what it must still be told, which routes have nothing set after all.

    Of each route the higher revision is right: a control process that died may have acted without having written.
    """
    ours, theirs = {one.route: one for one in running}, {one.route: one for one in kept}
    newer = [one for name, one in theirs.items() if name not in ours or one.revision > ours[name].revision]
    untold = [
        one
        for name, one in ours.items()
        if one.reason != UNKNOWN and (name not in theirs or one.revision > theirs[name].revision)
    ]
    forgotten = [name for name, one in ours.items() if one.reason == UNKNOWN and name not in theirs]
    return newer, untold, forgotten
