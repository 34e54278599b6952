"""A companion that notes a write from its beginning to its end, with the things that its body names."""

from __future__ import annotations

from collections.abc import Callable

from proxy.serving.companion import Companion
from proxy.serving.shadowing import things
from proxy.serving.shadowing.around import Around
from proxy.serving.shadowing.writes import Writes


class Writing(Around):
    """One write of these keys; `_keys` grows once the body is whole, `_body` is its beginning until then."""

    def __init__(
        self,
        inner: Companion | None,
        writes: Writes,
        keys: tuple[str, ...],
        target: str,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(inner, self._over)
        self._writes = writes
        self._keys = keys
        self._target = target
        self._clock = clock
        self._body = b""
        writes.begin(keys)

    def request_data(self, piece: bytes) -> None:
        """Keep the beginning, pass it on."""
        if len(self._body) < things.MOST_BYTES:
            self._body += piece[: things.MOST_BYTES - len(self._body)]
        super().request_data(piece)

    def request_end(self) -> None:
        """Note what the body names, pass it on."""
        if self._body:
            more = tuple(key for key in things.in_body(self._target, self._body) if key not in self._keys)
            self._body = b""
            self._keys = (*self._keys, *more)
            self._writes.begin(more)
        super().request_end()

    def _over(self) -> None:
        self._writes.end(self._keys, self._clock())
