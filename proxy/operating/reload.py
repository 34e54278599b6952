"""Brings a changed file to every worker, or keeps the old one with the reason.

1. read and check the file; broken: say so, keep everything
2. lay it under what was set at run time, build the generation here; impossible: the same
3. have every worker build it; one that cannot: the same
4. have the supervisor keep it for later children
5. have every worker run it
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from proxy.link.messages import Prepare
from proxy.log import names
from proxy.log.events import Tell
from proxy.operating.current import Current, built
from proxy.operating.prepared import Prepared
from proxy.operating.workers import NotAdoptedError, Workers
from proxy.settings import Settings
from proxy.state.configuration import Configuration
from rules.model import Snapshot
from rules.problems import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reload went; `changed` says whether another configuration runs now."""

    ok: bool
    changed: bool
    current: Current


class Reloader:
    """The only one who publishes. `current` changes here, one reload at a time."""

    def __init__(
        self,
        settings: Settings,
        current: Current,
        workers: Workers,
        *,
        keep: Callable[[Configuration, bytes], None],
        changed: Callable[[Current, Current], None],
        tell: Tell,
    ) -> None:
        self.current = current
        self._path = Path(settings.config)
        self._workers = workers
        self._keep = keep
        self._changed = changed
        self._tell = tell
        self._one_at_a_time = asyncio.Lock()
        self._settings = settings

    async def reload(self, who: str, *, only_if_changed: bool = False) -> Outcome:
        """Read the file now on behalf of `who`; `only_if_changed` skips a content that was judged before."""
        async with self._one_at_a_time:
            if only_if_changed and await asyncio.to_thread(_hash, self._path) == self.current.content:
                return Outcome(not self.current.problems, changed=False, current=self.current)
            self._tell(names.RELOAD_ASKED, who=who)
            from proxy.operating.prepare import prepare  # the checking libraries come with the first reload

            try:
                prepared = await asyncio.to_thread(prepare, self._path)
            except ConfigError as error:
                return self._refuse(who, error.problems, await asyncio.to_thread(_hash, self._path))
            return await self._adopt(who, prepared)

    async def publish(self, configuration: Configuration) -> None:
        """Bring `configuration` to this process, to every worker, to the supervisor."""
        payload = configuration.pack()
        message = Prepare(configuration.number, payload)
        generation = await asyncio.to_thread(built, configuration)
        await self._workers.prepare(message)
        self._keep(configuration, payload)
        before = self.current
        self.current = replace(before, configuration=configuration, generation=generation)
        self._changed(before, self.current)
        await self._workers.commit(message)

    async def _adopt(self, who: str, prepared: Prepared) -> Outcome:
        configuration = adopted(self.current.configuration, prepared)
        try:
            await self.publish(configuration)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new one, the old one stays
            reason = str(error) if isinstance(error, NotAdoptedError) else repr(error)
            problem = Problem(str(self._path), 1, 1, f"cannot be put into effect: {reason}")
            return self._refuse(who, (problem,), prepared.content)
        waiting = tuple(needs_restart(self._settings, prepared.snapshot))
        self.current = Current(configuration, self.current.generation, prepared.content, (), waiting)
        self._tell_adopted(who, self.current)
        return Outcome(ok=True, changed=True, current=self.current)

    def _tell_adopted(self, who: str, current: Current) -> None:
        snapshot = current.configuration.snapshot
        self._tell(names.RELOAD, who=who, generation=current.configuration.number, config=snapshot.digest)
        for warning in current.warnings:
            self._tell(names.CONFIG_WARNING, "warning", problem=str(warning))
        if current.waiting:
            self._tell(names.CONFIG_NEEDS_RESTART, "warning", settings=current.waiting)

    def _refuse(self, who: str, problems: tuple[Problem, ...], content: str) -> Outcome:
        self.current = self.current.refused(problems, content)
        self._tell(
            names.CONFIG_REFUSED,
            "error",
            who=who,
            problems=[str(problem) for problem in problems],
            still=self.current.configuration.snapshot.digest,
        )
        return Outcome(ok=False, changed=False, current=self.current)


def adopted(before: Configuration, prepared: Prepared) -> Configuration:
    """Return what runs once `prepared` has taken the place of `before`: everything but the file stays."""
    return Configuration(
        before.number + 1,
        prepared.snapshot,
        before.overrides,
        before.legacy_only,
        time.time(),
        prepared.content,
        prepared.warnings,
        before.sticky_key,
    )


def needs_restart(started: Settings, new: Snapshot) -> Iterator[str]:
    """Yield the settings that are fixed while the processes live, where `new` wants another value."""
    pairs: dict[str, tuple[object, object]] = {
        "listen.address": (started.listen, new.listen.address),
        "listen.workers": (started.file_workers, new.listen.workers),
        "listen.tls": (started.tls, new.listen.tls is not None),
        "admin.address": (started.admin, new.admin.address),
        "store": (started.store, new.store),
    }
    return (key for key, (running, wanted) in pairs.items() if running != wanted)


def _hash(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        # a file that cannot be read is a content of its own: told once, not at every look
        return repr(error)
