"""How much of two bodies may be looked at in one comparison: caps, and what is left of each."""

from __future__ import annotations

from typing import Final

MOST_NODES: Final = 2_000_000
"""The number of values that are visited, members and rows alike."""
MOST_TRIALS: Final = 20_000
"""The number of rows of unordered lists that are compared with each other."""
MOST_TRIED_NODES: Final = 300_000
"""The number of values that are visited in them."""
MOST_GLANCES: Final = 60_000
"""The number of pairs of rows that are checked for being obviously unlike."""
MOST_PROOFS: Final = 600_000
"""The further number to prove that a row has no partner at all."""

MOST_CODE: Final = 128 << 10
"""The characters of code in a page's attributes that are read as scripts are; people write a few thousand."""


class Untried(Exception):
    """A search for a better explanation of differences has used up its budget."""


class Budget:
    """What is left of a comparison's caps, whichever of its ways to compare the same uses it up."""

    def __init__(self) -> None:
        self._nodes = MOST_NODES
        self._tried = MOST_TRIED_NODES
        self._trials = MOST_TRIALS
        self._glances = MOST_GLANCES
        self._proofs = MOST_PROOFS
        self._code = MOST_CODE

    def has_nodes(self, nodes: int) -> bool:
        """Count visited values; False beyond the cap: nothing more can be compared."""
        self._nodes -= nodes
        return self._nodes >= 0

    def spend_tried(self, nodes: int) -> None:
        """Count values that are visited to see whether two rows are alike; Untried beyond the cap."""
        self._tried -= nodes
        if self._tried < 0:
            raise Untried

    def spend_trial(self) -> None:
        """Count two rows that are compared with each other; Untried beyond the cap."""
        self._trials -= 1
        if self._trials < 0:
            raise Untried

    def spend_glance(self, *, proof: bool) -> None:
        """Count two rows that are checked quickly, to pair them or to prove that one has no partner.

        Untried beyond the cap.
        """
        if proof:
            self._proofs -= 1
        else:
            self._glances -= 1
        if (self._proofs if proof else self._glances) < 0:
            raise Untried

    def has_code(self, characters: int) -> bool:
        """Count code of an attribute; False beyond the cap: it is a text like any other."""
        self._code -= characters
        return self._code >= 0
