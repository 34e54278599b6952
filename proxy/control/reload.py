"""Two-phase reload in every worker; watches the file; plans what a file would change.

1. read and check the file; if it is broken, emit that and keep everything
2. build the generation here, with overrides on top; on failure the same
3. have every worker build it; if one cannot, the same
4. have the supervisor keep it for later children
5. have every worker run it; one that does not confirm in time is named, and gets it again later
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from watchfiles import awatch

from proxy.control.worker_links import CONFIRM_WITHIN, NotAdoptedError, Workers
from proxy.ipc.messages import Effects, Prepare
from proxy.settings import Settings
from proxy.state.live import Configuration, Prepared, RunTime, by_route
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from rules.model import Override, Snapshot
from rules.plan import Plan, RoutePlan, plan
from rules.problems import ConfigError, Problem
from rules.routing.decide import Generation, generation, with_overrides
from rules.user_sketch import Sample

# What runs now, as control knows it: the configuration, and the outcome of the last reading of the file.


@dataclass(frozen=True, slots=True)
class Current:
    """One moment of control; a new one is made for each change.

    `problems` are those of the last reading, empty when it was accepted. `waiting` names the settings that
    differ in the file but need a restart. `content` is the hash of the file's bytes that were last checked. `file` is
    the number of the generation that brought the file.
    """

    configuration: Configuration
    generation: Generation
    content: str
    problems: tuple[Problem, ...] = ()
    waiting: tuple[str, ...] = ()
    file: int = 1

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings about the file that runs."""
        return self.configuration.warnings

    @property
    def error(self) -> str | None:
        """Why the file on disk does not run, None when it does."""
        return "; ".join(map(str, self.problems)) or None

    def refused(self, problems: tuple[Problem, ...], content: str) -> Current:
        """Return this moment with a refused file."""
        return replace(self, problems=problems, content=content)


def current(configuration: Configuration, file: int | None = None) -> Current:
    """Return the moment in which `configuration` runs, whose file came as generation `file`, by default with it."""
    number = configuration.number if file is None else file
    return Current(configuration, built(configuration), configuration.content, file=number)


def built(configuration: Configuration) -> Generation:
    """Return the generation of `configuration`."""
    return generation(
        configuration.number,
        configuration.snapshot,
        {override.route: override for override in configuration.overrides},
        configuration.legacy_only,
    )


LAST_CALL = 0.25
"""Seconds that workers have for the swap itself where building has used up the time limit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a reload; `changed` says whether another configuration runs now.

    `late` are the slots of workers that have not confirmed in time, `seconds` how long that was waited for.
    """

    ok: bool
    changed: bool
    current: Current
    late: tuple[int, ...] = ()
    seconds: float = 0.0


