"""Makes the compiled wheel for every Python from 3.11 to 3.14, for this machine's architecture.

    python deploy/wheels.py [--python PATH]... [--cache FOLDER]

1. find an interpreter for each version: on PATH, where pyenv and uv keep theirs; or take those that are named
2. each gets an environment of its own in build/wheels with what the package needs and the compiler, then
   `deploy/compiled.py --wheel` runs there
3. each wheel is installed into a fresh environment, where the command says which build it is, checks a file, and
   passes one request on
4. a version that is not here is made the same way in a bare tree of the Debian release that has it: as root, with
   mmdebstrap

The wheels lie in dist/. Where there is no compiler the plain package is as good, only slower: pip builds it from the
sources as ever.
"""

from __future__ import annotations

import argparse
import http.server
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

# From its own folder: this runs with the machine's Python, before anything is installed.
from bare_tree import RELEASES, plant, run_inside, why_no_tree

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "wheels"
VERSIONS = {"3.11": "bookworm", "3.12": "", "3.13": "trixie", "3.14": "forky"}
"""Each Python with the Debian release whose own it is; no release has 3.12."""
TOOLS = ("mypy", "setuptools>=77", "wheel", "types-PyYAML")
DEBIAN = ("gcc", "libc6-dev", "python3", "python3-dev", "python3-venv")
PLACE = "/srv/strangler"
LIMIT = 1800
"""Seconds of one wheel in a tree; compiling takes most, on a busy machine a quarter of an hour."""
CONFIG = """\
version: 1
listen: {{address: "127.0.0.1:0", workers: 1}}
admin: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "http://127.0.0.1:{port}"}}
"""


def main(arguments: Sequence[str]) -> int:
    """Make them; 1 where there is none, or one could not be made or is not what it should be."""
    parser = argparse.ArgumentParser(description="Compiled wheels for Python 3.11 to 3.14.")
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="this one instead of all")
    parser.add_argument("--cache", type=Path, help="a folder that keeps what trees download")
    wanted = parser.parse_args(arguments)
    if wanted.python:
        codes = [made_here(python) for python in wanted.python]
        return int(any(codes))
    codes = [code for version in VERSIONS if (code := made_of(version, wanted.cache)) is not None]
    if not codes:
        print("no wheel was made", file=sys.stderr)
    return int(any(codes) or not codes)


def made_of(version: str, cache: Path | None) -> int | None:
    """Make the wheel of a version, here or in a tree; the exit code, None where neither can be."""
    python = interpreter(version)
    if python is not None:
        return made_here(python)
    why_not = why_no_tree() if VERSIONS[version] else "no Debian release has it"
    if why_not:
        print(
            f"no wheel for Python {version}: it is not here, and {why_not}; "
            f"install Python {version} (with pyenv: pyenv install {version}) or name one with --python",
            file=sys.stderr,
        )
        return None
    return made_in_tree(VERSIONS[version], cache)


def made_here(python: str) -> int:
    """Make the wheel of an interpreter, say what the command says once it is installed; the exit code."""
    try:
        wheel, said = wheel_of(python)
    except subprocess.SubprocessError as error:
        print(f"no wheel with {python}: {error}", file=sys.stderr)
        return 1
    print(f"{wheel.relative_to(ROOT)}: {said}", flush=True)
    return 0 if said.endswith("(compiled)") else 1


