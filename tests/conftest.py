"""What every test relies on: one hypothesis profile, both event loops by name, what files share among processes."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Generator, Mapping
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.scheduler import Scheduling
    from xdist.workermanage import WorkerController

DIED = pytest.StashKey[bool]()
TOGETHER = (
    "tests/console/",
    "tests/examples/",
    "tests/journeys/test_[a-h]",
    "tests/journeys/test_[i-z]",
    "tests/verify_data/",
)
"""Files that one process of tests runs: they share a proxy, PHP, FastAPI, Chromium, MariaDB, PostgreSQL, each of which
costs seconds to start."""

settings.register_profile(
    "house", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "uvloop: runs on uvloop only, as the proxy does")
    config.addinivalue_line("markers", "both_loops: runs on uvloop and on asyncio's own loop")
    # a process started in the background ignores Ctrl-C, as would every process that a test starts
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is collected goes before the end: no search for garbage need look at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Hand out files as `--dist loadfile` does, those in TOGETHER as if they were one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((each for each in TOGETHER if fnmatch(nodeid, f"{each}*")), super()._split_scope(nodeid))

    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController, error: object) -> None:
    """A run in which a process of tests died may not have come to its end: what it did not run is unknown."""
    if error:
        node.config.stash[DIED] = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.stash.get(DIED, False):
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR  # not one after which the failed ones are asked once more


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The data path runs on uvloop; what a test marks so, on asyncio's own loop too."""
    if item.get_closest_marker("uvloop") is not None:
        return {"uvloop": uvloop.new_event_loop}
    if item.get_closest_marker("both_loops") is not None:
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    if "worker" in item.path.parts:
        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
