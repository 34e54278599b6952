"""What is shipped for deployment is what its tools accept, and what the proxy itself understands."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rules
from proxy.judge.confinement import MEMORY
from proxy.worker.shadow.pair_queue import MOST_BYTES
from proxy.worker.shadow.response_copy import HELD_AT_MOST

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd/strangler.service"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes/strangler.yaml").read_text()))
sys.path.insert(0, str(DEPLOY / "constraints"))
import renew as RENEW  # noqa: E402, N812 - from its own folder, which is no package

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def kind(name: str) -> dict[str, Any]:
    return next(one for one in MANIFESTS if one["kind"] == name)


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = kind("Deployment")["spec"]["template"]["spec"]
    return spec


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    return only


# ── systemd ──


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/strangler/bin/strangler", "/bin/true"))
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: apt-get install systemd"

    said = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_the_unit_waits_longer_than_the_drain_and_watches():
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string(UNIT.read_text())
    service = unit["Service"]

    assert int(service["TimeoutStopSec"]) > rules.load(minimal()).listen.drain
    assert service["Type"] == "notify"
    assert float(service["WatchdogSec"]) >= 10
    assert service["NoNewPrivileges"] == "yes"


def minimal() -> str:
    return (
        "version: 1\nbackends: {legacy: {url: 'http://127.0.0.1:1'}, modern: {url: 'http://127.0.0.1:2'}}\nroutes: []\n"
    )


# ── kubernetes ──


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_a_manifest_is_as_its_schema_says(manifest: dict[str, Any]):
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_the_config_map_holds_a_sound_file_with_a_shared_store():
    snapshot = rules.load(kind("ConfigMap")["data"]["proxy.yaml"])

    assert snapshot.store.startswith("redis://")
    assert snapshot.routes[0].rollout.weight == 0


def test_the_probes_ask_where_no_token_is_needed():
    probes = {
        name: container()[name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe", "startupProbe")
    }

    assert probes == {"readinessProbe": "/readyz", "livenessProbe": "/healthz", "startupProbe": "/readyz"}


def test_a_pod_has_time_to_drain():
    drain = rules.load(kind("ConfigMap")["data"]["proxy.yaml"]).listen.drain

    assert pod()["terminationGracePeriodSeconds"] >= drain + 10


def test_the_configuration_is_mounted_so_that_changes_arrive():
    mount = next(one for one in container()["volumeMounts"] if one["name"] == "config")

    assert "subPath" not in mount
    assert container()["args"][-1].startswith(mount["mountPath"])


def test_nothing_runs_as_root_or_writes_into_its_image():
    assert pod()["securityContext"]["runAsNonRoot"]
    assert container()["securityContext"]["readOnlyRootFilesystem"]
    assert container()["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_admin_port_is_open_to_operations_alone():
    open_to = [
        (rule["from"][0]["namespaceSelector"]["matchLabels"]["strangler/role"], port["port"])
        for rule in kind("NetworkPolicy")["spec"]["ingress"]
        for port in rule["ports"]
    ]

    assert open_to == [("ingress", "http"), ("operations", "admin")]


def of(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in MANIFESTS if (one["kind"], one["metadata"]["name"]) == (kind, name))


def test_redis_of_the_cluster_has_a_password_and_answers_the_proxies_alone():
    (only,) = of("StatefulSet", "redis")["spec"]["template"]["spec"]["containers"]
    (rule,) = of("NetworkPolicy", "redis")["spec"]["ingress"]

    key = only["env"][0]["valueFrom"]["secretKeyRef"]
    assert (key["name"], key["key"]) == ("strangler", "STRANGLER_REDIS_PASSWORD")
    assert "requirepass" in only["command"][-1]
    assert rule["from"] == [{"podSelector": {"matchLabels": pod_labels()}}]
    assert (
        of("NetworkPolicy", "redis")["spec"]["podSelector"]["matchLabels"]
        == of("StatefulSet", "redis")["spec"]["selector"]["matchLabels"]
    )
    address = rules.load(kind("ConfigMap")["data"]["proxy.yaml"]).store
    assert address == f"redis://{of('Service', 'redis')['metadata']['name']}.strangler.svc:6379/0"


def test_redis_of_the_cluster_gives_up_what_the_proxy_gives_up():
    spec = of("StatefulSet", "redis")["spec"]["template"]["spec"]
    (only,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["automountServiceAccountToken"] is False
    assert only["securityContext"] == container()["securityContext"]


def pod_labels() -> dict[str, str]:
    labels: dict[str, str] = kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    return labels


def test_no_annotation_has_the_admin_port_scraped_without_its_token():
    assert "annotations" not in kind("Deployment")["spec"]["template"]["metadata"]


def test_no_token_is_shipped():
    assert set(kind("Secret")["stringData"].values()) == {""}


def test_the_last_pods_are_not_evicted_together():
    assert kind("PodDisruptionBudget")["spec"]["minAvailable"] < kind("Deployment")["spec"]["replicas"]


# ── memory ──


def test_unit_and_manifest_bear_what_the_sizing_page_adds_up():
    page = " ".join((ROOT / "docs/sizing.md").read_text().split())
    idle, pairs, waiting, judge = map(
        int, re.findall(r"judges at theirs: (\d+) \+ (\d+) \+ (\d+) for one worker, (\d+) for each judge", page)[0]
    )
    one, two = map(int, re.findall(r"(\d+) MB with one, (\d+) with two", page)[0])
    data = int(re.findall(r"both databases: (\d+) MB", page)[0])

    assert judge == MEMORY >> 20
    assert (pairs, waiting) == (HELD_AT_MOST >> 20, MOST_BYTES >> 20)
    assert (one, two) == (idle + pairs + waiting + judge, idle + pairs + waiting + 2 * judge)
    # the page counts in MB of a million, a limit in those of 1,048,576
    limit = int(re.findall(r"say (\d+) MiB", page)[0])
    assert two + data <= limit * 1.048576
    unit = re.findall(r"^MemoryMax=(.+)$", UNIT.read_text(), re.MULTILINE)
    assert (container()["resources"]["limits"]["memory"], unit) == (f"{limit}Mi", [f"{limit}M"])


# ── container ──


def test_everything_that_is_copied_is_there():
    sources = [
        name
        for found in re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.MULTILINE)
        for name in found.split()[:-1]
    ]

    assert sources
    assert [name for name in sources if not (ROOT / name).exists()] == []


def test_every_room_of_the_wheel_is_in_the_image():
    import tomllib

    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", CONTAINERFILE, re.MULTILINE)

    needed = (*wheel["only-include"], *wheel["shared-data"])
    assert [name for name in needed if not any(f"{name}/".startswith(f"{each}/") for each in copied)] == []


def test_the_image_runs_as_nobody_in_particular_and_is_checked():
    last = CONTAINERFILE[CONTAINERFILE.rindex("\nFROM ") :]

    assert "\nUSER 10001" in last
    assert "/readyz" in last
    assert "STOPSIGNAL SIGTERM" in last


def pins(name: str) -> dict[str, list[str]]:
    """Packages of a file of constraints, with their hashes."""
    text = (DEPLOY / f"constraints/{name}.txt").read_text().replace(" \\\n", " ")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {words[0]: words[1:] for words in lines}


def needed(requirements: Iterable[str]) -> dict[str, list[Requirement]]:
    """What these requirements bring on the image's Python, followed through what is installed here."""
    found: dict[str, list[Requirement]] = {}
    waiting = [(Requirement(each), ("",)) for each in requirements]
    while waiting:
        one, extras = waiting.pop()
        known = found.setdefault(canonicalize_name(one.name), [])
        if str(one) not in map(str, known) and (one.marker is None or _applies(one.marker, extras)):
            known.append(one)
            waiting += [(Requirement(each), (*one.extras, "")) for each in _requirements(one.name)]
    return {name: asked for name, asked in found.items() if asked}


