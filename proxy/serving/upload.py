"""Keeps what of a request's body has not been taken, or may have to be repeated."""

from __future__ import annotations

from typing import Final

PENDING_AT_MOST: Final = 64 * 1024


class Upload:
    """A request body on its way.

    `pending` are pieces that no leg has taken yet; `kept` all pieces while they may have to be repeated
    (None: too large, or never needed); `complete` once the body is whole; `size` counts its bytes.
    """

    __slots__ = ("_keep_at_most", "complete", "kept", "pending", "pending_size", "size", "trailers")

    def __init__(self, *, complete: bool, keep_at_most: int) -> None:
        self.complete = complete
        self.size = 0
        self.trailers: list[str] = []
        self.pending: list[bytes] = []
        self.pending_size = 0
        self.kept: list[bytes] | None = [] if keep_at_most > 0 else None
        self._keep_at_most = keep_at_most

    @property
    def repeatable(self) -> bool:
        """Whether all that came so far could be sent again."""
        return self.kept is not None or self.size == 0

    def came(self, piece: bytes) -> None:
        """Count a piece; keep it while that is affordable."""
        self.size += len(piece)
        if self.kept is not None:
            if self.size > self._keep_at_most:
                self.kept = None
            else:
                self.kept.append(piece)

    def hold(self, piece: bytes) -> bool:
        """Let a piece wait for a leg; False when the client should hold back."""
        self.pending.append(piece)
        self.pending_size += len(piece)
        return self.pending_size <= PENDING_AT_MOST

    def take(self) -> list[bytes]:
        """The pieces that wait; they are the caller's now."""
        pieces = self.pending
        if pieces:
            self.pending, self.pending_size = [], 0
        return pieces

    def rewind(self) -> None:
        """Let everything kept wait again, for another leg."""
        if self.kept is not None:
            self.pending = list(self.kept)
            self.pending_size = self.size


NO_BODY: Final = Upload(complete=True, keep_at_most=0)
"""Shared by every request without a body: nothing in it ever changes."""
