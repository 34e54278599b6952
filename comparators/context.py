"""The state of one comparison: its policy, its limits, its findings so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from comparators.budget import Budget
from comparators.literals import cut_apart
from comparators.model import LONGEST_LITERAL, SHAPES, Capture, Finding, Kind, Reason, made, path_pattern
from comparators.noise_times import Reading
from comparators.origins import Origins, spaced
from comparators.paths import Trail, pointer, renumbered, steps
from comparators.policy import Policy
from comparators.sensitive_names import looks_due, looks_money
from comparators.values import moment, same_instant

if TYPE_CHECKING:
    from comparators.clock import Clocks
    from comparators.legacy_again import Again
    from comparators.noise_families import SharedValues
    from comparators.self_noise import Own

MOST_FINDINGS: Final = 200
MOST_LOOKED_AT: Final = 3_000
"""The number of differences to find where some of them may turn out to be noise; beyond it `legacy_again` is asked."""
_MOST_LISTS: Final = 4096
MOST_NOTES: Final = 50
MORE, MOST_SEEN = "there are more differences than are listed", 1000
DEEPEST: Final = 256
"""PHP writes 512 levels at most, Python's parser about a thousand; handwritten bodies have ten."""

_NUMBER: Final = re.compile(r"(?<![\w.])[0-9][0-9.,']*(?![\w.,'])|[0-9][.,][0-9]")
"""That is no part of a token."""
GLANCED: Final = 16
"""Down to this level a branch is first compared as a whole; each further level would repeat that."""


