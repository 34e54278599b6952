"""What changes routes at run time with the real parts, no workers, clocks turned by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxy.control.drill import FrontDoorProbe
from proxy.control.reload import Reloader, current
from proxy.control.rollout import RolloutController
from proxy.control.route_evidence import Judged, NothingJudged, RouteWindows
from proxy.control.worker_links import Workers
from proxy.ipc.messages import Outcomes, PairCounts, Prepare, SideOutcomes
from proxy.settings import Settings
from proxy.state.live import Configuration
from proxy.storage.fleet import Fleet
from proxy.storage.store import MemoryStore, Store
from rules.model import GuardPolicy, Override, Rollout, Route
from tests.support import snapshots
from tests.support.clock import Clock

BACKENDS = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}
NOON = 1_800_000_000.0


def a_route(name: str = "profile", *, rollout: Rollout | None = None, **guard: Any) -> Route:
    """A route with half of its users on modern, judged as `guard` says."""
    return snapshots.route(f"/{name}", name=name, rollout=rollout or Rollout(weight=50.0), guard=GuardPolicy(**guard))


class RolloutRig:
    """`clock` is monotonic, `wall` the time of day; `turn` turns both."""

    def __init__(
        self,
        folder: Path,
        *routes: Route,
        overrides: tuple[Override, ...] = (),
        store: Store | None = None,
        judged: Judged | None = None,
        fleet: Fleet | None = None,
        name: str = "",
    ) -> None:
        self.clock, self.wall = Clock(), Clock(NOON)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.leads = True
        snapshot = snapshots.snapshot(BACKENDS, routes=routes or (a_route(),))
        configuration = Configuration(1, snapshot, overrides)
        self.figures = RouteWindows(snapshot, 1)
        self.workers = Workers(Prepare(1, b""), lambda _: None, self._emit)
        self.effects: list[int] = []
        settings = Settings(
            str(folder / "proxy.yaml"), "127.0.0.1:0", "127.0.0.1:0", "memory", 1, 1, 1.0, tls=False, legacy_only=False
        )
        self.reloader = Reloader(
            settings,
            current(configuration),
            self.workers,
            keep=lambda *_: None,
            keep_effects=lambda number, _: self.effects.append(number),
            changed=lambda *_: None,
            emit=self._emit,
        )
        self.rollout_controller = RolloutController(
            self.reloader,
            self.workers,
            self.figures,
            judged or NothingJudged(),
            store or MemoryStore(overrides),
            self._emit,
            FrontDoorProbe("127.0.0.1:1", tls=False),
            fleet=fleet,
            name=name,
            leads=lambda: self.leads,
            clock=self.clock,
            wall=self.wall,
        )
        self.verbs, self.guard, self.trail = (
            self.rollout_controller.route_actions,
            self.rollout_controller.guard,
            self.rollout_controller.audit_log,
        )
        self.writer = self.rollout_controller.writer

    def _emit(self, event: str, _level: str = "info", /, **fields: Any) -> None:
        self.told.append((event, fields))

    def weight(self, route: str = "profile") -> float:
        """What is in effect now."""
        compiled = self.reloader.current.generation.table.compiled_route_of(route)
        assert compiled is not None
        return compiled.weight

    def override(self, route: str = "profile") -> Override:
        """What is set now."""
        found = self.verbs.override(route)
        assert found is not None
        return found

    def turn(self, seconds: float) -> None:
        self.clock.turn(seconds)
        self.wall.turn(seconds)

    def saw(
        self,
        *,
        modern: int = 0,
        errors: int = 0,
        legacy: int = 0,
        legacy_errors: int = 0,
        generation: int | None = None,
        pairs: PairCounts | None = None,
        route: str = "profile",
    ) -> None:
        """The workers' outcomes of one second, each response after 10 ms."""
        number = generation or self.reloader.current.configuration.number
        sides = tuple(
            SideOutcomes(route, side, number, count, failed, 0, ((-230, count),))
            for side, count, failed in (("modern", modern, errors), ("legacy", legacy, legacy_errors))
            if count
        )
        outcomes = Outcomes(int(self.clock()), sides, (pairs,) if pairs else ())
        self.figures.record_outcomes(outcomes)
        self.rollout_controller.record_outcomes(outcomes)

    async def second(self, **seen: Any) -> None:
        """One second passes in which this is seen, then the guard looks; what it began is done."""
        self.turn(1)
        self.saw(**seen)
        await self.guard.tick()
        for task in tuple(self.guard._tasks._running):
            await task

    async def seconds(self, count: int, **seen: Any) -> None:
        """So many seconds that are all alike."""
        for _ in range(count):
            await self.second(**seen)

    async def events(self) -> list[str]:
        return [event.event for event in await self.trail.since(0, 1000)]
