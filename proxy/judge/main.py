"""The judge process; explains a stored pair.

1. control sends the rules, hands over a connection to each worker
2. of a worker's pairs a batch is judged; what only has to be counted is added up, what differs is sent at once, the
   first few of those that differ alike
3. every quarter of a second, with what differs, or when much is done, control receives the results with how many pairs
   of each worker that makes; then the workers hear that they are done
4. above its share of the processor it rests; what waits meanwhile waits in the workers, which drop what is too much

It waits for nothing else, so no event loop is needed. Its own limit is processor time: the kernel ends it in the
middle of whatever it is doing, a regular expression in C included; an alarm does so where it sleeps.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from proxy.ipc.codec import Inbox, WireError
from proxy.ipc.judge_messages import JUDGE, Case, Exhibit, Explained, Judged, Opinion, Rulebook, Seated, Serve
from proxy.ipc.messages import Message
from proxy.judge.confinement import ALARM_SECONDS, PROCESSOR_SECONDS, confine
from proxy.judge.opinion import Opinions
from proxy.judge.policies import Rules, unpack_rules
from proxy.judge.redaction import UnreadableError, unpack
from proxy.judge.repeats import Repeats, without_responses
from proxy.judge.share import Share
from proxy.judge.tally import Tally, is_settled
from proxy.judge.worker_link import WorkerLink
from proxy.settings import EXIT_NO, EXIT_YES

if TYPE_CHECKING:
    from comparators.explain import Explanation


# Explains a stored pair to a person, in more words than the verdict needs.


def explained(exhibit: Exhibit, opinions: Opinions | None = None) -> Explained:
    """Return the explanation of a packed pair, as lines of text, null when nothing is.

    Where a judge's `opinions` are at hand what counts is written out, what is forgiven folded.
    """
    try:
        pair = unpack(exhibit.payload)
    except UnreadableError:
        return Explained(exhibit.ticket, b"null")
    from comparators.explain import explain, explain_pair  # DeepDiff comes with the first question

    try:
        material = None if opinions is None else opinions.material(pair)
        told = explain(pair.legacy.body, pair.modern.body) if material is None else explain_pair(*material)
        text = "\n".join(_lines(told))
    except Exception as error:  # noqa: BLE001 - the explanation is a courtesy, the findings stand without it
        text = f"no explanation: {type(error).__name__}"
    return Explained(exhibit.ticket, orjson.dumps(text or None))


def _lines(explanation: Explanation) -> Iterator[str]:
    for detail in explanation.details:
        yield f"{detail.path or '(root)'}  {detail.change}: {detail.legacy or '-'} → {detail.modern or '-'}"
    yield from explanation.lines
    if explanation.note:
        yield explanation.note


TOLD_EVERY = 0.25
"""Seconds for which pairs that only have to be counted are added up."""
BATCH = 64
BATCH_SECONDS = 0.05
"""What is judged of one worker's pairs before anything else is looked at."""
_POLITENESS = 5
_CHUNK = 1 << 20
_DESCRIPTORS = 16


def main(arguments: list[str]) -> int:
    """Judge what comes over the inherited socket named by `arguments` until it is closed."""
    _settle()
    with socket.socket(fileno=int(arguments[0])) as control:
        try:
            Judge(control).work()
        except WireError:
            # what a worker sent can be no pair, nor can what follows: it costs the judge, as a pair that crashes it, so
            # that it is sent to no other one; what it is stays unsaid, for it may be anything of a user's
            return EXIT_NO
    return EXIT_YES


