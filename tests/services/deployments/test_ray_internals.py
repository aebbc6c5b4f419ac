"""Ray's private API: each part that is used exists in the version that is required, and another version is refused."""

import inspect
import tomllib
from pathlib import Path

import pytest
import ray
from ray import serve
from ray._private import node, ray_constants, worker
from ray.serve._private import proxy_state, replica
from ray.serve._private.build_app import build_app
from ray.serve.handle import DeploymentHandle

from services.deployments import ray_version
from services.deployments.ray_internals import bound_start_of_proxies, leave_out_dashboard
from services.deployments.ray_version import RAY_VERSION, require_ray
from services.errors import ModelError

ROOT = Path(__file__).parents[3]


def test_the_required_version_is_the_declared_and_installed_one() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"ray[serve]=={RAY_VERSION}" in dependencies
    assert ray.__version__ == RAY_VERSION
    require_ray()


def test_another_version_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_version, "version", lambda _: "2.61.0")
    with pytest.raises(ModelError, match=r"Ray 2\.61\.0 is installed: pip install 'ray\[serve\]==2\.60\.0'\."):
        require_ray()


def test_the_private_parts_exist() -> None:
    assert list(inspect.signature(replica.add_port_to_grpc_server).parameters) == ["server", "address"]
    assert "_by_reference" in inspect.signature(DeploymentHandle.options).parameters
    assert {"version", "_internal"} <= inspect.signature(serve.Deployment.options).parameters.keys()
    assert '"_temp_dir"' in inspect.getsource(ray.init)
    assert replica.SERVE_BUILD_ASGI_APP_METHOD == "__serve_build_asgi_app__"  # a method of deploy.app.Agent
    assert callable(build_app)  # tests/deploy/test_config.py
    assert hasattr(worker, "_global_node") and callable(node.Node.dead_processes)
    assert {"PROCESS_TYPE_GCS_SERVER", "PROCESS_TYPE_RAYLET"} <= vars(ray_constants).keys()


def test_neither_autoscaler_nor_dashboard_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    head = inspect.getsource(node.Node.start_head_processes)
    assert "self.start_monitor()" in head and "self.start_api_server(" in head
    for name in ("start_monitor", "start_api_server"):
        monkeypatch.setattr(node.Node, name, getattr(node.Node, name))
    leave_out_dashboard()
    head_node = object.__new__(node.Node)
    assert head_node.start_monitor() is None and head_node.start_api_server(include_dashboard=False) is None


def test_a_proxy_that_was_started_often_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "self.proxy_restart_count + 1" in inspect.getsource(proxy_state.ProxyState._reconcile_internal)
    waited: list[float] = []
    monkeypatch.setattr(proxy_state, "PROXY_READY_CHECK_TIMEOUT_S", 60.0)
    monkeypatch.setattr(proxy_state.ActorProxyWrapper, "is_ready", lambda _, timeout_s: waited.append(timeout_s))
    bound_start_of_proxies()
    wrapper = object.__new__(proxy_state.ActorProxyWrapper)
    wrapper.is_ready(60.0)
    wrapper.is_ready(600.0)
    assert waited == [60.0, 60.0]
