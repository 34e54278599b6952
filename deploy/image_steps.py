"""Runs the steps of deploy/Containerfile in bare Debian trees, where no image can be pulled.

Each stage of the proxy becomes a tree made by mmdebstrap; RUN is a chroot, COPY a copy, ENV and USER are kept for what
follows. In the end the command of the image is started in its tree, as its user, with the tree read-only to it.
As root: `make image-steps`. Takes some minutes; nothing of it stays.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# From its own folder: this runs with the machine's Python, before anything is installed.
from bare_tree import plant, root_or_exit

TOP = Path(__file__).resolve().parents[1]
WANTED = ("build", "proxy")
RELEASE = "bookworm"
LIMIT = 1800
"""Seconds of one step; compiling takes most, on a busy machine a quarter of an hour."""


@dataclass
class Stage:
    """One tree with what the steps so far have set."""

    tree: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    user: str = "0:0"
    folder: str = "/"
    entry: list[str] = field(default_factory=list)


def steps(text: str) -> list[tuple[str, str]]:
    """The instructions, continued lines joined, comments gone."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [
        (word, rest.strip()) for line in joined.splitlines() if line.strip() for word, _, rest in [line.partition(" ")]
    ]


def chroot(stage: Stage, command: list[str], *, user: str = "0:0") -> str:
    """Run a command inside a stage's tree; what it printed, or the end of this program with its output."""
    variables = [f"{name}={value}" for name, value in stage.environment.items()]
    inside = [
        "timeout",  # ends what the step has started as well: a compiler, pip
        "--kill-after=10",
        str(LIMIT),
        "chroot",
        f"--userspec={user}",
        str(stage.tree),
        "/usr/bin/env",
        "-i",
        "-C",
        stage.folder,
        *variables,
        *command,
    ]
    done = subprocess.run(inside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(command)[:200]}\nended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def copied(stage: Stage, rest: str, stages: dict[str, Stage]) -> None:
    """COPY, from the repository or from an earlier stage."""
    parts = shlex.split(rest)
    top = TOP
    if parts[0].startswith("--from="):
        top = stages[parts.pop(0).removeprefix("--from=")].tree
    *sources, target = parts
    for source in sources:
        origin = top / source.lstrip("/")
        goal = stage.tree / target.lstrip("/")
        if origin.is_dir():
            shutil.copytree(origin, goal, symlinks=True, dirs_exist_ok=True)
        else:
            goal.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, goal)


def follow(stage: Stage, word: str, rest: str, stages: dict[str, Stage]) -> None:
    """Do what one instruction says; those that only describe the image are left."""
    match word:
        case "RUN":
            # pip uses authorities of its own unless PIP_CERT names the tree's
            chroot(stage, ["/bin/sh", "-ec", f"export PIP_CERT=/etc/ssl/certs/ca-certificates.crt; {rest}"])
        case "COPY":
            copied(stage, rest, stages)
        case "ENV":
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                stage.environment[name] = value.replace("$PATH", stage.environment["PATH"])
        case "USER":
            stage.user = rest
        case "WORKDIR":
            stage.folder = rest
        case "ENTRYPOINT":
            stage.entry = json.loads(rest)


def prove(stage: Stage) -> None:
    """Start the image's program as its user: compiled, it must answer, validate a file, own nothing of the system."""
    print(chroot(stage, [*stage.entry, "--help"], user=stage.user).splitlines()[0])
    hot = chroot(stage, ["python3", "-c", "from proxy.http1 import request; print(request.__file__)"], user=stage.user)
    if not hot.strip().endswith(".so"):
        sys.exit(f"the data path is not compiled: {hot}")
    shutil.copy(TOP / "proxy.yaml", stage.tree / "etc/proxy.yaml")
    print(chroot(stage, [*stage.entry, "check", "-c", "/etc/proxy.yaml"], user=stage.user).strip())
    uid = int(stage.user.partition(":")[0])
    owned = [str(path) for path in (stage.tree / "opt").rglob("*") if path.lstat().st_uid == uid]
    if owned:
        sys.exit(f"the program can change itself: {owned[:3]}")


def main() -> None:
    """Follow the stages one after the other, then prove the last."""
    root_or_exit("make image-steps")
    stages: dict[str, Stage] = {}
    current: Stage | None = None
    with tempfile.TemporaryDirectory(prefix="strangler-image-") as folder:
        for word, rest in steps((TOP / "deploy/Containerfile").read_text()):
            if word == "FROM":
                name = rest.rpartition(" ")[2]
                current = None
                if name in WANTED:
                    current = stages[name] = Stage(Path(folder, name))
                    plant(current.tree, RELEASE)
            elif current is not None:
                print(f"{word} {rest[:100]}", flush=True)
                follow(current, word, rest, stages)
        prove(stages["proxy"])


if __name__ == "__main__":
    main()
