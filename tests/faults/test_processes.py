"""Processes die, hang, are restarted under load behind nginx: no GET is lost, no POST is sent twice."""

from __future__ import annotations

import os
import signal

from tests.faults.conftest import Scene

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


async def test_control_that_is_killed_or_hangs_costs_nobody_anything(scene: Scene):
    async with scene.load as load:
        (control,) = scene.proxy.pids("control")
        os.kill(control, signal.SIGKILL)
        await scene.proxy.event("child_started", count=2, role="control")
        await load.more(40)
        (control,) = scene.proxy.pids("control")
        os.kill(control, signal.SIGSTOP)
        await load.more(40)
        os.kill(control, signal.SIGCONT)

    load.claim()
    assert load.lost_writes == 0


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