class Stopped(Exception):
    """A cap was reached: the pair is not compared, for this reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Mark:
    """The amount of findings of a context at some time; made for every row, so nothing that takes long to make."""

    __slots__ = ("differences", "findings", "forgiven", "notes", "seen")

    def __init__(self, context: Context) -> None:
        self.findings = len(context.findings)
        self.differences = context.differences
        self.notes = len(context.notes)
        self.forgiven = context.forgiven.copy()
        self.seen = 0 if context.seen is None else context.seen.added


class Differs(Exception):
    """Two values were compared on trial, and differ."""


class Full(Exception):
    """Enough differences are found."""


class Context:
    """Passed to every body module; all fields but the policy and the captures grow while comparing.

    `legacy` and `modern` are the complete responses (for their media types); the bodies that are compared are handed to
    the modules decoded. `alike` says that both are legacy's (sent twice): what is done to the legacy side
    to bring it into the modern shape is then done to both. `path` is the place of the present text, `label`
    what its neighbours call it, both set only where noise could be in it. `own` are the texts in which legacy differs
    from itself in this pair, `seen` collects them where legacy is compared with itself. `again` is asked where these
    were too many to keep; `documents` are the two JSON values that were compared. `reshaped` says that legacy has
    something only now and then, so that modern's was held against nothing, `lists` where it has several lengths of one,
    `numbered` are the names of its rows where they are a list with gaps; `budget` is what may still be looked at.
    """

    def __init__(
        self, policy: Policy, legacy: Capture, modern: Capture, *, alike: bool = False, most: int = MOST_FINDINGS
    ) -> None:
        self.policy = policy
        self.legacy = legacy
        self.modern = modern
        self.alike = alike
        self.path = "@body"
        self.label = ""
        self.findings: list[Finding] = []
        self.forgiven: dict[str, int] = {}
        self.notes: list[str] = []
        self.differences = 0
        self.most = most
        self.capped = False
        self.charsets: tuple[str, str] | None = None
        self.own: Own | None = None
        self.seen: Own | None = None
        self.again: Again | None = None
        self.documents: tuple[Any, Any] | None = None
        self.reshaped = False
        self.lists: set[str] = set()
        self.numbered: dict[str, list[str]] = {}
        self._shared: SharedValues | None = None
        self._clocks: Clocks | None = None
        self.budget = Budget()
        self._tries = False

    def has(self, rule: str) -> bool:
        """Whether a rule of the preset is on."""
        return rule in self.policy.rules

    def differ(self, path: str, kind: Kind, legacy: str, modern: str, rule: str = "") -> None:
        """Add a finding; literals are cut, and beyond the bound of findings only a note is kept."""
        self.differences += 1
        if self.differences > self.most:
            self.note(MORE)
            return
        if len(legacy) >= LONGEST_LITERAL or len(modern) >= LONGEST_LITERAL:
            legacy, modern = cut_apart(path, legacy, modern)
        self.findings.append(made(Finding, (_printable(path), kind, legacy, modern, rule)))

    @property
    def is_full(self) -> bool:
        """Whether a further finding would only be counted."""
        return self.differences >= self.most

    def mark(self) -> Mark:
        """Return how much there is, to go back to it."""
        return Mark(self)

    def go_back(self, mark: Mark) -> None:
        """Drop the findings since then."""
        del self.findings[mark.findings :], self.notes[mark.notes :]
        self.differences = mark.differences
        self.forgiven = dict(mark.forgiven)
        if self.seen is not None:
            self.seen.go_back(mark.seen)

    def excuse(self, kind: Kind, trail: Trail) -> None:
        """Count a difference as what legacy varies by itself."""
        if kind in SHAPES:
            self.reshaped = True
            if kind == "length" and len(self.lists) < _MOST_LISTS:
                self.lists.add(pointer(trail))
        self.forgive("noise")

    def forgive(self, rule: str, times: int = 1) -> None:
        """Count values that a rule excused."""
        self.forgiven[rule] = self.forgiven.get(rule, 0) + times

    def forgive_all(self, counts: Mapping[str, int]) -> None:
        """Count values by the rules that excused them; below zero takes back."""
        for rule, times in counts.items():
            left = self.forgiven.get(rule, 0) + times
            if left:
                self.forgiven[rule] = left
            else:
                self.forgiven.pop(rule, None)

    def note(self, text: str) -> None:
        """Add a note for the operator, once."""
        if len(self.notes) >= MOST_NOTES:
            return
        shown = _printable(text)
        if shown not in self.notes:
            self.notes.append(shown if len(self.notes) < MOST_NOTES - 1 else "there is more to note than is listed")

    def stop(self, reason: Reason) -> NoReturn:
        """Give up: the pair counts as not compared."""
        raise Stopped(reason)

    def spend(self, nodes: int) -> None:
        """Count visited values against the cap; while trying, against that of trials (Untried)."""
        if self._tries:
            self.budget.spend_tried(nodes)
        elif not self.budget.has_nodes(nodes):
            self.stop("nodes")

    def fork(self, *, whole: bool = False) -> Context:
        """Return an empty context for another way to compare the same, which spends from the same cap.

        Only where `whole` bodies are compared paths are whole, so that legacy's own noise is known there.
        """
        other = self._sharing(Context(self.policy, self.legacy, self.modern, alike=self.alike, most=self.most))
        if whole:
            other.own, other.seen, other.again = self.own, self.seen, self.again
        return other

    def places(self, most: int) -> int:
        """How many places of a page, a text, a document are reported: all where legacy is compared with itself."""
        return most if self.seen is None else MOST_SEEN

    @property
    def minds_places(self) -> bool:
        """Whether it matters where a text stands: noise may be known there."""
        return self.own is not None or self.seen is not None or bool(self.policy.noise_rules)

    def trial(self) -> Context:
        """Return an empty context to see whether two values are alike."""
        made = self.fork()
        made._tries = True  # noqa: SLF001 - of its own kind
        return made

    def adopt(self, other: Context) -> None:
        """Take over the result of another way to compare."""
        for finding in other.findings:
            self.differ(finding.path, finding.kind, finding.legacy, finding.modern, finding.rule)
        for rule, times in other.forgiven.items():
            self.forgive(rule, times)
        for text in other.notes:
            self.note(text)
        self.reshaped = self.reshaped or other.reshaped
        self.lists |= other.lists
        self.numbered |= other.numbered
        self.capped = self.capped or other.capped
        self.documents = other.documents

    def same_text(
        self,
        legacy: str,
        modern: str,
        path: str = "@body",
        place: str = "",
        shown: Callable[[], str] | None = None,
        *,
        name: str = "",
    ) -> bool:
        """Whether two texts are equal once the operator's patterns are blanked and own hosts are undone; counts that.

        For strings inside bodies of every kind and for headers that carry addresses. Learned text noise at the
        path is blanked as well, where the policy lets it; what legacy varies by itself in this pair may vary at
        its `place` of the path, whose display name is `shown`; `name` is what it is called otherwise, as a column is.
        """
        if legacy == modern:
            return True
        for pattern in self.policy.ignore_text:
            legacy, modern = pattern.sub("", legacy), pattern.sub("", modern)
        if legacy == modern:
            self.forgive("ignore_text")
            return True
        if self.has("own_host") and self.origins.same(legacy, modern):
            self.forgive("own_host")
            return True
        if self._same_query(legacy, modern):
            return True
        if place and self.same_clock(legacy, modern, lambda: (name, shown() if shown is not None else "")):
            return True
        name = name or (self.label if path == self.path else "")
        is_money = bool(name) and self.seen is None and looks_money((name,)) and _may_be_sums(name, legacy, modern)
        return not is_money and self.same_but_noise(legacy, modern, path, place, shown)

    def may_be_clock(self, legacy: str, modern: str) -> bool:
        """Whether two texts hold what the rule `clock` could read."""
        if not self.has("clock"):
            return False
        from comparators import clock

        return clock.may_be(legacy) and clock.may_be(modern)

    def same_clock(self, legacy: object, modern: object, names: Callable[[], Sequence[str]]) -> bool:
        """Whether two values differ only by either response's own clock; counts that."""
        if not self.has("clock"):
            return False
        if self._clocks is None:
            from comparators.clock import Clocks

            self._clocks = Clocks(self.legacy, self.modern, self.reading)
        count = self._clocks.same(legacy, modern, names)
        if count:
            self.forgive("clock", count)
        return count > 0

    @property
    def reading(self) -> Reading:
        """How times are read: the zone of legacy's naive ones, and whether another spelling is the same."""
        return made(Reading, (self.policy.zone, self.has("datetime")))

    def same_moment(self, legacy: str, modern: str) -> bool:
        """Whether two whole texts are one instant; counts that."""
        if not self.has("datetime") or (written := moment(legacy.strip())) is None:
            return False
        dated = moment(modern.strip())
        if dated is None or not same_instant(written, dated, self.policy.zone):
            return False
        self.forgive("datetime")
        return True

    def _same_query(self, legacy: str, modern: str) -> bool:
        """Whether two texts are equal once legacy's queries have spaces as modern's do; counts that."""
        if not ("?" in legacy and "+" in legacy and self.has("query_spaces")):
            return False
        plain = spaced(legacy)
        if "+" in modern and "%20" in modern and plain == spaced(modern):
            plain = _mixed(legacy, modern)
        if plain == modern:
            self.forgive("query_spaces")
        elif plain != legacy and self.has("own_host") and self.origins.same(plain, modern):
            self.forgive("query_spaces")
            self.forgive("own_host")
        else:
            return False
        return True

    @property
    def origins(self) -> Origins:
        """The own addresses of both backends."""
        return self.policy.origins

    def without_noise(self, legacy: str, modern: str, path: str = "@body") -> tuple[str, str]:
        """Return two texts with what legacy is known to vary there masked, to see what else differs."""
        if not self.policy.noise_rules or self.policy.noise != "learn":
            return legacy, modern
        from comparators import noise_rules

        rules = self.policy.noise_rules
        return noise_rules.masked_both(rules, path, legacy, modern)

    def same_but_noise(
        self, legacy: str, modern: str, path: str, place: str = "", shown: Callable[[], str] | None = None
    ) -> bool:
        """Whether two texts are equal but for what legacy is known to vary at a path; counts that."""
        return self._same_but_learned(legacy, modern, path, shown) or self._same_but_own(
            legacy, modern, path, place, shown
        )

    def _same_but_learned(self, legacy: str, modern: str, path: str, shown: Callable[[], str] | None = None) -> bool:
        if not self.policy.noise_rules or self.policy.noise != "learn":
            return False
        left, right = self.without_noise(legacy, modern, path)
        if (
            left != right
            and not self._same_query(left, right)
            and not (self.has("own_host") and self.origins.same(left, right))
            and not (shown is not None and self._hidden_there(path, shown(), legacy, modern))
        ):
            return False
        self.forgive("noise")
        return True

    def _hidden_there(self, path: str, place: str, legacy: str, modern: str) -> bool:
        from comparators import noise_rules

        return not looks_money((place,)) and noise_rules.hides_there(
            self.policy.noise_rules, path, place, legacy, modern
        )

    def _same_but_own(self, legacy: str, modern: str, path: str, place: str, shown: Callable[[], str] | None) -> bool:
        """Whether modern's text could be one more of those that legacy gives there; collects legacy's own."""
        if self.seen is not None:
            if place or path != "@body":
                self.seen.add_difference(path, place, legacy, modern, shown() if shown is not None else "")
            return False
        if self.own is None:
            return False
        from comparators import self_noise

        if not self_noise.is_own(self.own, (self.in_legacy(path), place), legacy, modern, self, shown):
            return False
        self.forgive("noise")
        return True

    def is_unordered(self, path: str) -> bool:
        """Whether a pointer leads into a list whose order does not matter."""
        place = self.policy.place
        if place.bare or not path.startswith("/"):
            return False
        for step in steps(path):
            if place.unordered is not None:
                return True
            place = place.step(step)
        return False

    def in_legacy(self, path: str) -> str:
        """Return the pointer in legacy's document to what stands at one in modern's: rows of a list with gaps."""
        return renumbered(path, self.numbered) if self.numbered and path.startswith("/") else path

    def is_alone(self, path: str, value: object) -> bool:
        """Whether no two rows of legacy's document have a value at a place like this, so that it tells its row."""
        if self.documents is None:
            return True
        from comparators.noise_families import SharedValues

        if self._shared is None or self._shared.document is not self.documents[0]:
            self._shared = SharedValues(self.documents[0])
        return self._shared.is_alone(path_pattern(path), value)

    def _sharing(self, other: Context) -> Context:
        other.budget = self.budget
        return other


def _mixed(legacy: str, modern: str) -> str:
    """Return legacy's text with a `+` written as modern does in its place; the two are the same but for that."""
    found = []
    at = to = 0
    while at < len(legacy):
        size = 3 if legacy.startswith("%20", at) else 1
        plus = legacy[at] == "+" and modern.startswith("%20", to)
        found.append("%20" if plus else legacy[at : at + size])
        at, to = at + size, to + (3 if modern.startswith("%20", to) else 1)
    return "".join(found)


def _printable(text: str) -> str:
    """Escape halves of surrogate pairs, which JSON names may contain but which cannot be stored or sent."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _may_be_sums(name: str, legacy: str, modern: str) -> bool:
    """Whether texts that go by a name about money may be some: not without a number, nor sizes in a row of totals."""
    from comparators.noise_rules import is_measure

    if _NUMBER.search(legacy) is None and _NUMBER.search(modern) is None and not looks_due((name,)):
        return False
    return not (is_measure(legacy) and is_measure(modern)) or looks_money((name.lower().replace("total", ""),))