def made_in_tree(release: str, cache: Path | None) -> int:
    """Make the wheel of a Debian release's Python in a bare tree of it; the exit code."""
    print(f"in a tree of {RELEASES[release]}:", flush=True)
    with tempfile.TemporaryDirectory(prefix="strangler-wheel-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder, "tree")
        try:
            plant(tree, release, extra=DEBIAN)
        except SystemExit as error:  # one release that cannot be had leaves the others
            print(error, file=sys.stderr)
            return 1
        words = ["python3", "deploy/wheels.py", "--python", "/usr/bin/python3"]
        return run_inside(tree, words, folder=PLACE, mounts={ROOT: PLACE}, cache=cache, limit=LIMIT)


def interpreter(version: str) -> str | None:
    """Return the first interpreter of a version that starts; those that do not are printed with the reason."""
    for path in dict.fromkeys(places(version)):
        why = _why_not(path, version)
        if why is None:
            return path
        print(f"{path} is no Python {version} ({why})", file=sys.stderr)
    return None


def places(version: str) -> Iterator[str]:
    """Yield where an interpreter lies: on PATH, then in the folders of pyenv and uv, the newest first."""
    name = f"python{version}"
    for folder in os.get_exec_path():
        if (path := shutil.which(name, path=folder)) is not None:
            yield path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    uv = Path.home() / ".local/share/uv/python"
    for top, pattern in ((pyenv, f"{version}.*"), (uv, f"cpython-{version}.*")):
        for found in sorted(top.glob(pattern), key=_numbers, reverse=True):
            if os.access(found / "bin" / name, os.X_OK):
                yield str(found / "bin" / name)


def _numbers(path: Path) -> list[int]:
    """Return the numbers in a folder's name, by which 3.13.10 is newer than 3.13.9."""
    return [int(number) for number in re.findall(r"\d+", path.name)]


def _why_not(python: str, version: str) -> str | None:
    """Return why an interpreter cannot be used, None where it can: a version manager's shim may lead nowhere."""
    words = [python, "-c", "import sys, venv; print(f'{sys.version_info[0]}.{sys.version_info[1]}{sys.abiflags}')"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        said = done.stdout.strip()
        return None if said == version else f"it is {said}"
    said = next((line for line in done.stderr.splitlines() if line.strip()), "")
    return said or f"it ends with {done.returncode}"


def wheel_of(python: str) -> tuple[Path, str]:
    """Return the wheel made with this interpreter, and what the command says once it is installed and was tried."""
    tag = _said(python, "-c", "import sys; print(f'{sys.version_info[0]}{sys.version_info[1]}')")
    builder, user = WORK / tag / "build", WORK / tag / "use"
    _run(python, "-m", "venv", "--clear", str(builder))
    _run(str(builder / "bin" / "pip"), "install", "-q", *TOOLS, str(ROOT))
    _run(str(builder / "bin" / "python"), str(ROOT / "deploy" / "compiled.py"), "--wheel")
    (wheel,) = (ROOT / "dist").glob(f"strangler_proxy-*-cp{tag}-*.whl")
    _run(python, "-m", "venv", "--clear", str(user))
    _run(str(user / "bin" / "pip"), "install", "-q", str(wheel))
    strangler = str(user / "bin" / "strangler")
    try_out(strangler)
    return wheel, _said(strangler, "--version")


def try_out(strangler: str) -> None:
    """Have an installed command check a file and pass one request on; SubprocessError where it does not."""
    with (
        tempfile.TemporaryDirectory(prefix="strangler-tried-") as folder,
        http.server.HTTPServer(("127.0.0.1", 0), Legacy) as legacy,
    ):
        threading.Thread(target=legacy.serve_forever, daemon=True).start()
        file = Path(folder, "proxy.yaml")
        file.write_text(CONFIG.format(port=legacy.server_port))
        _said(strangler, "check", "-c", str(file))
        answer = _through(strangler, file)
        legacy.shutdown()
    if answer != Legacy.body:
        raise subprocess.SubprocessError(f"a request through {strangler} was answered {answer!r}")


class Legacy(http.server.BaseHTTPRequestHandler):
    """The backend that a wheel is tried with."""

    body = b"legacy"

    def do_GET(self) -> None:
        """Answer the one request."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing of the one request."""


def _through(strangler: str, file: Path) -> bytes:
    """Start the proxy on a file, return the body of one answer through it."""
    words = [strangler, "run", "-c", str(file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd="/") as proxy:
        assert proxy.stdout is not None
        try:
            users = next((line.split()[2] for line in proxy.stdout if line.startswith("strangler ready: ")), None)
            if users is None:
                raise subprocess.SubprocessError(f"{strangler} run ended before it was ready")
            with urllib.request.urlopen(users, timeout=30) as answer:
                body: bytes = answer.read()
                return body
        finally:
            proxy.terminate()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, cwd=WORK.parent if WORK.parent.is_dir() else ROOT)


def _said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd="/").stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