def _requirements(name: str) -> Sequence[str]:
    """What a package asks for; one for the image's Python alone is not installed here, and asks for nothing."""
    try:
        return metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return ()


def _applies(marker: Marker, extras: Iterable[str]) -> bool:
    image = {"python_version": RENEW.PYTHON, "python_full_version": f"{RENEW.PYTHON}.2"}
    return any(marker.evaluate({**image, "extra": extra}) for extra in extras)


@pytest.mark.parametrize("name", ["runtime", "build", "example"])
def test_everything_that_the_image_installs_is_pinned_with_hashes_as_pyproject_asks(name: str):
    pinned = {Requirement(pin).name: Requirement(pin) for pin in pins(name)}
    wanted = needed(RENEW.wanted()[name])

    assert pinned.keys() == wanted.keys(), "run: python deploy/constraints/renew.py"
    versions = {key: next(iter(pin.specifier)).version for key, pin in pinned.items()}
    assert [str(one) for key, asked in wanted.items() for one in asked if versions[key] not in one.specifier] == []
    # a wheel of pure Python serves both architectures, a compiled one is one for each
    assert {len(hashes) for hashes in pins(name).values()} <= {1, 2}
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for found in pins(name).values() for each in found)


def test_what_is_pinned_twice_is_pinned_to_the_same():
    files = [pins(name) for name in ("runtime", "build", "example")]
    versions: dict[str, set[str]] = {}
    for pin in (each for file in files for each in file):
        versions.setdefault(pin.partition("==")[0], set()).add(pin)

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_image_installs_nothing_without_its_hash():
    installs = [
        line
        for line in CONTAINERFILE.replace("\\\n", " ").splitlines()
        for line in line.split("&&")
        if "pip install" in line
    ]

    assert len(installs) == 4
    assert [line for line in installs if not re.search(r"--require-hashes|--no-index --no-deps", line)] == []


