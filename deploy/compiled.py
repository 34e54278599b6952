"""Builds the compiled variant: the same package, its hot modules translated to C by mypyc.

    python deploy/compiled.py [--wheel]

1. copy the rooms to build/compiled, without pyproject.toml: mypyc reads a configuration of its own
2. translate, compile, put the results beside the modules they stand for: PYTHONPATH=build/compiled runs them
3. with --wheel, lay it out as pyproject.toml lays out the plain wheel, pack that as dist/strangler_proxy-….whl, which
   is installed instead of the plain one
4. put the tests beside them, so that the same ones can be run on the compiled modules

It needs a C compiler and Python's headers (Debian: gcc, python3-dev). Nothing depends on the compiled variant: a
module that is not compiled is interpreted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "compiled"
LAYOUT = ROOT / "build" / "wheel"
ROOMS = ("proxy", "rules", "comparators", "dashboards")
BESIDE = ("tests", "bench", "examples", "docs", "deploy")
HOT = (
    "comparators/body_kind.py",
    "comparators/budget.py",
    "comparators/clock.py",
    "comparators/comparison.py",
    "comparators/context.py",
    "comparators/embedded_json.py",
    "comparators/error_bodies.py",
    "comparators/fixed_words.py",
    "comparators/headers.py",
    "comparators/html_as_written.py",
    "comparators/html_attributes.py",
    "comparators/html_compare.py",
    "comparators/html_pieces.py",
    "comparators/html_roles.py",
    "comparators/html_shuffled.py",
    "comparators/html_tokens.py",
    "comparators/html_volatile.py",
    "comparators/json_compare.py",
    "comparators/json_labels.py",
    "comparators/json_parse.py",
    "comparators/json_reshape.py",
    "comparators/json_unordered.py",
    "comparators/legacy_again.py",
    "comparators/literals.py",
    "comparators/model.py",
    "comparators/moved_rows.py",
    "comparators/near_misses.py",
    "comparators/noise_forms.py",
    "comparators/noise_letters.py",
    "comparators/noise_patterns.py",
    "comparators/noise_pieces.py",
    "comparators/noise_rules.py",
    "comparators/noise_times.py",
    "comparators/one_sided.py",
    "comparators/origins.py",
    "comparators/paths.py",
    "comparators/policy.py",
    "comparators/quick_differences.py",
    "comparators/quick_equal.py",
    "comparators/repeated_values.py",
    "comparators/row_guesses.py",
    "comparators/row_keys.py",
    "comparators/row_pairing.py",
    "comparators/row_walk.py",
    "comparators/scalars.py",
    "comparators/self_noise.py",
    "comparators/sensitive_names.py",
    "comparators/spelled_words.py",
    "comparators/text_compare.py",
    "comparators/times_reshaped.py",
    "comparators/timings.py",
    "comparators/values.py",
    "comparators/varying_words.py",
    "comparators/wrapped_json.py",
    "comparators/xml_children.py",
    "comparators/xml_compare.py",
    "proxy/http1/cookies.py",
    "proxy/http1/fields.py",
    "proxy/http1/forwarded.py",
    "proxy/http1/framing.py",
    "proxy/http1/head_cache.py",
    "proxy/http1/request.py",
    "proxy/http1/request_line.py",
    "proxy/http1/response.py",
    "proxy/ipc/pair_frames.py",
    "proxy/judge/opinion.py",
    "proxy/judge/repeats.py",
    "proxy/state/mirror_outcomes.py",
    "proxy/state/request_outcomes.py",
    "proxy/telemetry/access_log.py",
    "proxy/telemetry/records.py",
    "proxy/telemetry/request_kinds.py",
    "proxy/telemetry/spans.py",
    "proxy/telemetry/worker_metrics.py",
    "proxy/worker/client_connection.py",
    "proxy/worker/client_transport.py",
    "proxy/worker/connection_pool.py",
    "proxy/worker/context.py",
    "proxy/worker/forwarded_headers.py",
    "proxy/worker/forwarding.py",
    "proxy/worker/health_checks.py",
    "proxy/worker/pool_growth.py",
    "proxy/worker/request_state.py",
    "proxy/worker/response_relay.py",
    "proxy/worker/responses.py",
    "proxy/worker/retry_policy.py",
    "proxy/worker/route_decision.py",
    "proxy/worker/server.py",
    "proxy/worker/shadow/admission.py",
    "proxy/worker/shadow/conflicts.py",
    "proxy/worker/shadow/judge_links.py",
    "proxy/worker/shadow/live_response.py",
    "proxy/worker/shadow/mirrored_request.py",
    "proxy/worker/shadow/observers.py",
    "proxy/worker/shadow/outcome.py",
    "proxy/worker/shadow/pair_queue.py",
    "proxy/worker/shadow/pair_sender.py",
    "proxy/worker/shadow/request_copy.py",
    "proxy/worker/shadow/response_copy.py",
    "proxy/worker/shadow/route_state.py",
    "proxy/worker/shadow/sender.py",
    "proxy/worker/shadow/services.py",
    "proxy/worker/shadow/session_cookies.py",
    "proxy/worker/shadow/shadow_call.py",
    "proxy/worker/shadow/value_equality.py",
    "proxy/worker/slow_clients.py",
    "proxy/worker/upstream_connection.py",
    "proxy/worker/watched_clients.py",
    "rules/bounded_cache.py",
    "rules/guard/window.py",
    "rules/routing/bucketing.py",
    "rules/routing/compiled_route.py",
    "rules/routing/conditions.py",
    "rules/routing/decide.py",
    "rules/routing/mirroring.py",
    "rules/routing/pattern.py",
    "rules/routing/route_table.py",
    "rules/secret_names.py",
    "rules/token_bucket.py",
)
"""Whatever every request goes through, its copy, two JSON answers that differ.

