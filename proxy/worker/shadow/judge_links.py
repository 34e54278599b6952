"""Sends a worker's pairs to judges over connections of its own, several a write, as many as they take.

1. a pair waits in one queue with an end by number as by bytes; when it fills up, each kind of request has its share
2. the judge with the least to do gets what waits, up to a window; it says how many it is done with
3. one that ends is settled when control says how many of its pairs are counted: these are done, the one it was at is
   lost and reported, the others are sent again; a second loss soon after suspends the route for a while, and drops what
   waits of it
4. one that has not moved for far too long is hung up on, control ends it
5. control ends, and with it its judges and all it has counted: whatever was not done is sent to those of the next one

So no pair is counted twice: a judge may have told control of pairs, and end before it tells us. Without judges pairs
wait; what finds no room is not compared, `queue`.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from proxy.ipc.messages import JudgeEnded, JudgeSilent, JudgeWanted, Message, Pair, Rest, Unjudged
from proxy.ipc.pair_frames import NUMBER, PAGE, pack_pair
from proxy.telemetry.request_kinds import kind_of
from proxy.worker.shadow.pair_queue import PairQueue, Waiting
from rules.model import LEGACY

WINDOW: Final = 256
WINDOW_BYTES: Final = 1 << 20
"""What one judge is sent beyond what it is done with; one pair it always gets."""
GATHERS: Final = 0.02
"""Seconds for which a pair waits for others to be sent with: each write wakes a judge up, which holds up users."""
A_WRITE: Final = 16
"""Pairs that do not wait for more."""
WANTED_EVERY: Final = 0.5
SILENT: Final = 15.0
"""Seconds without a pair done, three times what the longest may take."""
AGAIN: Final = 10.0
"""Seconds within which a second judge lost by a route is taken for more than an accident."""
REST: Final = 1.0
"""Seconds that a route rests here, until control says for how long."""
_ALONE: Final = "alone"
_ACKNOWLEDGEMENTS: Final = 4096


class Link:
    """One judge. `sent` are its pairs that are not done, the oldest first; `done` counts the others."""

    def __init__(self, judge: int, sock: socket.socket, page: mmap.mmap, now: float) -> None:
        self.judge = judge
        self.socket = sock
        self.page = page
        self.sent: deque[Waiting] = deque()
        self.bytes = 0
        self.done = 0
        self.moved = now
        self.unsent = b""
        self.received = b""

    def has_room(self, size: int) -> bool:
        """Whether another pair of `size` bytes may be sent."""
        if not self.sent:
            return True
        return not self.unsent and len(self.sent) < WINDOW and self.bytes + size <= WINDOW_BYTES

    def in_hand(self) -> int:
        """Return the place among `sent` of the pair that the judge is at, -1 where it is at none."""
        (number,) = NUMBER.unpack_from(self.page, 0)
        place = int(number) - self.done - 1
        return place if 0 <= place < len(self.sent) else -1


class JudgeLinks:
    """All connections of a worker. Everything changes on the event loop; `emit` reaches control, where there is one.

    `_ended` are those to judges that have ended, until control has said how many of their pairs are counted. That takes
    no longer than control lives, and their pairs are held in the queue's room meanwhile.
    """

    def __init__(self, emit: Callable[[Message], bool], clock: Callable[[], float]) -> None:
        self._emit = emit
        self._clock = clock
        self._queue = PairQueue()
        self._links: list[Link] = []
        self._ended: list[Link] = []
        self._rests: dict[str, float] = {}
        self._lost_at: dict[str, float] = {}
        self._untold: dict[tuple[str, int, str, bool], int] = {}
        self._wanted_at = -WANTED_EVERY
        self._gathering: asyncio.Handle | None = None

    def put(self, pair: Pair) -> None:
        """Have `pair` judged; what finds no room is counted, as what is lost later."""
        now, counts = self._clock(), int(pair.reason != _ALONE)
        if self._rests and self._rests.get(pair.route, 0.0) > now:
            self._unjudged(pair.route, pair.generation, "time", counts)
            return
        status = (pair.legacy if pair.live_side == LEGACY else pair.modern).status
        key = pair.route, kind_of(pair.method, pair.path, status)
        if not self._queue.has_room(key, len(pair.legacy.body) + len(pair.modern.body)):
            self._unjudged(pair.route, pair.generation, "queue", counts)
            return
        self._queue.put(Waiting(pack_pair(pair), pair.route, pair.generation, key, counts))
        waiting, gathering = len(self._queue), self._gathering
        if gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHERS, self._pump)
        elif waiting == A_WRITE:
            # what else this turn of the loop brings goes with it
            gathering.cancel()
            self._gathering = asyncio.get_running_loop().call_soon(self._pump)

    def connect(self, judge: int, descriptor: int, page: int) -> None:
        """Send pairs to this judge as well."""
        sock = socket.socket(fileno=descriptor)
        sock.setblocking(False)  # noqa: FBT003 - the socket API
        link = Link(judge, sock, mmap.mmap(page, PAGE), self._clock())
        os.close(page)
        self._links.append(link)
        asyncio.get_running_loop().add_reader(sock, self._on_readable, link)
        self._pump()

    def rest(self, message: Rest) -> None:
        """Have no pair of this route judged for a while."""
        self._rests[message.route] = self._clock() + message.seconds
        self._drop_waiting(message.route, "time")

    def sweep(self) -> None:
        """Look for judges that are silent, send control the reports it has not taken; to be called twice a second."""
        now = self._clock()
        for link in [link for link in self._links if link.sent and now - link.moved > SILENT]:
            self._emit(JudgeSilent(link.judge))
            self._hang_up(link)
        self._report_lost()
        self._rests = {route: until for route, until in self._rests.items() if until > now}
        self._want()

    def close(self) -> None:
        """Hang up on every judge; what waits is lost."""
        if self._gathering is not None:
            self._gathering.cancel()
        for link in tuple(self._links):
            self._hang_up(link)
        self._forget_ended()

    def judge_ended(self, message: JudgeEnded) -> None:
        """Go on without a judge; its end may not have been read here yet."""
        for link in [link for link in self._links if link.judge == message.judge]:
            self._hang_up(link)
        for link in [link for link in self._ended if link.judge == message.judge]:
            self._settle(link, message)

    def lose_control(self) -> None:
        """Have all pairs judged again that are not done: what control has counted of them has gone with it.

        What the next one says is about judges of its own: their numbers begin anew.
        """
        for link in tuple(self._links):
            self._hang_up(link)
        for link in self._ended:
            self._queue.put_back(link.sent)
        self._forget_ended()

    # ── what is lost ───────────────────────────────────────────────────────────────────────────────────

    def _drop_waiting(self, route: str, reason: str) -> None:
        """Give up what waits of a route: the next pair of it may well end the next judge."""
        for waiting in self._queue.drop(route):
            self._unjudged(route, waiting.generation, reason, waiting.counts)

    def _unjudged(self, route: str, generation: int, reason: str, counts: int, *, cost: bool = False) -> None:
        """Count a pair that was reported as sent, until its outcome can be reported to control."""
        key = route, generation, reason, cost
        self._untold[key] = self._untold.get(key, 0) + counts

    def _report_lost(self) -> None:
        untold, self._untold = self._untold, {}
        for (route, generation, reason, cost), count in untold.items():
            if not self._emit(Unjudged(route, generation, reason, count, cost)):
                self._untold[route, generation, reason, cost] = count

    # ── judges ─────────────────────────────────────────────────────────────────────────────────────────

    def _pump(self) -> None:
        """Send what waits to whom has room, the one with the least to do first."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        while self._queue:
            size = self._queue.next_size
            free = [link for link in self._links if link.has_room(size)]
            if not free:
                self._want()
                return
            self._fill(min(free, key=lambda link: len(link.sent)))

    def _fill(self, link: Link) -> None:
        if not link.sent:
            link.moved = self._clock()
        frames: list[bytes] = []
        while self._queue and (not link.sent or link.has_room(self._queue.next_size)):
            waiting = self._queue.next_pair()
            link.sent.append(waiting)
            link.bytes += len(waiting.frame)
            frames.append(waiting.frame)
        link.unsent += b"".join(frames)
        self._write(link)

    def _write(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        try:
            sent = link.socket.send(link.unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # its end is read in a moment
        link.unsent = link.unsent[sent:]
        if link.unsent:
            loop.add_writer(link.socket, self._write_more, link)

    def _write_more(self, link: Link) -> None:
        asyncio.get_running_loop().remove_writer(link.socket)
        self._write(link)
        if not link.unsent:
            self._pump()

    def _on_readable(self, link: Link) -> None:
        try:
            data = link.socket.recv(_ACKNOWLEDGEMENTS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(link)
            return
        heard = link.received + data
        whole = len(heard) // NUMBER.size * NUMBER.size
        link.received = heard[whole:]
        if whole:
            (number,) = NUMBER.unpack_from(heard, whole - NUMBER.size)
            self._are_done(link, int(number))
            self._pump()

    def _are_done(self, link: Link, number: int) -> None:
        link.moved = self._clock()
        while link.done < number and link.sent:
            link.done += 1
            waiting = link.sent.popleft()
            link.bytes -= len(waiting.frame)
            self._queue.release(waiting)

    def _hang_up(self, link: Link) -> None:
        """Send a judge nothing more; its pairs stay as they are until control says what became of them."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(link.socket)
        loop.remove_writer(link.socket)
        link.socket.close()
        self._links.remove(link)
        self._ended.append(link)

    def _settle(self, link: Link, message: JudgeEnded) -> None:
        """Take what was counted for done; the pair that ended the judge is lost, the others wait for the next one."""
        self._are_done(link, message.counted)
        place = link.in_hand() if message.reason else -1
        others = list(link.sent)
        lost = others.pop(place) if place >= 0 else None
        self._ended.remove(link)
        link.page.close()
        self._queue.put_back(others)
        if lost is not None:
            self._lose(lost, message.reason)
        self._report_lost()
        self._pump()

    def _lose(self, lost: Waiting, reason: str) -> None:
        """Give up a pair that has ended its judge."""
        self._queue.release(lost)
        self._unjudged(lost.route, lost.generation, reason, lost.counts, cost=True)
        now = self._clock()
        last, self._lost_at[lost.route] = self._lost_at.get(lost.route, -AGAIN), now
        if now - last < AGAIN:
            self._rests[lost.route] = now + REST
            self._drop_waiting(lost.route, reason)

    def _forget_ended(self) -> None:
        for link in self._ended:
            link.page.close()
        self._ended = []

    def _want(self) -> None:
        """Ask control for another judge, now and then, as long as pairs wait for one."""
        now = self._clock()
        if self._queue and now - self._wanted_at >= WANTED_EVERY:
            self._wanted_at = now
            self._emit(JudgeWanted(len(self._queue)))
