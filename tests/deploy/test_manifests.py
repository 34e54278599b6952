"""What is shipped for deployment is what its tools accept, and what the proxy itself understands."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import rules

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd/strangler.service"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes/strangler.yaml").read_text()))
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


def test_no_token_is_shipped():
    assert set(kind("Secret")["stringData"].values()) == {""}


def test_the_last_pods_are_not_evicted_together():
    assert kind("PodDisruptionBudget")["spec"]["minAvailable"] < kind("Deployment")["spec"]["replicas"]


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


def test_compose_demands_tokens():
    environment = COMPOSE["services"]["proxy"]["environment"]

    assert all(
        environment[name].endswith(":?choose one}") for name in ("STRANGLER_ADMIN_TOKEN", "STRANGLER_VIEW_TOKEN")
    )
