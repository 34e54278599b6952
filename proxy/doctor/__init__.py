"""Runs every check, none of which can keep the others from running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from proxy.doctor.backends import backends
from proxy.doctor.finding import ERROR, Found, Subject
from proxy.doctor.limits import limits
from proxy.doctor.modes import modes
from proxy.doctor.nginx import nginx
from proxy.doctor.other_users import reachable
from proxy.doctor.ports import ports
from proxy.doctor.stores import stores

_AT_ONCE: Final[tuple[Callable[[Subject], Iterator[Found]], ...]] = (ports, reachable, limits, modes, nginx)
_ASKING: Final[tuple[Callable[[Subject], AsyncIterator[Found]], ...]] = (backends, stores)


async def examined(subject: Subject) -> list[Found]:
    """Everything found, in the order of the checks; a check that breaks is a finding itself."""
    found: list[Found] = []
    for check in _AT_ONCE:
        try:
            found += check(subject)
        except Exception as error:  # noqa: BLE001 - the other checks still report what they find
            found.append(_broken(check.__name__, error))
    for ask in _ASKING:
        try:
            found += [one async for one in ask(subject)]
        except Exception as error:  # noqa: BLE001 - as above
            found.append(_broken(ask.__name__, error))
    return found


def _broken(name: str, error: Exception) -> Found:
    return Found(ERROR, name, f"could not be looked at: {error!r}", "this is a mistake of ours: please report it")