Plain, typed Python: nothing in it is written for the compiler. `comparators/content_coding.py` is not in it: it imports
another module by version, which mypyc does not follow. Nor is `proxy/worker/bounded_reads.py`, whose class is one of
asyncio's.
"""

SHARED = frozenset(f"comparators/{name}.py" for name in ("model", "paths", "policy", "quick_equal", "values"))
"""What workers need of the comparators: they hold equal by value two answers that are spelled otherwise."""


def main(arguments: Sequence[str]) -> int:
    """Build; returns 0, or leaves with what the compiler said."""
    parser = argparse.ArgumentParser(description="The same package with its hot modules compiled.")
    parser.add_argument("--wheel", action="store_true", help="pack it for pip as well")
    wanted = parser.parse_args(arguments)
    missing = [name for name in HOT if not (ROOT / name).is_file()]
    if missing:
        print(f"not there any more, adapt HOT: {', '.join(missing)}", file=sys.stderr)
        return 1
    copy(ROOMS)
    os.chdir(TREE)
    sys.path.insert(0, str(TREE))
    build()
    if wanted.wheel:
        pack()
    # where an image is made there is nothing but the package
    copy([name for name in BESIDE if (ROOT / name).is_dir()])
    for name in ("pyproject.toml", "proxy.yaml", "README.md", "CHANGELOG.md", "Makefile"):
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, TREE / name)
    print(f"compiled {len(HOT)} modules into {TREE.relative_to(ROOT)}")
    return 0


def copy(rooms: Sequence[str]) -> None:
    """Copy folders into the tree, in the place of what lay there."""
    TREE.mkdir(parents=True, exist_ok=True)
    for name in ("pyproject.toml", *rooms):
        path = TREE / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", ".venv", "var")
    for room in rooms:
        shutil.copytree(ROOT / room, TREE / room, ignore=ignored)


def build() -> None:
    """Translate and compile in the current folder."""
    from mypyc.build import mypycify
    from setuptools import setup

    for older in Path().glob("*__mypyc*.so"):
        older.unlink()  # or the wheel would have it
    separate = [(list(files), name) for name, files in libraries().items()]
    extensions = mypycify([*HOT, "--ignore-missing-imports"], opt_level="3", debug_level="0", separate=separate)
    for extension in extensions:
        # a function that nobody outside can replace is put where it is called: 6 % fewer instructions a request
        extension.extra_compile_args.append("-fvisibility=hidden")
    arguments = ["build_ext", "--inplace", f"--parallel={len(os.sched_getaffinity(0))}"]
    setup(name="strangler", packages=[], ext_modules=extensions, script_args=arguments)


def libraries() -> Mapping[str, Sequence[str]]:
    """Return the modules of each library by its name.

    A process has the pages of a whole library once it imports one module of it: a worker never imports what takes two
    answers apart, a judge never what forwards requests.
    """
    apart = [name for name in HOT if name.startswith(("comparators/", "proxy/judge/")) and name not in SHARED]
    return {"strangler_comparators": apart, "strangler_data_path": [name for name in HOT if name not in apart]}


def pack() -> None:
    """Lay what was compiled out as the plain wheel is, and pack it for this Python and this machine alone."""
    from setuptools import Distribution, setup

    class Compiled(Distribution):
        """One with binaries, which are there already."""

        def has_ext_modules(self) -> bool:
            return True

    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project: dict[str, Any] = tables["project"]
    target: dict[str, Any] = tables["tool"]["hatch"]["build"]["targets"]["wheel"]
    lay_out(target["sources"])
    for name in project["license-files"]:
        shutil.copy2(ROOT / name, LAYOUT / name)
    os.chdir(LAYOUT)
    setup(
        name=project["name"],
        version=project["version"],
        description=project["description"],
        license=project["license"],
        license_files=project["license-files"],
        long_description=(ROOT / project["readme"]).read_text(),
        long_description_content_type="text/markdown",
        python_requires=project["requires-python"],
        install_requires=project["dependencies"],
        extras_require=project["optional-dependencies"],
        classifiers=project["classifiers"],
        entry_points={"console_scripts": [f"{name} = {place}" for name, place in project["scripts"].items()]},
        packages=["strangler"],
        package_data={"strangler": ["**/*"]},
        data_files=list(shared(target["shared-data"])),
        distclass=Compiled,
        script_args=["bdist_wheel", "--dist-dir", str(ROOT / "dist")],
    )


def lay_out(places: Mapping[str, str]) -> None:
    """Copy each room, compiled as far as it was, and what only Python finds beside the rooms to its place."""
    if LAYOUT.exists():
        shutil.rmtree(LAYOUT)
    ignored = shutil.ignore_patterns("__pycache__", "*.c")
    for source, place in places.items():
        compiled = TREE / source
        shutil.copytree(compiled if compiled.is_dir() else ROOT / source, LAYOUT / place, ignore=ignored)
    (private,) = {LAYOUT / Path(places[room]).parent for room in ROOMS}
    for library in TREE.glob("*__mypyc*.so"):
        shutil.copy2(library, private)


def shared(places: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what the wheel puts under `share`, as the plain one does: manual page, unit, nginx site, runbooks."""
    for source, place in places.items():
        path = ROOT / source
        if path.is_dir():
            yield place, [str(each) for each in sorted(path.iterdir())]
        else:
            yield str(Path(place).parent), [str(path)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
