"""Processes crash, hang, are restarted under load behind nginx: no GET is lost, no POST is sent twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

from tests.faults.conftest import Scene
from tests.support.waiting import until

IN_FLIGHT = 6
"""As many calls as there are users: what a process that dies can take with it at most."""


async def test_a_killed_worker_takes_no_read_with_it_and_of_writes_only_those_in_flight(scene: Scene):
    async with scene.load as load:
        for _ in range(2):
            worker = scene.proxy.pids("worker")[0]
            os.kill(worker, signal.SIGKILL)
            await scene.proxy.event("child_exited", pid=worker)
            await load.more(60)

    print(f"{load.lost_writes} of {len(load.writes)} writes were in flight in a killed worker")
    load.claim()
    assert load.lost_writes <= 2 * IN_FLIGHT
    assert await scene.proxy.metric("strangler_worker_restarts_total") == 2


async def test_a_worker_that_hangs_is_replaced_and_its_reads_are_answered_by_others(scene: Scene):
    async with scene.load as load:
        worker = scene.proxy.pids("worker")[0]
        os.kill(worker, signal.SIGSTOP)
        silent = await scene.proxy.event("child_silent", role="worker")
        await load.more(60)

    print(f"{load.lost_writes} of {len(load.writes)} writes were in a worker that hung")
    load.claim()
    assert silent["pid"] == worker
    assert load.lost_writes <= 2 * IN_FLIGHT


async def test_control_that_hangs_or_is_killed_costs_nobody_anything_and_operators_only_time(scene: Scene):
    async with scene.load as load:
        (control,) = scene.proxy.pids("control")
        os.kill(control, signal.SIGSTOP)
        # the socket is the supervisor's: who asks one that hangs is answered by the next one
        asking = asyncio.create_task(scene.proxy.admin("/healthz"))
        silent = await scene.proxy.event("child_silent", role="control")
        answer = await asking
        (successor,) = scene.proxy.pids("control")
        os.kill(successor, signal.SIGKILL)
        await scene.proxy.event("child_started", count=3, role="control")
        await load.more(40)

    load.claim()
    assert load.lost_writes == 0
    assert silent["pid"] == control
    assert answer.status == 200
    assert await scene.proxy.metric("strangler_control_restarts_total") == 2
    assert await scene.proxy.metric("strangler_worker_restarts_total") == 0


async def test_reloads_and_worker_by_worker_restarts_cost_nobody_anything(scene: Scene):
    async with scene.load as load:
        for worker in scene.proxy.pids("worker"):
            scene.proxy.signal(signal.SIGHUP)
            os.kill(worker, signal.SIGTERM)
            await scene.proxy.event("child_exited", pid=worker, status=0)
            await load.more(40)

    load.claim()
    assert load.lost_writes == 0
    assert await scene.proxy.metric("strangler_worker_restarts_total") == 0


async def test_a_supervisor_that_is_killed_leaves_users_to_nginx_which_has_another_way(scene: Scene):
    async with scene.load as load:
        scene.proxy.process.kill()
        await load.more(120)

    print(f"{load.lost_writes} of {len(load.writes)} writes were in flight as everything ended")
    load.claim()
    assert load.lost_writes <= IN_FLIGHT


async def test_a_whole_restart_costs_nobody_anything_and_nginx_comes_back_to_it(scene: Scene):
    proxy = scene.proxy
    async with scene.load as load:
        proxy.signal(signal.SIGTERM)
        code = await proxy.exit_code()
        before = len(proxy.access)
        await load.more(20)  # the manager waits a second: meanwhile all users are on legacy, past the proxy
        meanwhile = len(proxy.access)
        await proxy.again()
        await until(lambda: len(proxy.access) > before + 60, "nginx to come back")

    statuses = Counter(line["status"] for line in proxy.access)
    print(f"{load.lost_writes} of {len(load.writes)} writes lost; the proxy answered {dict(statuses)}")
    load.claim()
    assert code == 0
    assert meanwhile == before
    assert load.lost_writes == 0
    assert not [event for event in proxy.events if event["event"] == "drain_cut"]
