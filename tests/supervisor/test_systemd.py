"""The service manager gets messages through either kind of socket, and cannot delay the supervisor."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from proxy.supervisor.process_manager import PATIENCE, Notifier


def manager(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(address)
    sock.settimeout(2)
    return sock


def test_lines_arrive_as_one_datagram(tmp_path: Path):
    with manager(str(tmp_path / "notify")) as sock:
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}).send_state("READY=1", "STATUS=ready")

        assert sock.recv(100) == b"READY=1\nSTATUS=ready"


def test_a_leading_at_sign_is_the_abstract_namespace(tmp_path: Path):
    name = f"strangler-test-{tmp_path}"
    with manager(f"\0{name}") as sock:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).send_state("READY=1")

        assert sock.recv(100) == b"READY=1"


def test_without_a_manager_nothing_happens(tmp_path: Path):
    Notifier({}).send_state("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send_state("READY=1")


def test_the_watchdog_is_fed_only_where_there_is_one(tmp_path: Path):
    with manager(str(tmp_path / "notify")) as sock:
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}).alive()
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1"}).alive()

        assert sock.recv(100) == b"WATCHDOG=1"
        sock.setblocking(False)
        assert _nothing_more(sock)


def test_a_manager_that_does_not_read_holds_us_up_only_briefly(tmp_path: Path):
    with manager(str(tmp_path / "notify")):
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1"})
        began = time.monotonic()
        for _ in range(12):
            notifier.alive()

        assert time.monotonic() - began < 3 * PATIENCE + 1


def _nothing_more(sock: socket.socket) -> bool:
    try:
        sock.recv(100)
    except BlockingIOError:
        return True
    return False
