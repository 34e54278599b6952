"""Makes a bare Debian tree with mmdebstrap, and runs commands in it as on a machine of its own.

Taken from this machine are its name service, its certificates, its Debian package sources (with the suites of the
wanted release) and its settings of the Python package index; a machine without them needs none.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13", "forky": "Debian 14"}
LIMIT = 900
"""Seconds that the making of one tree may take."""
CACHED = {"apt": "/var/cache/apt/archives", "pip": "/root/.cache/pip"}
"""What a cache folder keeps of what is downloaded inside."""

# What a machine has that `mmdebstrap --variant=minbase` leaves out and that no command of ours may need, but a kernel
# gives: a process tree, devices, shared memory. The namespaces end with the command, and every mount with them.
ENTER = r"""
set -eu
tree=$1 folder=$2
shift 2
# A mount of its own, as the root of a machine is: what runs inside may make namespaces as well.
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
mkdir "$tree/dev/pts" "$tree/dev/shm"
for name in null zero full random urandom tty; do
  : >"$tree/dev/$name"
  mount --bind "/dev/$name" "$tree/dev/$name"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$tree/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
ln -s pts/ptmx "$tree/dev/ptmx"
ln -s /proc/self/fd "$tree/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "$tree/dev/${number#*:}"; done
mount --rbind /sys "$tree/sys"
while [ "$1" != -- ]; do
  mkdir -p "$1" "$tree$2"
  mount --bind "$1" "$tree$2"
  shift 2
done
shift
# No exec: this shell is the first process of the namespace and has to wait for those that lost their parent.
# No variable of this machine. Without a PATH Debian 12's make finds no command at all; every way to log in sets one.
chroot "$tree" /usr/bin/env -i -C "$folder" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
"""

APART = ("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc")

_local = re.compile(r"(?:file:|\.{0,2}/|~)")
_index_settings = {
    "index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "timeout", "default-timeout", "retries",
    "cert", "client-cert", "constraint", "disable-pip-version-check",
}  # fmt: skip
_places = {"index-url", "extra-index-url", "find-links"}
_files = {"cert", "client-cert", "constraint"}


def plant(tree: Path, release: str, *, extra: Sequence[str] = ()) -> None:
    """Make the tree of a release, with the packages of `extra`; ends the program with one sentence if that fails."""
    with tempfile.TemporaryDirectory(prefix="strangler-sources-") as folder:
        sources = _written(package_sources(Path("/etc/apt"), _codename(), release), Path(folder))
        _bootstrap(tree, release, extra, sources)
        _carry(_keyrings(sources), tree)
    _carry(("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"), tree)
    _carry(("/usr/local/share/ca-certificates",), tree)
    give_pip(tree, os.environ, Path.home())


def _bootstrap(tree: Path, release: str, extra: Sequence[str], sources: Sequence[str]) -> None:
    include = [f"--include={','.join(extra)}"] if extra else []
    command = ["mmdebstrap", "--quiet", "--variant=minbase", *include, *_apt_options(), release, str(tree), *sources]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"no bare tree of {RELEASES[release]} could be made: {error}")
    if done.returncode:
        said = " ".join(done.stderr.split())[-600:]
        sys.exit(f"no bare tree of {RELEASES[release]} could be made, mmdebstrap ended with {done.returncode}: {said}")


def command_inside(
    tree: Path, command: Sequence[str], *, folder: str = "/", mounts: Mapping[Path, str] | None = None
) -> list[str]:
    """The command that runs another in a folder of a tree, PATH its only variable, `mounts` (here: there) bound in.

    It sees no process of this machine; what it leaves behind ends with it, mounts as well.
    """
    pairs = [text for here, there in (mounts or {}).items() for text in (str(here), there)]
    return [*APART, "/bin/sh", "-c", ENTER, "enter", str(tree), folder, *pairs, "--", *command]


def run_inside(
    tree: Path, command: Sequence[str], *, folder: str, mounts: Mapping[Path, str], cache: Path | None, limit: float
) -> int:
    """Run a command in a folder of a tree, `cache` keeps its downloads; its exit code, 124 after `limit` seconds."""
    kept = {cache.resolve() / name: there for name, there in CACHED.items()} if cache else {}
    inside = command_inside(tree, command, folder=folder, mounts={**mounts, **kept})
    try:
        return subprocess.run(inside, stdin=subprocess.DEVNULL, timeout=limit, check=False).returncode
    except subprocess.TimeoutExpired:
        return 124


def package_sources(apt: Path, codename: str, release: str) -> dict[str, str]:
    """The Debian sources that apt's folder names for `codename`, by file name, rewritten for another release.

    What other vendors offer is left out: a bare machine has none of it.
    """
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    rewritten = {
        path.name: _rewritten(path, codename, release)
        for path in files
        if path.suffix in {".list", ".sources"} and path.is_file()
    }
    return {name: text for name, text in rewritten.items() if text}


def _rewritten(path: Path, codename: str, release: str) -> str:
    text = path.read_text()
    if path.suffix == ".list":
        kept = [_line(line, codename, release) for line in text.splitlines()]
        return "".join(f"{line}\n" for line in kept if line)
    stanzas = [_stanza(stanza, codename, release) for stanza in re.split(r"\n\s*\n", text)]
    return "\n".join(stanza for stanza in stanzas if stanza)


def _line(line: str, codename: str, release: str) -> str:
    """`deb [options] address suite components`, or nothing."""
    found = re.fullmatch(r"\s*(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)(\s.*)?", line)
    suite = _suite(found[2], codename, release) if found else ""
    return f"{found[1]}{suite}{found[3] or ''}" if found and suite else ""


def _stanza(stanza: str, codename: str, release: str) -> str:
    lines = [line for line in stanza.splitlines() if line.strip() and not line.startswith("#")]
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    suites = [_suite(word, codename, release) for word in fields.get("suites", "").split()]
    if not any(suites) or fields.get("enabled", "yes").lower() in {"no", "false"}:
        return ""
    named = f"Suites: {' '.join(filter(None, suites))}"
    types = "Types: deb"
    said = {"suites": named, "types": types}
    return "".join(f"{said.get(line.partition(':')[0].lower(), line)}\n" for line in lines)


def _suite(word: str, codename: str, release: str) -> str:
    """The suite of the wanted release that stands for one of this machine's; nothing for a suite that is not Debian's.

    >>> _suite("bookworm-security", "bookworm", "trixie"), _suite("cloud-sdk-bookworm", "bookworm", "trixie")
    ('trixie-security', '')
    """
    found = re.fullmatch(rf"(?:{re.escape(codename)}|stable)(-updates|-security|-backports|/updates)?", word)
    return release + (found[1] or "").replace("/updates", "-security") if found else ""


def _codename() -> str:
    """The code name of this machine's Debian; one that is nowhere where it is another system."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        lines = []
    said = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    return said.get("VERSION_CODENAME", "none") if said.get("ID") == "debian" else "none"


def _written(sources: Mapping[str, str], folder: Path) -> list[str]:
    for name, text in sources.items():
        (folder / name).write_text(text)
    return [str(folder / name) for name in sources]


def _apt_options() -> list[str]:
    """How this machine reaches its sources: a proxy, an archive of some day whose signature has run out."""
    if not shutil.which("apt-config"):
        return []
    said = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=False).stdout
    wanted = re.findall(r'(?mi)^(Acquire::(?:https?::proxy|check-[a-z-]+)(?:::\S+)? ".+";)$', said)
    return [f"--aptopt={line}" for line in wanted]


