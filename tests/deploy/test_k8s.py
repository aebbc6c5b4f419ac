"""The manifests for Kubernetes: valid by the schemas that `kubernetes-validate` carries, and consistent with the code.

No package carries the schema of KubeRay's RayService. Of it, the parts that have a schema are checked: its Serve
configuration by Ray itself, its pods as pods; its own fields were compared with KubeRay's reference by hand.
"""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from deploy.config import list_deployed, read_serve_config
from services.http.access.header_limit import PROXY_CALLBACK

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "k8s"
KUBERNETES = "1.33"


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


ALL = [(path.name, document) for path in sorted(FOLDER.glob("*.yaml")) for document in documents(path)]
BUILT_IN = [one for one in ALL if one[1]["kind"] not in ("RayService", "Kustomization")]
RAY = next(document for _, document in ALL if document["kind"] == "RayService")["spec"]
CLUSTER = RAY["rayClusterConfig"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]


def pod(group: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": group["template"]["spec"]}


@pytest.mark.parametrize("document", [document for _, document in BUILT_IN], ids=lambda one: one["metadata"]["name"])
def test_what_kubernetes_knows_is_valid(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.get("groupName", "head"))
def test_the_pods_of_the_cluster_are_valid_and_unprivileged(group: dict[str, Any]) -> None:
    kubernetes_validate.validate(pod(group), KUBERNETES, strict=True)
    spec = group["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    for container in spec["containers"]:
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        assert container["resources"]["limits"]["memory"]


def test_a_pod_with_a_misspelt_field_is_refused() -> None:
    broken = pod(GROUPS[0])
    broken["spec"] = broken["spec"] | {"containres": []}
    with pytest.raises(kubernetes_validate.ValidationError, match="containres"):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_ray_accepts_the_serve_configuration_and_the_code_has_what_it_names() -> None:
    config = ServeDeploySchema.model_validate(yaml.safe_load(RAY["serveConfigV2"]))
    (application,) = config.applications
    module, _, function = application.import_path.partition(":")
    assert callable(getattr(import_module(module), function))
    assert (ROOT / application.args["config"]).is_file()


def test_every_replica_fits_a_pod_of_the_cluster() -> None:
    config = read_serve_config(ROOT / yaml.safe_load(RAY["serveConfigV2"])["applications"][0]["args"]["config"])
    pods = [group["template"]["spec"]["containers"][0]["resources"]["requests"] for group in GROUPS[1:]]
    for scale in (config.scales.agent, *(one.scale for one in list_deployed(config))):
        assert any(
            scale.num_cpus <= int(pod["cpu"]) and scale.num_gpus <= int(pod.get("nvidia.com/gpu", "0")) for pod in pods
        ), scale


def test_the_cluster_runs_the_ray_that_the_package_pins() -> None:
    assert CLUSTER["rayVersion"] == version("ray")
    assert f'"ray[default]=={version("ray")}"' in (ROOT / "deploy" / "Dockerfile").read_text()


def test_the_image_installs_the_wheel_and_has_the_configuration_where_ray_is_started() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    config = yaml.safe_load(RAY["serveConfigV2"])["applications"][0]["args"]["config"]
    folder = f"{Path(config).parent}/"
    copied = [line.split()[1:] for line in lines if line.startswith("COPY") and line.endswith(folder)]
    assert len(copied) == lines.count("WORKDIR /app") == 2 and all(config in paths for paths in copied)
    assert sum("pip install" in line and "/wheel/*.whl" in line for line in lines) == 2


def test_rays_proxy_in_the_image_bounds_the_headers_of_requests() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    assert lines.count(f"ENV RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH={PROXY_CALLBACK}") == 2


def container(group: dict[str, Any]) -> dict[str, Any]:
    """Return the container that KubeRay starts Ray in: the first."""
    first: dict[str, Any] = group["template"]["spec"]["containers"][0]
    return first


def volumes(group: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the volumes of a pod by the path that they are mounted at."""
    named = {volume["name"]: volume for volume in group["template"]["spec"]["volumes"]}
    return {mount["mountPath"]: named[mount["name"]] for mount in container(group)["volumeMounts"]}


def called_by_probes() -> set[str]:
    """Return the programs that probes call: `initReadinessAndLivenessProbe` of KubeRay's pod.go calls these too."""
    probes = [
        container(group)[kind]["exec"]["command"]
        for group in GROUPS
        for kind in ("startupProbe", "readinessProbe", "livenessProbe")
        if kind in container(group)
    ]
    assert all(command[:2] == ["bash", "-c"] for command in probes)
    return {"bash", "wget", "grep"} | {part.split()[0] for command in probes for part in command[2].split(" | ")}


@pytest.mark.parametrize("stage", ["cpu", "gpu"])
def test_the_image_has_what_probes_call(stage: str) -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    lines = text.partition(f" AS {stage}\n")[2].partition("\nFROM ")[0].splitlines()
    installed = {
        word for line in lines for step in line.split("&&") if "apt-get install" in step for word in step.split()
    }
    assert called_by_probes() - {"bash", "grep"} == {"wget"}  # Debian and Ubuntu always have the other two
    assert "wget" in installed


def test_kuberay_itself_writes_the_command_that_starts_ray() -> None:
    assert [one for group in GROUPS for one in ("command", "args") if one in container(group)] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.get("groupName", "head"))
def test_every_pod_has_memory_for_the_object_store(group: dict[str, Any]) -> None:
    shared = volumes(group)["/dev/shm"]["emptyDir"]
    assert shared["medium"] == "Memory"
    assert int(shared["sizeLimit"].removesuffix("Gi")) < int(
        container(group)["resources"]["limits"]["memory"].removesuffix("Gi")
    )


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.get("groupName", "head"))
def test_metrics_have_a_folder_of_their_own_that_is_emptied_whenever_a_container_starts(group: dict[str, Any]) -> None:
    (folder,) = (one["value"] for one in container(group)["env"] if one["name"] == "PROMETHEUS_MULTIPROC_DIR")
    assert "emptyDir" in volumes(group)[folder]
    hook = container(group)["lifecycle"]["postStart"]["exec"]["command"]
    assert hook == ["bash", "-c", f"rm -f {folder}/*.db"]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.get("groupName", "head"))
def test_changed_keys_arrive_without_a_rollout(group: dict[str, Any]) -> None:
    (file,) = (one["value"] for one in container(group)["env"] if one["name"] == "EARWITNESS_API_KEYS_FILE")
    folder, _, key = file.rpartition("/")
    assert volumes(group)[folder]["secret"] == {"secretName": "earwitness-keys"}
    (mount,) = (one for one in container(group)["volumeMounts"] if one["mountPath"] == folder)
    assert "subPath" not in mount  # the kubelet updates no file that is mounted so
    (secret,) = (one for _, one in ALL if one["kind"] == "Secret" and one["metadata"]["name"] == "earwitness-keys")
    assert key in secret["stringData"]


def test_every_secret_and_volume_that_pods_name_is_declared() -> None:
    text = yaml.safe_dump([document for name, document in ALL if name != "secrets.example.yaml"])
    secrets = {document["metadata"]["name"] for _, document in ALL if document["kind"] == "Secret"}
    named = {line.split("name: ")[1] for line in text.splitlines() if "name: earwitness-" in line}
    claims = {
        document["metadata"]["name"] for _, document in ALL if document["kind"] not in ("Secret", "Kustomization")
    }
    assert named <= secrets | claims


def test_the_dockerfile_has_nothing_to_complain_of() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
