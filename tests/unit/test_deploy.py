"""What deploy/ says is what the hub knows: settings, secrets, ports and paths of probes, times; and each file's own schema."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from hub.app import Hub
from hub.demo_household import Household
from hub.settings import Settings, load_settings
from hub.web.serving import ANSWERS_WITHIN

DEPLOY = Path(__file__).parents[2] / "deploy"
BIN = Path(sys.executable).parent
SYSTEMD, COMPOSE, KUBERNETES = DEPLOY / "systemd", DEPLOY / "compose" / "compose.yaml", DEPLOY / "kubernetes"
URLS = dict.fromkeys(("approval", "credit", "grid", "enforcement", "sms"), "http://127.0.0.1:9")
KINDS = ("systemd", "compose", "kubernetes")


def documents() -> dict[tuple[str, str], dict[str, Any]]:
    """All objects of the Kubernetes manifests, by kind and name."""
    folder = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    found = [each for name in folder["resources"] for each in yaml.safe_load_all((KUBERNETES / name).read_text())]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def lines_of(path: Path) -> list[tuple[str, str]]:
    """Name and value of each line of a unit or an environment file."""
    pairs = [line.partition("=") for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return [(name, value) for name, _, value in pairs]


def pod_of(deployment: str) -> dict[str, Any]:
    found: dict[str, Any] = documents()["Deployment", deployment]["spec"]["template"]["spec"]
    return found


def environment_of(kind: str) -> dict[str, str]:
    """What a deployment gives to `bihuan serve`; files of secrets by their names only."""
    if kind == "systemd":
        common = lines_of(SYSTEMD / "bihuan-.service.d" / "10-common.conf") + lines_of(SYSTEMD / "bihuan-serve.service")
        given = dict(value.split("=", 1) for name, value in common if name == "Environment")
        return dict(lines_of(SYSTEMD / "bihuan.env")) | {name: value.removeprefix("%d/") for name, value in given.items()}
    if kind == "compose":
        given = compose()["services"]["serve"]["environment"]
        return dict(lines_of(DEPLOY / "compose" / "bihuan.env")) | {
            name: value.removeprefix("/run/secrets/") for name, value in given.items()
        }
    given = documents()["ConfigMap", "bihuan"]["data"]
    return {name: value.removeprefix("/run/secrets/bihuan/") for name, value in given.items()}


def secrets_of(kind: str) -> set[str]:
    """The names of the secrets that a deployment brings."""
    if kind == "systemd":
        common = lines_of(SYSTEMD / "bihuan-.service.d" / "10-common.conf")
        loaded = dict(value.split(":", 1) for name, value in common if name == "LoadCredential")
        assert all(path == f"/etc/bihuan/secrets/{name}" for name, path in loaded.items())
        return set(loaded)
    if kind == "compose":
        service, all_of_them = compose()["services"]["serve"], compose()["secrets"]
        assert {name: each["file"] for name, each in all_of_them.items()} == {name: f"secrets/{name}" for name in all_of_them}
        assert set(all_of_them) == {*service["secrets"], "postgres-password"}
        return set(service["secrets"])
    return set(documents()["Secret", "bihuan"]["stringData"])


def started(kind: str, folder: Path) -> Settings:
    """The settings of a process that is deployed so, its secrets laid in a folder."""
    own = Household.of(folder).environment(URLS)
    given = environment_of(kind)
    for name, value in list(given.items()):
        if name.endswith("_FILE"):
            assert value == name.removeprefix("HUB_").removesuffix("_FILE").lower().replace("_", "-")
            (folder / value).write_text(own[name.removesuffix("_FILE")] + "\n")
            given[name] = str(folder / value)
    return load_settings(given)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deployment_gives_every_setting_that_is_required_and_none_that_does_not_exist(kind: str, tmp_path: Path) -> None:
    settings = started(kind, tmp_path)
    assert not settings.hub.worker_inside
    assert len(settings.platforms) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_every_secret_is_a_file_and_every_file_is_a_secret_that_is_brought(kind: str, tmp_path: Path) -> None:
    given, settings = environment_of(kind), started(kind, tmp_path)
    assert {value for name, value in given.items() if name.endswith("_FILE")} == secrets_of(kind)
    assert [name for name in given if not name.endswith("_FILE") and is_secret(settings, name)] == []


def is_secret(settings: Settings, name: str) -> bool:
    """Whether a setting's value is kept out of texts, or is an address that may hold a password."""
    models = {"HUB_": settings.hub} | {f"HUB_{each.upper()}_": model for each, model in settings.platforms.items()}
    prefix = max((each for each in models if name.startswith(each)), key=len)
    value = getattr(models[prefix], name.removeprefix(prefix).lower())
    kept = isinstance(value, SecretStr) or (isinstance(value, tuple) and any(isinstance(each, SecretStr) for each in value))
    return kept or name in {"HUB_DATABASE_URL", "HUB_SELFGOV_URL"}


def paths_served(hub: Hub) -> dict[str, set[str]]:
    """The paths of each command."""
    return {
        name: {getattr(route, "path", "") for route in app.routes} for name, app in (("serve", hub.web()), ("work", hub.probes()))
    }


