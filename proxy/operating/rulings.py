"""Writes the rules that judges go by: what the file says, what was learned, what is looked at again.

They are sent anew when the file, what was learned, what is over its rate, or the day is another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from proxy.ipc.judge_messages import Rulebook
from proxy.judge.policies import Rules, route_rules
from proxy.operating.judges import Judges
from proxy.operating.known import Rates, limited_ignores
from proxy.operating.noise import Noise
from proxy.state.live import Configuration
from rules.model import Route


class Rulings:
    """The rules as they are now. Changes: the configuration by `follow`, `_lifted` with `_day` by `look`."""

    def __init__(self, judges: Judges, rates: Rates, noise: Noise, folder: Path) -> None:
        self._judges = judges
        self._rates = rates
        self._noise = noise
        self._folder = folder
        self._configuration: Configuration | None = None
        self._routes: Mapping[str, Route] = {}
        self._lifted: dict[str, frozenset[str]] = {}
        self._day = today()

    def follow(self, configuration: Configuration, routes: Mapping[str, Route]) -> None:
        """Have these routes judged by this configuration from now on."""
        self._configuration, self._routes = configuration, routes
        self.publish()

    def look(self) -> bool:
        """Return whether the rules are others now: an ignore hides more than it may, or the day is another one."""
        before = self._lifted, self._day
        self._lifted, self._day = self._over_their_rate(), today()
        return before != (self._lifted, self._day)

    def publish(self) -> None:
        """Send the rules to every judge."""
        configuration = self._configuration
        if configuration is None:
            return
        snapshot = configuration.snapshot
        rules = Rules(
            {
                name: route_rules(snapshot, route, self._noise.rules(name), self._lifted.get(name, frozenset()))
                for name, route in self._routes.items()
            },
            self._day,
            str(self._folder),
            snapshot.diffs.redact,
            snapshot.diffs.bodies,
            blake2b(b"redaction", key=configuration.sticky_key.encode()[:64]).hexdigest(),
        )
        self._judges.rule(Rulebook(rules.pack()))

    def _over_their_rate(self) -> dict[str, frozenset[str]]:
        """Return the ignored paths that are looked at again, by route."""
        if self._configuration is None:
            return {}
        over: dict[str, frozenset[str]] = {}
        for route, limits in limited_ignores(self._configuration.snapshot).items():
            paths = {path for path, most in limits.items() if self._rates.over(route, f"ignore:{path}", most)}
            if paths:
                over[route] = frozenset(paths)
        return over


def today() -> str:
    """Return the day, in UTC, as it is written in a file."""
    return datetime.now(UTC).date().isoformat()
