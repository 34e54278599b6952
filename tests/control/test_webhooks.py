"""Webhooks get every event once, signed, and nothing waits for them."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from hashlib import sha256

import orjson
import pytest

from proxy.control import webhooks as module
from proxy.control.webhooks import Hook, Notifier, Posting, UndeliveredError, hooks_of, letter
from proxy.storage.store import Event
from rules.model import Notify
from tests.support.backend import Backend, always, ok
from tests.support.waiting import until

HOOK = Hook("http://hooks.test/secret-path", "s3cret", "json", frozenset(), "HOOK_URL")


def event(number: int = 1, name: str = "rollback") -> Event:
    return Event(number, 1_800_000_000.5, name, "profile", "guard", "errors", '{"detail": "6 of 20 <failed>"}')


class Stand:
    """A notifier whose letters are kept, whose pauses are written down; `answers` are what hooks say in turn."""

    def __init__(self, *answers: int | str) -> None:
        self.answers = list(answers)
        self.letters: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.pauses: list[float] = []
        self.told: list[dict] = []
        self.notifier = Notifier(
            self._emit, post=self._post, pause=self._pause, gather=self._gather, clock=lambda: 1_800_000_001.0
        )
        self.notifier.apply_hooks((HOOK,))

    def _emit(self, _event: str, _level: str = "info", /, **fields: object) -> None:
        self.told.append(fields)

    async def _post(self, url: str, body: bytes, fields: Mapping[str, str]) -> int:
        self.letters.append((url, body, fields))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise UndeliveredError(answer)
        return answer

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def _gather(self, _seconds: float) -> None:
        await asyncio.sleep(0)

    async def idle(self) -> None:
        await until(lambda: all(task.done() for task in self.notifier._tasks.values()), "an idle notifier")


async def test_an_event_is_told_as_the_api_tells_it_with_a_signature_over_time_and_body():
    stand = Stand()

    stand.notifier.queue_event(event())
    await stand.idle()

    ((url, body, fields),) = stand.letters
    told = orjson.loads(body)
    wanted = hmac.new(b"s3cret", fields["X-Strangler-Timestamp"].encode() + b"." + body, sha256).hexdigest()
    assert url == HOOK.url
    assert (told["event"], told["route"], told["evidence"]) == ("rollback", "profile", {"detail": "6 of 20 <failed>"})
    assert fields["X-Strangler-Signature"] == f"sha256={wanted}"
    assert fields["X-Strangler-Timestamp"] == "1800000001"
    assert fields["X-Strangler-Event-Id"] == "1"


def test_slack_gets_a_sentence_that_cannot_be_taken_for_markup():
    hook = Hook("http://x", "", "slack", frozenset(), "X")

    body, fields = letter(hook, (event(),), 0.0)

    assert orjson.loads(body) == {"text": "*rollback* of `profile` by guard: errors (6 of 20 &lt;failed&gt;)"}
    assert "X-Strangler-Signature" not in fields


def of(number: int, route: str, name: str = "rollback") -> Event:
    return Event(number, 1_800_000_000.5, name, route, "guard", "errors", "{}")


async def test_rollbacks_together_are_one_letter_with_all_of_them_in_it():
    stand = Stand()

    for number in range(18):
        stand.notifier.queue_event(of(number + 1, f"r{number:02}"))
    stand.notifier.queue_event(of(19, "r00", "resume"))
    await stand.idle()

    first, second = (orjson.loads(body) for _, body, _ in stand.letters)
    assert (first["event"], first["route"], first["reason"]) == ("rollback", None, "errors")
    assert [each["route"] for each in first["events"]] == [f"r{number:02}" for number in range(18)]
    assert first["evidence"]["detail"].startswith("18 routes together: r00, r01")
    assert (second["event"], second["route"]) == ("resume", "r00")


async def test_a_digest_is_tried_again_as_the_same_and_lost_as_many():
    stand = Stand(503, 404)

    stand.notifier.queue_event(of(1, "a"))
    stand.notifier.queue_event(of(2, "b"))
    await stand.idle()

    (_, first, _), (_, again, _) = stand.letters
    assert first == again
    assert stand.notifier.lost == 2


def test_a_digest_for_slack_has_a_line_for_each():
    hook = Hook("http://x", "", "slack", frozenset(), "X")

    body, _ = letter(hook, (of(1, "a"), of(2, "b")), 0.0)

    assert orjson.loads(body)["text"].splitlines()[0] == "*2 rollbacks together*"
    assert len(orjson.loads(body)["text"].splitlines()) == 3


async def test_a_hook_that_fails_is_asked_again_later_and_later_until_it_takes_the_event():
    stand = Stand("ConnectError", 503, 429, 200)

    stand.notifier.queue_event(event())
    await stand.idle()

    assert stand.pauses == [1, 2, 4]
    assert len(stand.letters) == 4
    assert [told["final"] for told in stand.told] == [False] * 3
    assert HOOK.url not in str(stand.told)


async def test_a_refusal_is_final_and_the_next_event_is_told_all_the_same():
    stand = Stand(410, 200)

    stand.notifier.queue_event(event(1, "hold"))
    stand.notifier.queue_event(event(2, "hold"))
    await stand.idle()

    assert [fields["X-Strangler-Event-Id"] for _, _, fields in stand.letters] == ["1", "2"]
    assert (stand.pauses, stand.notifier.lost) == ([], 1)


async def test_nobody_tries_for_ever():
    stand = Stand(*["ConnectError"] * 100)

    stand.notifier.queue_event(event())
    await stand.idle()

    assert len(stand.letters) == module.TRIES
    assert stand.notifier.lost == 1
    assert 300 < sum(stand.pauses) < 900


async def test_a_hook_that_hears_nothing_costs_a_bounded_queue(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "QUEUED", 3)
    stand = Stand()
    never = asyncio.Event()

    async def stuck(_url: str, _body: bytes, _fields: Mapping[str, str]) -> int:
        await never.wait()
        return 200

    stand.notifier._post = stuck
    for number in range(10):
        stand.notifier.queue_event(event(number))
    waiting = [each.id for each in stand.notifier._queues[HOOK]]
    await stand.notifier.close()

    assert waiting == [7, 8, 9]
    assert stand.notifier.lost == 7


async def test_a_hook_hears_only_of_what_it_asked_for():
    stand = Stand()
    stand.notifier.apply_hooks((Hook("http://x", "", "json", frozenset({"advance"}), "X"),))

    stand.notifier.queue_event(event(1))
    stand.notifier.queue_event(event(2, "advance"))
    await stand.idle()

    assert [fields["X-Strangler-Event-Id"] for _, _, fields in stand.letters] == ["2"]


def test_a_hook_without_an_address_is_left_out():
    wanted = (Notify("ONE", "SECRET", "json", ("rollback",)), Notify("TWO"))

    (hook,) = hooks_of(wanted, {"ONE": "http://one", "SECRET": "s"})

    assert (hook.url, hook.secret, hook.events) == ("http://one", "s", frozenset({"rollback"}))
    assert "s3cret" not in repr(HOOK)


async def test_letters_go_out_over_http():
    backend = Backend(always(ok(b"")))
    await backend.start()
    posting = Posting()

    status = await posting.post(f"{backend.url}/hook", b"{}", {"X-A": "b"})
    await backend.stop()
    with pytest.raises(UndeliveredError, match="ConnectError"):
        await posting.post(backend.url, b"{}", {})

    assert status == 200
    assert (backend.requests[0].method, backend.requests[0].target) == ("POST", "/hook")
    assert backend.requests[0].field("x-a") == "b"
    await posting._client.aclose()
