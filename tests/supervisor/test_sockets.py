"""One address belongs to one proxy."""

from __future__ import annotations

import grp
import os
import socket
import stat
from pathlib import Path

import pytest

from proxy.settings import Address, AddressTakenError, BadAddressError, CannotStartError, parse_address
from proxy.supervisor.sockets import Owner, listen_alone, listen_shared


def test_every_worker_gets_a_socket_of_its_own_on_the_same_port():
    sockets, real = listen_shared(Address("127.0.0.1", 0), 3)

    assert {sock.getsockname() for sock in sockets} == {("127.0.0.1", real.port)}
    assert len({sock.fileno() for sock in sockets}) == 3
    close(sockets)


def test_the_kernel_spreads_connections_over_all_of_them():
    sockets, real = listen_shared(Address("127.0.0.1", 0), 2)
    clients = [socket.create_connection(("127.0.0.1", real.port)) for _ in range(64)]
    for sock in sockets:
        sock.setblocking(False)

    accepted = [drained(sock) for sock in sockets]

    assert sum(accepted) == 64
    assert min(accepted) > 0
    close([*sockets, *clients])


@pytest.mark.parametrize("count", [1, 2])
def test_a_second_proxy_on_the_address_is_refused(count: int):
    sockets, real = listen_shared(Address("127.0.0.1", 0), count)

    with pytest.raises(AddressTakenError, match=f"127.0.0.1:{real.port} is in use"):
        listen_shared(real, count)

    close(sockets)


def test_a_port_that_any_other_program_shares_is_refused_too():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()

        with pytest.raises(AddressTakenError):
            listen_alone(Address("127.0.0.1", other.getsockname()[1]))


def test_an_address_of_another_machine_says_so():
    with pytest.raises(CannotStartError, match=r"cannot listen on 192\.0\.2\.1:0: Cannot assign"):
        listen_alone(Address("192.0.2.1", 0))


def test_a_file_that_is_no_socket_is_never_removed(tmp_path: Path):
    (tmp_path / "precious").write_text("data")

    with pytest.raises(CannotStartError, match="exists and is no socket"):
        listen_alone(Address(path=str(tmp_path / "precious")))

    assert (tmp_path / "precious").read_text() == "data"


@pytest.mark.parametrize(
    ("text", "said", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080", True),
        ("[::1]:8080", "[::1]:8080", True),
        ("localhost:1", "localhost:1", True),
        (":8080", "0.0.0.0:8080", False),
        ("[::]:80", "[::]:80", False),
        ("10.0.0.1:80", "10.0.0.1:80", False),
        ("example.test:80", "example.test:80", False),
        ("unix:/run/x.sock", "unix:/run/x.sock", True),
    ],
)
def test_addresses_are_read_as_operators_write_them(text: str, said: str, loopback: bool):
    address = parse_address(text)

    assert (str(address), address.is_loopback) == (said, loopback)


@pytest.mark.parametrize(
    "text", ["", "8080", "host", "host:", "host:x", "host:70000", "host:-1", "unix:", "host:\uff18\uff10"]
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(BadAddressError):
        parse_address(text)


def drained(sock: socket.socket) -> int:
    count = 0
    while True:
        try:
            sock.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177, 0o777])
def test_the_admin_socket_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        sock, address = listen_alone(Address(path=str(tmp_path / "admin.sock")))
    finally:
        assert os.umask(before) == umask

    assert stat.S_IMODE(Path(address.path).stat().st_mode) == 0o600
    close([sock])


@pytest.mark.parametrize(("mode", "seen"), [("0660", 0o660), ("660", 0o660), ("0600", 0o600)])
def test_the_users_socket_has_the_mode_that_the_file_says(tmp_path: Path, mode: str, seen: int):
    before = os.umask(0o077)
    try:
        sockets, address = listen_shared(Address(path=str(tmp_path / "users.sock")), 2, owner=Owner(mode))
        group = listen_shared(
            Address(path=str(tmp_path / "g.sock")), 1, owner=Owner(mode, grp.getgrgid(os.getgid()).gr_name)
        )[0]
    finally:
        os.umask(before)

    assert stat.S_IMODE(Path(address.path).stat().st_mode) == seen
    assert stat.S_IMODE((tmp_path / "g.sock").stat().st_mode) == seen
    close([*sockets, *group])


def test_a_group_that_is_not_there_leaves_no_socket_behind(tmp_path: Path):
    with pytest.raises(CannotStartError, match=r"no-such-group.*listen\.group"):
        listen_shared(Address(path=str(tmp_path / "users.sock")), 1, owner=Owner("0660", "no-such-group"))

    assert list(tmp_path.iterdir()) == []
