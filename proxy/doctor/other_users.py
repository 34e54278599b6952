"""Which other users of this machine could reach what listens on loopback.

An address of loopback is closed to other machines, not to other users: a user who can log in here, a program that runs
as another user (PHP's pool, a database) can open a connection to it.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from proxy.doctor.finding import OK, WARNING, Found, Subject
from proxy.settings import parse_address

ROOT = 0
_PEOPLE = range(1000, 65534)
"""Numbers that Debian gives to people; below are its services, above it is `nobody`."""
_NO_SHELLS = ("nologin", "false", "sync", "halt", "shutdown", "")


def other_users(own: int, accounts: Iterable[pwd.struct_passwd], running: Iterable[int]) -> tuple[str, ...]:
    """Return the names of users but `own` and root who can log in or have a process (`running`: user numbers)."""
    known = {one.pw_uid: one.pw_name for one in accounts if _can_log_in(one)}
    for uid in running:
        known.setdefault(uid, _name(uid))
    return tuple(sorted(name for uid, name in known.items() if uid not in (own, ROOT)))


def reachable(subject: Subject) -> Iterator[Found]:
    """Look at who may use an admin port on loopback that asks for no token."""
    admin = subject.snapshot.admin
    address = parse_address(admin.address, subject.base)
    tokens = (admin.token_env, admin.view_token_env)
    if not address.is_loopback or address.path or any(map(subject.environ.get, tokens)):
        return
    users = users_here(absent=True)
    if users:
        what = f"asks for no token, and {', '.join(users)} can reach it on this machine"
        yield Found(WARNING, "admin", what, f"set {admin.token_env} (openssl rand -hex 24)")
    else:
        yield Found(OK, "admin", "asks for no token; this machine has no other users")


def users_here(*, absent: bool) -> tuple[str, ...]:
    """Return the other users of this machine whose programs run now; with `absent` those who may log in as well."""
    return other_users(os.geteuid(), pwd.getpwall() if absent else (), _running())


def _can_log_in(account: pwd.struct_passwd) -> bool:
    return account.pw_uid in _PEOPLE and account.pw_shell.rpartition("/")[2] not in _NO_SHELLS


def _running() -> set[int]:
    """Users of processes; one that ends meanwhile, or is hidden from us, is left out."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.add(process.stat().st_uid)
    return found


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