class Reloader:
    """The only part that publishes. `current` changes here: one reload at a time, overrides in between."""

    def __init__(
        self,
        settings: Settings,
        current: Current,
        workers: Workers,
        *,
        keep: Callable[[Configuration, bytes], None],
        keep_effects: Callable[[int, bytes], None] = lambda *_: None,
        changed: Callable[[Current, Current], None],
        told: Callable[[str, Outcome], None] = lambda *_: None,
        emit: Emit,
    ) -> None:
        self.current = current
        self._path = Path(settings.config)
        self._workers = workers
        self._keep = keep
        self._keep_effects = keep_effects
        self._changed = changed
        self._told = told
        self._emit = emit
        self._one_at_a_time = asyncio.Lock()
        self._settings = settings
        self._last = 0

    async def reload(self, who: str, *, only_if_changed: bool = False) -> Outcome:
        """Read the file now on behalf of `who`; `only_if_changed` skips a content that was checked before."""
        async with self._one_at_a_time:
            if only_if_changed and await asyncio.to_thread(_hash, self._path) == self.current.content:
                return Outcome(not self.current.problems, changed=False, current=self.current)
            self._emit(events.RELOAD_ASKED, who=who)
            try:
                from proxy.control.config_loader import prepare  # the checking libraries come with the first reload

                prepared = await asyncio.to_thread(prepare, self._path)
            except ConfigError as error:
                return self._refuse(who, error.problems, await asyncio.to_thread(_hash, self._path))
            except Exception as error:  # noqa: BLE001 - a fault of our own: no descriptor, no memory
                problem = Problem(str(self._path), 1, 1, f"cannot be checked now: {error!r}", "it is looked at again")
                return self._refuse(who, (problem,), "")
            return await self._adopt(who, prepared)

    def put_into_effect(self, overrides: Iterable[Override]) -> asyncio.Task[tuple[int, ...]]:
        """Run the same file with these overrides, all there are, workers first; returns the late slots."""
        before = self.current
        latest = RunTime(self._next_number(), tuple(overrides))
        payload = latest.pack()
        applied = self._workers.effect(Effects(latest.number, payload))
        self._keep_effects(latest.number, payload)
        self.current = replace(
            before,
            configuration=replace(before.configuration, number=latest.number, overrides=latest.overrides),
            generation=with_overrides(before.generation, latest.number, by_route(latest.overrides)),
        )
        self._changed(before, self.current)
        return applied

    async def _adopt(self, who: str, prepared: Prepared) -> Outcome:
        try:
            began = time.monotonic()
            configuration, message = await self._publish(prepared)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new one, the old one stays
            reason = str(error) if isinstance(error, NotAdoptedError) else repr(error)
            problem = Problem(str(self._path), 1, 1, f"cannot be put into effect: {reason}")
            return self._refuse(who, (problem,), prepared.content)
        waiting = tuple(needs_restart(self._settings, prepared.snapshot))
        self.current = replace(self.current, content=prepared.content, problems=(), waiting=waiting)
        left = CONFIRM_WITHIN - (time.monotonic() - began)
        late = await self._workers.commit(message, max(left, LAST_CALL))
        self._emit_adopted(who, configuration)
        outcome = Outcome(ok=True, changed=True, current=self.current, late=late, seconds=time.monotonic() - began)
        self._told(who, outcome)
        return outcome

    async def _publish(self, prepared: Prepared) -> tuple[Configuration, Prepare]:
        """Build `prepared` here and in every worker, send it to the supervisor.

        An override that is set while workers build does not wait: they build once more, with it on top.
        """
        while True:
            under = self.current.configuration
            configuration = replace(adopted(under, prepared), number=self._next_number())
            payload = configuration.pack()
            message = Prepare(configuration.number, payload)
            generation = await asyncio.to_thread(built, configuration)
            await self._workers.prepare(message)
            if self.current.configuration is under:
                break
        self._keep(configuration, payload)
        # on top of an older file as well, in case this one crashes workers that start with it
        self._keep_effects(configuration.number, RunTime(configuration.number, configuration.overrides).pack())
        before = self.current
        self.current = replace(before, configuration=configuration, generation=generation, file=configuration.number)
        self._changed(before, self.current)
        return configuration, message

    def _next_number(self) -> int:
        """Return a number that no generation had: one that was prepared and dropped is not used again."""
        self._last = max(self._last, self.current.configuration.number) + 1
        return self._last

    def _emit_adopted(self, who: str, configuration: Configuration) -> None:
        current = self.current
        self._emit(events.RELOAD, who=who, generation=configuration.number, config=configuration.snapshot.digest)
        for warning in current.warnings:
            self._emit(events.CONFIG_WARNING, "warning", problem=str(warning))
        if current.waiting:
            self._emit(events.CONFIG_NEEDS_RESTART, "warning", settings=current.waiting)

    def _refuse(self, who: str, problems: tuple[Problem, ...], content: str) -> Outcome:
        self.current = self.current.refused(problems, content)
        self._emit(
            events.CONFIG_REFUSED,
            "error",
            who=who,
            problems=[str(problem) for problem in problems],
            still=self.current.configuration.snapshot.digest,
        )
        outcome = Outcome(ok=False, changed=False, current=self.current)
        self._told(who, outcome)
        return outcome


def adopted(before: Configuration, prepared: Prepared) -> Configuration:
    """Return what runs once `prepared` has replaced `before`: everything but the file stays."""
    return Configuration(
        before.number + 1,
        prepared.snapshot,
        before.overrides,
        before.legacy_only,
        time.time(),
        prepared.content,
        prepared.warnings,
        before.sticky_key,
        before.jwt_key,
    )


