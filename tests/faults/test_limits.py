"""What a machine runs out of: file descriptors, disk space, a reliable clock."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

from tests.faults.conftest import Scene
from tests.faults.test_processes import IN_FLIGHT
from tests.support import raw
from tests.support.line import Ended
from tests.support.rollout_rig import RolloutRig
from tests.support.running import Running
from tests.support.waiting import PATIENCE, until

MORE = 40
"""Connections beyond what a worker may open."""


async def test_without_file_descriptors_those_who_are_connected_are_served_and_the_others_afterwards(scene: Scene):
    proxy = scene.proxy
    workers = proxy.pids("worker")
    early = [await proxy.client() for _ in range(2)]
    for client in early:
        await client.ask(raw.get("/read"))
    for worker in workers:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (highest_descriptor(worker) + 5, 4096))
    crowd = [await proxy.client() for _ in range(MORE)]

    meanwhile = [(await client.ask(raw.get("/read"))).status for client in early]
    for client in crowd:
        client.close()
    after = await _served_again(proxy)

    assert meanwhile == [200, 200]
    assert after == 200
    assert proxy.pids("worker") == workers


async def test_a_worker_without_memory_drops_those_it_has_no_room_for_and_serves_the_others(scene: Scene):
    proxy = scene.proxy
    worker, *_ = workers = proxy.pids("worker")
    async with scene.load as load:
        before = resource.prlimit(worker, resource.RLIMIT_AS)
        resource.prlimit(worker, resource.RLIMIT_AS, (address_space(worker), before[1]))
        await asyncio.wait_for(_crowd(proxy), PATIENCE)
        await until(lambda: _out_of_memory(proxy), "a worker without memory in the log")
        await load.more(60)
        resource.prlimit(worker, resource.RLIMIT_AS, before)

    print(f"{load.lost_writes} of {len(load.writes)} writes lost to a worker without memory")
    load.claim()
    assert load.lost_writes <= IN_FLIGHT
    assert {event["pid"] for event in proxy.events if event["event"] == "unexpected"} <= {worker}
    assert proxy.pids("worker") == workers


def _out_of_memory(proxy: Running) -> bool:
    """Whether a worker said so: with an event or, where there is no memory for that either, as the loop says it."""
    said = [event["error"] for event in proxy.events if event["event"] == "unexpected"]
    return any("MemoryError" in text for text in (*said, *proxy.errors))


async def _crowd(proxy: Running) -> None:
    """Come with half a head each, stay until one of them is dropped; they leave as one."""
    crowd: list[raw.RawClient] = []
    try:
        while not any(client.ended for client in crowd):
            crowd.append(await proxy.client())
            crowd[-1].send(raw.get("/read", f"X-Much: {'x' * 30_000}")[:-4])
    finally:
        for client in crowd:
            client.close()


def address_space(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def highest_descriptor(pid: int) -> int:
    return max(int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir())


async def _served_again(proxy: Running) -> int:
    """Who comes while there are no descriptors is sent away by a closed connection; later ones are not."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return (await proxy.get("/read")).status
            except (Ended, OSError):
                await asyncio.sleep(0.05)


async def test_with_a_full_disk_a_rollback_is_in_effect_and_written_once_there_is_room(scene: Scene):
    proxy = scene.proxy
    (control,) = proxy.pids("control")
    before = resource.prlimit(control, resource.RLIMIT_FSIZE)
    # no file may grow: what the kernel says then is what it says of a full disk, for this process alone
    resource.prlimit(control, resource.RLIMIT_FSIZE, (0, before[1]))

    back = await proxy.admin("/api/v1/routes/profile/rollback", method="POST", body={"reason": "disk full"})
    await proxy.event("store_down")
    up = await proxy.metric("strangler_store_up")
    served = (await proxy.get("/api/me", "Cookie: uid=1")).status
    resource.prlimit(control, resource.RLIMIT_FSIZE, before)
    await proxy.event("store_up")
    trail = await proxy.json("/api/v1/events")

    assert (back.status, up, served) == (200, 0, 200)
    assert [event["event"] for event in trail["items"]] == ["rollback"]
    assert await proxy.metric("strangler_store_up") == 1


async def test_a_clock_that_jumps_neither_rolls_back_nor_keeps_from_it(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    for jump in (-86_400.0, 86_400.0):
        rollout_rig.wall.turn(jump)
        await rollout_rig.seconds(30, modern=20, legacy=20)
    calm = rollout_rig.weight()
    rollout_rig.wall.turn(-3600)

    await rollout_rig.seconds(30, modern=20, errors=20, legacy=20)

    assert calm == 50
    assert rollout_rig.override().rolled_back


async def test_events_keep_their_order_when_the_clock_jumps_back(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.verbs.hold("profile", "ann", "one")
    rollout_rig.wall.turn(-3600)
    await rollout_rig.verbs.resume("profile", "ann", "two")

    assert await rollout_rig.events() == ["hold", "resume"]
