"""Finds the prepared mirroring of a route; prepares it when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.serving.shadowing.question import UNTRANSLATED, Translations
from proxy.serving.shadowing.route import ShadowRoute
from proxy.serving.transform import translation_of
from rules.model import DEFAULT_ROUTE, Backend, Route

if TYPE_CHECKING:
    from proxy.serving.bound import Bound


class ShadowRoutes:
    """The routes of one configuration. `any`: whether there is something to watch; `sharing`: sessions are, too.

    `mirrored` are those of which some share is.
    `_known` fills as routes are asked for; None stands for a route without a shadow, without invariants. A route that
    is the same under the next configuration keeps what it has come to.
    """

    def __init__(self) -> None:
        self.any = False
        self.sharing = False
        self.mirrored: frozenset[str] = frozenset()
        self._known: dict[str, ShadowRoute | None] = {}
        self._backends: dict[str, Backend] = {}

    def follow(self, bound: Bound) -> None:
        """Know the routes of another generation."""
        snapshot = bound.generation.snapshot
        self._backends = {backend.name: backend for backend in snapshot.backends}
        self.any = any(route.shadow.sample > 0 or route.invariants for route in snapshot.routes)
        self.sharing = any(route.shadow.sample > 0 and route.shadow.session == "share" for route in snapshot.routes)
        self.mirrored = frozenset(route.name for route in snapshot.routes if route.shadow.sample > 0)
        names = {route.name for route in snapshot.routes}
        self._known = {name: known for name, known in self._known.items() if name in names}

    def of(self, bound: Bound, route: Route) -> ShadowRoute | None:
        """The mirroring of `route`; None where it has none."""
        name = route.name
        known = self._known.get(name)
        if known is not None and known.route is route:
            return known
        if name == DEFAULT_ROUTE or not (route.shadow.sample > 0 or route.invariants):
            return None
        made = ShadowRoute(route, self._backends, self._translations(bound, route))
        if known is not None:
            made.take_over(known)
        self._known[name] = made
        return made

    def _translations(self, bound: Bound, route: Route) -> Translations:
        """As for live calls; where a backend of its own stands in for modern, with that one's address."""
        legacy, modern = bound.translations.get(route.name) or UNTRANSLATED
        if route.shadow.backend is not None:
            modern = translation_of(route.modern, self._backends[route.shadow.backend])
        return legacy, modern