def needs_restart(started: Settings, new: Snapshot) -> Iterator[str]:
    """Yield the settings that are fixed while the processes live, where `new` wants another value."""
    pairs: dict[str, tuple[object, object]] = {
        "listen.address": (started.listen, new.listen.address),
        "listen.workers": (started.file_workers, new.listen.workers),
        "listen.tls": (started.tls, new.listen.tls is not None),
        "listen.mode": (started.mode, new.listen.mode),
        "listen.group": (started.group, new.listen.group),
        "admin.address": (started.admin, new.admin.address),
        "admin.tls": (started.admin_tls, new.admin.tls is not None),
        "store": (started.store, new.store),
    }
    return (key for key, (running, wanted) in pairs.items() if running != wanted)


def _hash(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        # a file that cannot be read counts as a content of its own: reported once, not at every reading
        return repr(error)


# Notices that the configuration file has changed.
#
# The folder is watched, not the file: editors, Ansible, Kubernetes replace files instead of writing them, which a
# watch on the file sees once, then never again. A slow look at the content finds what no watch reports.


LOOK_EVERY = 5.0
SETTLE = 0.1
"""Seconds without a change after which a file counts as completely written."""
SETTLED_WITHIN = 5.0


async def settled(path: Path, pause: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
    """Return when `path` has not changed for SETTLE, after SETTLED_WITHIN at the latest.

    A program that writes a file in place empties it first: what is there meanwhile is a mistake at best, and at worst
    a valid file with half of the routes.
    """
    before = _stamp(path)
    for _ in range(round(SETTLED_WITHIN / SETTLE)):
        await pause(SETTLE)
        now = _stamp(path)
        if now == before:
            return
        before = now


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what differs between two versions of a file; of one that is not there, nothing."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


async def watch(folder: Path, look: Callable[[], Awaitable[object]]) -> None:
    """Call `look` after each change in `folder`, for ever."""
    while True:
        # no inotify, or its limit or that of descriptors is reached: the periodic reading remains, and this is tried
        # again
        with suppress(OSError):
            await _events(folder, look)
        await asyncio.sleep(LOOK_EVERY)


async def _events(folder: Path, look: Callable[[], Awaitable[object]]) -> None:
    async for _ in awatch(folder, recursive=False, debounce=400, step=50):
        await look()


async def look_slowly(look: Callable[[], Awaitable[object]]) -> None:
    """Call `look` every few seconds, for ever."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await look()


# Computes what a file would change and for which users, with the same steps as a reload.


def planned(
    settings: Settings,
    current: Current,
    text: str,
    seen: Mapping[str, Sample],
    all_workers: Sample,
    *,
    variables: bool,
) -> dict[str, Any]:
    """Return the plan of putting `text` in the file's place, as JSON-ready values; ConfigError as a reload would.

    `variables` says whether the text may name environment variables of ours. Takes as long as a reload: for a thread,
    not for the event loop.
    """
    from proxy.control.config_loader import prepare_text  # the checking libraries are loaded when they are needed

    prepared = prepare_text(text, Path(settings.config), variables=variables)
    after = built(adopted(current.configuration, prepared))
    found = plan(current.generation, after, seen, all_workers)
    return {
        "routes": [_route(route) for route in found.routes],
        "settings": list(_settings(found, tuple(needs_restart(settings, prepared.snapshot)))),
        "users": {"sampled": len(all_workers.users), "estimated": all_workers.estimated},
        "applied": prepared.snapshot.digest == current.configuration.snapshot.digest,
        "warnings": [asdict(warning) for warning in prepared.warnings],
    }


def _route(route: RoutePlan) -> dict[str, Any]:
    return {
        "name": route.name,
        "change": route.change,
        "what": list(route.what),
        "weight": {"before": route.before, "after": route.after},
        "users": asdict(route.users),
    }


def _settings(found: Plan, waiting: tuple[str, ...]) -> Iterator[str]:
    yield from found.settings
    if waiting and found.settings:
        yield f"waiting for a restart: {', '.join(waiting)}"