def _settle() -> None:
    """Take the processor after users' requests, end when control says so, ignore the terminal."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    with suppress(PermissionError):  # a unit may forbid it: then it is as polite as everything else
        os.nice(_POLITENESS)
    confine()


class Judge:
    """Everything a judge consists of. Changes: the rules as control sends them, `_links` as workers come and go.

    `_told_at` is when the last totals were sent to control.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._inbox = Inbox(JUDGE)
        self._descriptors: deque[int] = deque()
        self._repeats = Repeats()
        self._opinions = Opinions(Rules({}, "2000-01-01"))
        self._links: dict[int, WorkerLink] = {}
        self._tally = Tally()
        self._share = Share()
        self._told_at = time.monotonic()
        self._poll, self._control_alone = select.poll(), select.poll()
        self._poll.register(control, select.POLLIN)
        self._control_alone.register(control, select.POLLIN)

    def work(self) -> None:
        """Judge until control hangs up."""
        gc.freeze()
        self._control.sendall(JUDGE.pack(Seated()))
        while True:
            resting = self._share.rest(time.monotonic())
            poll = self._control_alone if resting else self._poll
            ready = {descriptor for descriptor, _ in poll.poll(self._patience(resting))}
            if self._control.fileno() in ready and not self._read_messages():
                return
            if not resting:
                self._judge_some(ready)
            if time.monotonic() - self._told_at >= TOLD_EVERY:
                self._report()

    def _patience(self, resting: float) -> int:
        """Return for how many milliseconds there is nothing to do unless something comes."""
        if not resting and any(link.has_more for link in self._links.values()):
            return 0
        due = max(0.0, self._told_at + TOLD_EVERY - time.monotonic())
        return int(max(due, resting) * 1000) + 1 if self._is_behind or resting else 60_000

    # ── control ────────────────────────────────────────────────────────────────────────────────────────

    def _read_messages(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, _CHUNK, _DESCRIPTORS)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - the os API
        self._descriptors.extend(descriptors)
        self._inbox.feed(data)
        while (message := self._inbox.next_message()) is not None:
            self._do(message)
        return bool(data)

    def _do(self, message: Message) -> None:
        match message:
            case Rulebook():
                rules = unpack_rules(message.payload)
                if rules.folder and rules.folder not in sys.path:
                    sys.path.append(rules.folder)
                self._opinions = Opinions(rules)
                self._share.allow(rules.processor)
            case Serve():
                descriptor, page = self._descriptors.popleft(), self._descriptors.popleft()
                link = WorkerLink(descriptor, page, message.slot, message.incarnation)
                self._links[link.socket.fileno()] = link
                self._poll.register(link.socket, select.POLLIN)
            case Case() | Exhibit():
                _arm()
                self._control.sendall(JUDGE.pack(self._answer(message)))
                _disarm()
            case _:
                pass

    def _answer(self, message: Case | Exhibit) -> Opinion | Explained:
        return self._opinions.on(message) if isinstance(message, Case) else explained(message, self._opinions)

    # ── workers ────────────────────────────────────────────────────────────────────────────────────────

    def _judge_some(self, ready: set[int]) -> None:
        for descriptor, link in tuple(self._links.items()):
            is_there = descriptor not in ready or link.read()
            self._batch(link)
            if not is_there:
                self._report()  # a worker that has only hung up asks control how many of its pairs are counted
                self._poll.unregister(link.socket)
                del self._links[descriptor]
                link.close()

    def _batch(self, link: WorkerLink) -> None:
        """Judge some of a worker's pairs; each has all the time that a pair may take.

        The clocks are set once: two system calls are a good part of a pair that is only counted.
        """
        if not link.has_more:
            return
        until = time.monotonic() + BATCH_SECONDS
        _arm(BATCH_SECONDS)
        differing: list[Message] = []
        for _ in range(BATCH):
            pair = link.next_pair()
            if pair is None:
                break
            opinion = self._opinions.unless_repeated(Case(0, pair), self._repeats)
            if opinion is None:
                pass
            elif is_settled(opinion):
                self._tally.count_opinion(pair, opinion)
            else:
                bare = without_responses(pair)
                self._repeats.sent_whole(bare, opinion)
                differing.append(Judged(*link.worker, bare, opinion))
            if time.monotonic() > until:
                break
        link.lay_down()
        _disarm()
        if differing or link.is_far_behind:
            self._report(differing)

    @property
    def _is_behind(self) -> bool:
        return any(link.is_behind for link in self._links.values())

    def _report(self, differing: Sequence[Message] = ()) -> None:
        """Send control what was judged, then workers that it is done.

        The last message says how many pairs of each worker are counted with this report: control counts it when it is
        whole, and asks no one else when this judge ends, between the two or at any other time.
        """
        self._told_at = time.monotonic()
        done = tuple([(*link.worker, link.taken) for link in self._links.values() if link.is_behind])
        messages = [*differing, *self._repeats.drain(self._told_at), self._tally.drain_counts(done)]
        if done:
            self._control.sendall(b"".join(JUDGE.pack(message) for message in messages))
        for link in self._links.values():
            link.acknowledge()


def _arm(more: float = 0.0) -> None:
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS + more)
    signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS + more)


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