def _keyrings(sources: Iterable[str]) -> list[str]:
    """Files that sources are signed with."""
    found = (re.findall(r"(?i)signed-by\s*[:=]\s*(/[^\s,\]]+)", Path(name).read_text()) for name in sources if name)
    return [path for paths in found for path in paths]


def _carry(paths: Iterable[str], tree: Path) -> None:
    """Copy what this machine has of these files and folders, to where they lie here."""
    for name in paths:
        origin, goal = Path(name), tree / name.lstrip("/")
        if origin.is_dir():
            shutil.copytree(origin, goal, dirs_exist_ok=True)
        elif origin.is_file():
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, goal)


def give_pip(tree: Path, environ: Mapping[str, str], home: Path) -> None:
    """Write how this machine reaches its index of Python packages into the tree's /etc/pip.conf."""
    sections = pip_settings(_pip_files(environ, home), environ)
    for options in sections.values():
        _carry((options[name] for name in _files & options.keys()), tree)
    text = "".join(
        f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
        for section, options in sections.items()
    )
    (tree / "etc/pip.conf").write_text(text)


def _pip_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """The files of pip, what a later one says before an earlier."""
    folders = environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    own = [home / ".pip/pip.conf", Path(environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip/pip.conf"]
    named = [Path(environ["PIP_CONFIG_FILE"])] if "PIP_CONFIG_FILE" in environ else []
    return [*(Path(folder, "pip/pip.conf") for folder in folders), Path("/etc/pip.conf"), *own, *named]


def pip_settings(files: Iterable[Path], environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The settings of the package index by section, without what lies on this machine's own disk.

    A variable (`PIP_INDEX_URL`) is worth more than any file, as for pip.
    """
    parser = configparser.RawConfigParser()
    parser.read(files)
    sections = {name: _of_the_index(dict(parser[name])) for name in parser.sections()}
    said = _of_the_index({name[4:]: value for name, value in environ.items() if name.startswith("PIP_")})
    kept = {
        section: {name: value for name, value in options.items() if name not in said}
        for section, options in sections.items()
    }
    kept["global"] = {**kept.get("global", {}), **said}
    return {section: options for section, options in kept.items() if options}


def _of_the_index(options: Mapping[str, str]) -> dict[str, str]:
    named = {name.lower().replace("_", "-"): value for name, value in options.items()}
    cleaned = {name: _reachable(name, value) for name, value in named.items() if name in _index_settings}
    return {name: value for name, value in cleaned.items() if value}


def _reachable(name: str, value: str) -> str:
    """The value without folders of this machine, which do not exist in the tree, and without files that are gone."""
    if name in _files:
        return value if Path(value).is_file() else ""
    words = value.split()
    return " ".join(word for word in words if name not in _places or not _local.match(word))


def root_or_exit(command: str) -> None:
    """End the program with one sentence unless it may make a tree: that is for root."""
    if os.geteuid() != 0:
        sys.exit(f"a bare tree needs root: sudo {command}")


def apart_or_exit() -> None:
    """End the program with one sentence where the kernel refuses namespaces, as in most containers."""
    if why := why_not_apart():
        sys.exit(why)


def why_not_apart() -> str:
    """Return why nothing can run inside a tree here: what the kernel says, or nothing."""
    try:
        subprocess.run([*APART, "true"], check=True, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()
        return f"a bare tree needs mounts and processes of its own, which this machine refuses: {said}"
    return ""


def why_no_tree() -> str:
    """Return why no tree can be made and run here, or nothing."""
    if os.geteuid() != 0:
        return "only root can make a bare tree of the Debian release that has it"
    if shutil.which("mmdebstrap") is None:
        return "there is no mmdebstrap to make a bare tree of the Debian release that has it"
    return why_not_apart()