async def test_probes_ask_for_paths_that_are_served_on_the_port_that_is_listened_on(tmp_path: Path) -> None:
    settings = started("kubernetes", tmp_path)
    hub = Hub(load_settings(Household.of(tmp_path).environment(URLS) | {"HUB_SELFGOV_URL": f"sqlite:///{tmp_path}/x.db"}))
    served = paths_served(hub)
    await hub.database.close()
    for command, port in (("serve", settings.hub.port), ("work", settings.hub.work_port)):
        (container,) = pod_of(f"bihuan-{command}")["containers"]
        assert container["args"] == [command]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        probes = {name: each["httpGet"] for name, each in container.items() if name.endswith("Probe")}
        assert {name: each["path"] for name, each in probes.items()} == {
            "startupProbe": "/livez",
            "livenessProbe": "/livez",
            "readinessProbe": "/readyz",
        }
        assert {each["path"] for each in probes.values()} <= served[command]
        assert {ports[each["port"]] for each in probes.values()} == {port}
    service = documents()["Service", "bihuan"]["spec"]
    assert [each["targetPort"] for each in service["ports"]] == ["http"]
    assert (
        service["selector"].items() <= documents()["Deployment", "bihuan-serve"]["spec"]["template"]["metadata"]["labels"].items()
    )
    image = (DEPLOY / "container" / "Dockerfile").read_text()
    assert f"HUB_PORT={settings.hub.port} HUB_WORK_PORT={settings.hub.work_port}" in image
    (asked,) = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", image)
    assert asked == (str(settings.hub.port), "/livez")
    assert compose()["services"]["serve"]["ports"] == [f"127.0.0.1:8000:{settings.hub.port}"]


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_is_stopped_has_more_time_than_answers_and_calls_under_way(kind: str, tmp_path: Path) -> None:
    settings = started(kind, tmp_path)
    longest = max(each.deadline_seconds for each in settings.platforms.values())
    for command, grace, before in stops(kind):
        assert grace > before + ANSWERS_WITHIN + longest, command


def stops(kind: str) -> Iterator[tuple[str, float, float]]:
    """Each command with the seconds it has to stop, and those that pass before it is told."""
    if kind == "systemd":
        common = dict(lines_of(SYSTEMD / "bihuan-.service.d" / "10-common.conf"))
        yield "all", float(common["TimeoutStopSec"]), 0
    for name in ("serve", "work"):
        if kind == "compose":
            yield name, float(compose()["services"][name]["stop_grace_period"].removesuffix("s")), 0
        if kind == "kubernetes":
            pod = pod_of(f"bihuan-{name}")
            before = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            yield name, pod["terminationGracePeriodSeconds"], before


def test_what_is_disrupted_is_what_is_deployed() -> None:
    found = documents()
    for name in ("bihuan-serve", "bihuan-work"):
        labels = found["Deployment", name]["spec"]["selector"]
        assert labels == found["PodDisruptionBudget", name]["spec"]["selector"]
        assert found["Deployment", name]["spec"]["template"]["metadata"]["labels"] == labels["matchLabels"]
        assert all(each["labelSelector"] == labels for each in pod_of(name)["topologySpreadConstraints"])


def test_no_pod_runs_as_root_or_writes_to_its_image() -> None:
    pods = [each["spec"]["template"]["spec"] for (kind, _), each in documents().items() if kind in {"Deployment", "Job"}]
    assert len(pods) == 3
    for pod in pods:
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert f"USER {pod['securityContext']['runAsUser']}:" in (DEPLOY / "container" / "Dockerfile").read_text()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def ran(*command: str | Path, **environ: str) -> str:
    """What a tool says; its failure fails the test."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False, env=environ or None)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_kubernetes_would_take_each_object() -> None:
    files = [each for each in KUBERNETES.glob("*.yaml") if each.name != "kustomization.yaml"]
    said = ran(BIN / "kubernetes-validate", "--strict", *files)
    assert said.count("passed for resource") == len(documents()) == 8


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here")
def test_the_manifests_are_put_together_by_kustomize() -> None:
    built = list(yaml.safe_load_all(ran("kubectl", "kustomize", KUBERNETES)))
    assert {each["metadata"]["namespace"] for each in built} == {"bihuan"}
    assert len(built) == len(documents())


def test_the_compose_file_keeps_the_schema_of_its_kind() -> None:
    ran(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_the_container_file_is_free_of_known_mistakes() -> None:
    ran(BIN / "hadolint", "--failure-threshold", "style", DEPLOY / "container" / "Dockerfile")


def test_the_container_file_copies_what_the_package_is_made_of() -> None:
    image = (DEPLOY / "container" / "Dockerfile").read_text()
    ignored = (DEPLOY / "container" / "Dockerfile.dockerignore").read_text().split()
    packages = ("schema", "connectors", "hub", "mocks", "docs/graph.md", "pyproject.toml", "README.md", "hatch_build.py")
    assert all(re.search(rf"^COPY .*\b{re.escape(each)}\b", image, re.MULTILINE) and f"!{each}" in ignored for each in packages)


UNITS = {"bihuan-serve.service": "serve", "bihuan-work@.service": "work", "bihuan-upgrade.service": "db upgrade"}


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units in a folder, their program being ours: systemd looks whether it is there."""
    shutil.copytree(SYSTEMD, tmp_path / "units")
    for name, command in UNITS.items():
        path = tmp_path / "units" / name
        assert f"ExecStart=/opt/bihuan/bin/bihuan {command}\n" in path.read_text()
        path.write_text(path.read_text().replace("/opt/bihuan/bin/bihuan", str(BIN / "bihuan")))
    return tmp_path / "units"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here (Debian: package systemd)")
def test_systemd_takes_the_units_and_finds_them_hardly_exposed(units: Path) -> None:
    environ: Mapping[str, str] = {"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin", "SYSTEMD_LOG_LEVEL": "warning"}
    names = [units / name.replace("@.", "@8101.") for name in UNITS]
    shutil.copy(units / "bihuan-work@.service", units / "bihuan-work@8101.service")
    said = ran("systemd-analyze", "verify", "--man=no", *names, **environ)
    assert str(units) not in said, said
    rated = ran("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", *names, **environ)
    assert rated.count("Overall exposure level") == len(UNITS)
