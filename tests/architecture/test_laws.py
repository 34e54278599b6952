"""The laws of docs/architecture.md: which folder may import which."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.architecture.source import PURE, ROOT, SHARED, Module, modules, touches

HELPERS = {
    "rules.config": ("yaml", "pydantic", "pydantic_core"),
    "comparators.explain": ("deepdiff",),
    "comparators.html_tokens": ("selectolax",),
    "comparators.xml_children": ("lxml",),
    "comparators.xml_compare": ("lxml",),
    "comparators.quick_equal": ("orjson",),
    "comparators.content_coding": ("brotli", "backports", "compression"),
}
"""The named helper of one module each; nothing else from outside the standard library enters a pure room."""

WORLD = (
    "asyncio",
    "concurrent",
    "http.client",
    "logging",
    "multiprocessing",
    "random",
    "secrets",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
)
"""What a pure room is handed instead: the time, the random draw, the text."""

DATABASES = ("sqlalchemy", "pymysql", "psycopg", "proxy.data")
"""What only the process that verifies data loads, and the command of that name."""

HEAVY = ("aiohttp", "deepdiff", "httpx", "lxml", "opentelemetry", "prometheus_client", "pydantic", "rich", "selectolax",
         "structlog", "typer", "watchfiles", "yaml")  # fmt: skip
"""What a worker must never load: each costs megabytes in every worker."""


ABOVE = ("proxy.worker", "proxy.control", "proxy.judge", "proxy.state", "proxy.storage", "proxy.supervisor")
"""What lies above messages and records."""

PEOPLE = ("proxy.cli", "proxy.doctor", "proxy.traffic")
"""What a person runs: on top of the drawing, nothing below knows it."""


def named(module: Module) -> str:
    return module.name


def test_a_pure_room_imports_the_standard_library_itself_and_its_one_helper():
    strangers = {module.name: _strangers(module) for module in modules(*PURE)}

    assert {name: found for name, found in strangers.items() if found} == {}


def _strangers(module: Module) -> list[str]:
    helpers = next((helpers for owner, helpers in HELPERS.items() if f"{module.name}.".startswith(f"{owner}.")), ())
    known = {*sys.stdlib_module_names, module.room, *helpers}
    return [
        name
        for name in module.imports
        if name.partition(".")[0] not in known and not f"{name}.".startswith(f"{SHARED}.")
    ]


def test_a_pure_room_is_handed_the_world():
    assert {module.name: touches(module, *WORLD) for module in modules(*PURE) if touches(module, *WORLD)} == {}


@pytest.mark.parametrize("room", [*PURE, "examples"])
def test_nothing_but_tests_and_the_command_imports_proxy(room: str):
    assert {module.name: touches(module, "proxy") for module in modules(room) if touches(module, "proxy")} == {}


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("proxy/worker", ("proxy.control", "proxy.supervisor", "proxy.storage", "proxy.judge", *PEOPLE)),
        ("proxy/control", ("proxy.worker", "proxy.supervisor", *PEOPLE)),
        ("proxy/supervisor", ("proxy.worker", "proxy.control", "proxy.state", "proxy.storage", "rules", *PEOPLE)),
        ("proxy/judge", ("proxy.worker", "proxy.control", "proxy.supervisor", "proxy.state", "asyncio", *PEOPLE)),
        ("proxy/data", ("proxy.worker", "proxy.control", "proxy.supervisor", *PEOPLE)),
        ("proxy/state", ("proxy.worker", "proxy.control", "proxy.supervisor", "proxy.storage", *PEOPLE)),
        ("proxy/storage", ("proxy.worker", "proxy.control", "proxy.supervisor", "proxy.state", *PEOPLE)),
        ("proxy/ipc", (*ABOVE, "rules", *PEOPLE)),
        ("proxy/telemetry", (*ABOVE, "proxy.ipc", *PEOPLE)),
        ("proxy/http1", ("proxy", "asyncio", "socket", "ssl")),
    ],
)
def test_rooms_inside_proxy_know_only_what_the_drawing_shows(room: str, forbidden: tuple[str, ...]):
    own = room.replace("/", ".")
    found = {
        module.name: [name for name in touches(module, *forbidden) if not f"{name}.".startswith(f"{own}.")]
        for module in modules(room)
    }

    assert {name: touched for name, touched in found.items() if touched and touched != ["proxy"]} == {}


def test_no_file_knows_both_worker_and_control():
    both = [
        module.name
        for module in modules("proxy")
        if touches(module, "proxy.worker") and touches(module, "proxy.control")
    ]

    assert both == []


def test_every_change_of_behaviour_goes_through_live_swap():
    assigns = [
        str(module.path)
        for module in modules("proxy")
        if "live.generation =" in module.text and module.name != "proxy.state.live"
    ]

    assert assigns == []


def test_connections_to_sqlite_are_closed_by_whoever_opens_them():
    """A `with` around a connection ends a transaction alone: Python 3.13 warns of it in another test."""
    mark = "with sqlite3." + "connect("
    rooms = ("proxy", "examples", "bench", "docs", "deploy", "tests")
    assert [str(path) for room in rooms for path in (ROOT / room).rglob("*.py") if mark in path.read_text()] == []


def test_nothing_pickles():
    assert [module.name for module in modules("proxy", *PURE) if touches(module, "pickle", "shelve")] == []


def test_marshal_writes_keys_and_is_never_read():
    marshals = [module for module in modules("proxy", *PURE) if touches(module, "marshal")]

    assert [module.name for module in marshals] == ["comparators.row_keys"]
    assert set(re.findall(r"marshal\.(\w+)", "".join(module.text for module in marshals))) == {"dumps"}


@pytest.mark.parametrize(
    ("process", "unwanted"),
    [
        ("proxy.worker.main", (*HEAVY, *DATABASES, "proxy.control", "proxy.cli", "proxy.supervisor")),
        ("proxy.supervisor.main", (*HEAVY, "rules", "uvloop", "httptools", "proxy.control", "proxy.worker")),
        ("proxy.control.main", ("typer", "deepdiff", "httpx", "pydantic", "yaml", "proxy.worker", "proxy.cli")),
        ("proxy.control.main", DATABASES),
        ("proxy.judge.main", DATABASES),
        ("proxy.control.main", ("comparators.comparison", "selectolax", "lxml")),
        (
            "proxy.judge.main",
            (
                "typer",
                "aiohttp",
                "deepdiff",
                "httpx",
                "pydantic",
                "yaml",
                "rich",
                "structlog",
                "prometheus_client",
                "uvloop",
                "proxy.control",
                "proxy.worker",
                "proxy.supervisor",
            ),
        ),
    ],
)
def test_a_process_loads_only_what_its_job_needs(process: str, unwanted: tuple[str, ...]):
    script = f"import {process}, sys; print('\\n'.join(sys.modules))"

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert [name for name in loaded if any(name == each or name.startswith(f"{each}.") for each in unwanted)] == []
