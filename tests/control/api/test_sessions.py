"""A login becomes a cookie that proves a role, for a limited time, under this token only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.api.access import COOKIE, LASTS, Access, ConsoleSessions, Session, cookie_of
from proxy.control.api.sessions import KEPT_AS, MOST_NAMES, Revocations
from proxy.settings import Address
from proxy.storage.store import MemoryStore, Store, StoreError
from rules.model import Admin, ListenTls
from tests.support.clock import Clock

TOKENS = {"operate": "the-operators", "view": "the-viewers"}


def test_a_cookie_proves_what_was_shown_without_containing_it():
    sessions = ConsoleSessions(TOKENS, lambda: 1000.0)

    value = sessions.begin("view", "anna@ops")

    assert sessions.shown(value) == Session("view", "anna@ops")
    assert TOKENS["view"] not in value


def test_it_ends():
    value = ConsoleSessions(TOKENS, lambda: 1000.0).begin("operate")

    assert ConsoleSessions(TOKENS, lambda: 1000.0 + LASTS - 1).shown(value).role == "operate"
    assert ConsoleSessions(TOKENS, lambda: 1000.0 + LASTS).shown(value).role == ""


def test_another_token_voids_it():
    value = ConsoleSessions(TOKENS, lambda: 0.0).begin("operate")

    assert ConsoleSessions({"operate": "renewed"}, lambda: 0.0).shown(value) == Session()
    assert ConsoleSessions({"operate": "", "view": ""}, lambda: 0.0).shown(value) == Session()


@pytest.mark.parametrize(("before", "after"), [("view", "operate"), ("anna", "root"), ("44200", "94200")])
def test_nothing_of_it_can_be_changed(before: str, after: str):
    sessions = ConsoleSessions(TOKENS, lambda: 1000.0)
    value = sessions.begin("view", "anna")

    assert before in value
    assert sessions.shown(value.replace(before, after)) == Session()


@given(st.text(max_size=200))
def test_nonsense_proves_nothing(value: str):
    assert ConsoleSessions(TOKENS).shown(value) == Session()


def test_a_name_that_could_confuse_an_audit_trail_is_dropped():
    sessions = ConsoleSessions(TOKENS, lambda: 0.0)

    assert sessions.shown(sessions.begin("view", "a:b\nrollback")) == Session("view", "")


def test_the_cookie_is_found_among_others():
    assert cookie_of(f"a=b; {COOKIE}=x=y; c=d", secure=False) == "x=y"
    assert cookie_of(f"not{COOKIE}=1", secure=False) == ""


def test_under_tls_only_the_cookie_of_this_very_host_counts():
    tossed = f"{COOKIE}=theirs; __Host-{COOKIE}=ours; {COOKIE}=again"

    assert (cookie_of(tossed, secure=True), cookie_of(tossed, secure=False)) == ("ours", "ours")
    assert cookie_of(f"{COOKIE}=first; {COOKIE}=second", secure=True) == ""


@pytest.mark.parametrize("tls", [None, ListenTls("cert.pem", "key.pem")], ids=["behind nginx", "of its own"])
def test_a_plain_cookie_proves_nothing_under_tls(tls: ListenTls | None):
    environ = {"STRANGLER_ADMIN_TOKEN": TOKENS["operate"]}
    access = Access(Admin(tls=tls), Address("127.0.0.1", 0), environ)
    fields = {} if tls else {"x-forwarded-proto": "https"}
    value = access.sessions.begin("operate")

    assert access.role({**fields, "cookie": f"{COOKIE}={value}"}) == ""
    assert access.role({**fields, "cookie": f"__Host-{COOKIE}={value}"}) == "operate"


# ── revoked before their time ──


async def revocations(sessions: ConsoleSessions, store: Store, clock: Clock, *, forgets: bool = False) -> Revocations:
    made = Revocations(store, sessions, forgets=forgets, clock=clock)
    await made.agree()
    return made


async def test_what_is_revoked_is_void_at_once_after_a_restart_and_on_other_instances():
    store, clock = MemoryStore(), Clock()
    here, there = ConsoleSessions(TOKENS, clock), ConsoleSessions(TOKENS, clock)
    ours, theirs = await revocations(here, store, clock), await revocations(there, store, clock)
    anna, tim = here.begin("operate", "anna"), there.begin("view", "tim")
    assert (there.shown(anna).name, here.shown(tim).name) == ("anna", "tim")

    assert await ours.revoke()

    assert (here.shown(anna), here.shown(tim)) == (Session(), Session())
    await theirs.agree()
    restarted = ConsoleSessions(TOKENS, clock)
    await revocations(restarted, store, clock)
    assert [each.shown(anna) for each in (there, restarted)] == [Session()] * 2
    after = here.begin("operate", "anna")
    assert [each.shown(after).name for each in (here, there, restarted)] == ["anna"] * 3


async def test_those_of_one_name_end_alone():
    store, clock = MemoryStore(), Clock()
    sessions = ConsoleSessions(TOKENS, clock)
    revoking = await revocations(sessions, store, clock)
    anna, tim, nameless = (sessions.begin("operate", name) for name in ("anna", "tim", ""))

    await revoking.revoke("anna")

    assert [sessions.shown(each).role for each in (anna, tim, nameless)] == ["", "operate", "operate"]


async def test_a_store_that_is_down_delays_nothing_here_and_is_told_later():
    store, clock = DownStore(), Clock()
    sessions = ConsoleSessions(TOKENS, clock)
    revoking = await revocations(sessions, store, clock)
    value = sessions.begin("operate")

    kept = await revoking.revoke()
    store.down = False
    await revoking.agree()

    assert (kept, sessions.shown(value)) == (False, Session())
    assert await store.value(KEPT_AS) is not None


async def test_until_the_store_is_read_and_where_it_forgets_older_sessions_prove_nothing():
    clock = Clock()
    before = ConsoleSessions(TOKENS, clock)
    await revocations(before, MemoryStore(), clock)
    value = before.begin("operate")
    clock.turn(1)

    unread, forgetful = ConsoleSessions(TOKENS, clock), ConsoleSessions(TOKENS, clock)
    await revocations(unread, DownStore(), clock)
    await revocations(forgetful, MemoryStore(), clock, forgets=True)

    assert [each.shown(value) for each in (unread, forgetful)] == [Session()] * 2
    assert [each.shown(each.begin("view")).role for each in (unread, forgetful)] == ["view"] * 2


async def test_names_without_end_become_one_revocation_of_all():
    store, clock = MemoryStore(), Clock()
    sessions = ConsoleSessions(TOKENS, clock)
    revoking = await revocations(sessions, store, clock)
    sessions.revoked = {f"name{number}": 1 for number in range(MOST_NAMES + 1)}
    tim = sessions.begin("operate", "tim")

    await revoking.revoke("anna")

    assert sessions.shown(tim) == Session()


class DownStore(MemoryStore):
    """A store that does not answer until it does."""

    down = True

    async def value(self, name: str) -> str | None:
        if self.down:
            raise StoreError("down")
        return await super().value(name)