def images() -> dict[str, str]:
    """Every image that something shipped names, by where it does."""
    stages = re.findall(r"^FROM (\S+) AS (\S+)", CONTAINERFILE, re.MULTILINE)
    own = {stage for _, stage in stages}
    named = {f"Containerfile {stage}": image for image, stage in stages if image not in own}
    named |= {f"compose {name}": one["image"] for name, one in COMPOSE["services"].items() if "image" in one}
    for manifest in MANIFESTS:
        spec = manifest.get("spec", {}).get("template", {}).get("spec", {})
        for one in (*spec.get("containers", ()), *spec.get("initContainers", ())):
            named[f"{manifest['kind']} {one['name']}"] = one["image"]
    return named


def test_every_image_is_named_by_its_version_or_digest():
    assert len(images()) >= 7
    assert {
        where: image
        for where, image in images().items()
        if not re.search(r":v?[0-9][\w.-]*$|@sha256:[0-9a-f]{64}$", image)
    } == {}


# ── compose ──


def test_compose_has_the_whole_house():
    assert COMPOSE["services"].keys() == {"nginx", "proxy", "sides", "redis", "prometheus", "grafana"}


def test_what_compose_mounts_is_there():
    mounted = [
        volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", ())
    ]
    missing = [path for path in mounted if path.startswith(".") and not (DEPLOY / path).resolve().exists()]

    assert missing == []


def test_compose_starts_the_proxy_with_a_file_it_accepts():
    environment = COMPOSE["services"]["proxy"]["environment"]
    settings = {name: value for name, value in environment.items() if not value.startswith("$")}

    snapshot = rules.load((ROOT / "proxy.yaml").read_text(), environ=settings)

    assert snapshot.admin.address == "0.0.0.0:9180"
    assert snapshot.store == "redis://127.0.0.1:6379/0"


def test_nothing_of_compose_but_users_is_on_every_address():
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert "9090" not in " ".join(ports), "Prometheus asks for no password: Grafana alone reaches it"
    assert "--web.listen-address=127.0.0.1:9090" in COMPOSE["services"]["prometheus"]["command"]


def test_grafana_knows_nobody_without_a_password():
    environment = COMPOSE["services"]["grafana"]["environment"]

    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD"] == "${GRAFANA_PASSWORD:?choose one}"


def test_prometheus_scrapes_with_the_view_token_that_compose_hands_it():
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    (secret,) = COMPOSE["services"]["prometheus"]["secrets"]

    assert job["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    assert COMPOSE["secrets"][secret] == {"environment": "STRANGLER_VIEW_TOKEN"}


def test_redis_of_compose_has_a_password_that_no_list_of_processes_shows():
    redis = COMPOSE["services"]["redis"]

    assert "requirepass" in redis["command"][-1]
    assert "$$REDIS_PASSWORD" in redis["command"][-1], "filled in inside the container, not into its arguments"
    assert redis["environment"]["REDIS_PASSWORD"] == "${STRANGLER_REDIS_PASSWORD:?choose one}"
    assert (
        COMPOSE["services"]["proxy"]["environment"]["STRANGLER_REDIS_PASSWORD"]
        == redis["environment"]["REDIS_PASSWORD"]
    )


def test_compose_demands_tokens():
    environment = COMPOSE["services"]["proxy"]["environment"]

    assert all(
        environment[name].endswith(":?choose one}") for name in ("STRANGLER_ADMIN_TOKEN", "STRANGLER_VIEW_TOKEN")
    )
