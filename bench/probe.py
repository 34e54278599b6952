"""A separate client that checks responses closely, or just keeps connections open."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator

from bench.backends import SIDE_HEADER, SIZES, body
from bench.load import USERS, head

TIMEOUT = 10.0


class WrongAnswerError(Exception):
    """A response is not what the backends send."""


def check(port: int, size: str, *, sticky: bool, users: int = USERS) -> Counter[str]:
    """Send one request as each of so many users of the load; return how many responses came from each side.

    Raises WrongAnswerError unless every response is a 200 with exactly the right body, both sides respond, and
    (where `sticky`) a second request of a user gets the same side.
    """
    wanted = body(SIZES[size])
    sides: Counter[str] = Counter()
    with _connected(port) as connection:
        for number in range(1, users + 1):
            user = f"user-{number:05d}"
            side = _ask(connection, size, user, wanted)
            sides[side] += 1
            if sticky and number % 8 == 0 and _ask(connection, size, user, wanted) != side:
                raise WrongAnswerError(f"{user} was sent to either side")
    if len(sides) != 2:
        raise WrongAnswerError(f"not both sides answered: {dict(sides)}")
    return sides


@contextlib.contextmanager
def idle_connections(port: int, count: int) -> Iterator[None]:
    """Keep `count` connections open that have had one response each, until the block ends.

    Raises WrongAnswerError when one of them was closed meanwhile: it would cost nothing.
    """
    wanted = body(SIZES["1k"])
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(_connected(port)) for _ in range(count)]
        for number, connection in enumerate(connections):
            _ask(connection, "1k", f"user-{number % USERS:05d}", wanted)
        yield
        closed = sum(map(_is_closed, connections))
        if closed:
            raise WrongAnswerError(f"{closed} of {count} idle connections were closed")


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        yield connection


def _ask(connection: socket.socket, size: str, user: str, wanted: bytes) -> str:
    connection.sendall(head(size, user).encode())
    received = bytearray()
    while (end := received.find(b"\r\n\r\n") + 4) < 4:
        received += _receive(connection)
    status, *fields = received[:end].decode("latin-1").rstrip().split("\r\n")
    if not status.startswith("HTTP/1.1 200 "):
        raise WrongAnswerError(status)
    while len(received) < end + len(wanted):
        received += _receive(connection)
    if received[end:] != wanted:
        raise WrongAnswerError(f"{user} got a body other than the backend's")
    values = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return values.get(SIDE_HEADER.lower(), "")


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.0)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False


def _receive(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 18)
    if not piece:
        raise WrongAnswerError("the connection ended within an answer")
    return piece
