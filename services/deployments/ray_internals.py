"""Every use of Ray's private API, which is that of one version of Ray (`ray_version.py`).

What a new version has to keep is listed in tests/services/deployments: test_ray_internals.py and test_haproxy.py.
"""

import asyncio
from pathlib import Path
from typing import Any

import ray
from ray._private import node, worker
from ray._private.ray_constants import PROCESS_TYPE_GCS_SERVER, PROCESS_TYPE_RAYLET
from ray.serve._private import controller, haproxy, proxy_state, replica
from ray.util import get_node_ip_address

from services.deployments.haproxy import TEMPLATE, write_faults
from services.settings import read_settings

LOOPBACK = "127.0.0.1"


def make_start_options(folder: Path) -> dict[str, Any]:
    """Return the options of `ray.init` that put its sockets and logs into a folder."""
    return {"_temp_dir": str(folder)}


def leave_out_dashboard() -> None:
    """Let `ray.init` start neither Ray's autoscaler nor its API server, which has no setting; call before it.

    They watch over clusters: one machine needs neither, and they take 120 MB and two seconds of processor time.
    """
    node.Node.start_monitor = _start_nothing
    node.Node.start_api_server = _start_nothing


def _start_nothing(*_: object, **__: object) -> None:
    """Take the place of what starts a process."""


def make_version_options(name: str) -> dict[str, Any]:
    """Return the options of a deployment that give it a version: replicas of the same version are kept.

    Ray Serve restarts every replica at each `serve.run` unless told the version, which only its own code may do.
    """
    return {"version": name, "_internal": True}


def send_directly(handle: Any) -> Any:  # noqa: ANN401 - Ray's handles are untyped
    """Return a handle whose arguments go from replica to replica over gRPC, not by reference.

    By reference, a clip would go through Ray's object store and each call through the raylet, for half as many
    milliseconds again and more (benchmarks/http_overhead.py).
    """
    return handle.options(_by_reference=False)


def listen_on_loopback() -> None:
    """Open the port of this process's replica on loopback where all of Ray is there; call before the replica is up.

    Ray Serve opens it on every interface, "[::]:0", and has no setting for it. On a cluster it has to.
    """
    if get_node_ip_address() == LOOPBACK:
        open_port = replica.add_port_to_grpc_server
        replica.add_port_to_grpc_server = lambda server, _: open_port(server, f"{LOOPBACK}:0")


def name_ended_process() -> str:
    """Return which process of Ray on this machine has ended that all others need, empty while they run."""
    ended = {kind for kind, _ in worker._global_node.dead_processes()} if worker._global_node else set()
    return next((kind for kind in (PROCESS_TYPE_RAYLET, PROCESS_TYPE_GCS_SERVER) if kind in ended), "")


def manage_haproxy() -> None:
    """Let Ray's controller, in whose process this is called, run HAProxy with our configuration."""
    controller.HAProxyManager = ray.remote(num_cpus=0)(Manager)
    bound_start_of_proxies()


def bound_start_of_proxies() -> None:
    """Wait for HAProxy's manager and Ray's proxy equally long each time that they are started.

    Ray waits twice as long the second time, three times the third and so on: after some deaths, one that hangs while it
    starts would have every request refused for many minutes.
    """
    is_ready, most_s = proxy_state.ActorProxyWrapper.is_ready, proxy_state.PROXY_READY_CHECK_TIMEOUT_S
    proxy_state.ActorProxyWrapper.is_ready = lambda self, timeout_s: is_ready(self, min(timeout_s, most_s))


class OwnHAProxy(haproxy.HAProxyApi):  # type: ignore[misc]
    """HAProxy with its files in the service's own folder, listening where the service is told to."""

    def __init__(self, cfg: haproxy.HAProxyConfig, **_: object) -> None:
        # Ray would put the sockets below a folder with a name of 56 characters, too long for Unix sockets.
        cfg.socket_path = haproxy.RAY_SERVE_HAPROXY_SOCKET_PATH
        cfg.enable_hap_optimization = False
        cfg.http_options = cfg.http_options.model_copy(update={"host": read_settings().listen_host})
        super().__init__(cfg, config_file_path=haproxy.RAY_SERVE_HAPROXY_CONFIG_FILE_LOC)
        write_faults(cfg.error_file_path)

    async def _start_and_wait_for_haproxy(self, *extra_args: str, **named: int) -> asyncio.subprocess.Process:
        """Start HAProxy; one that takes another's place gets its listening socket, so that no connection is refused."""
        handover = ("-x", self.cfg.socket_path) if "-sf" in extra_args else ()
        started: asyncio.subprocess.Process = await super()._start_and_wait_for_haproxy(*extra_args, *handover, **named)
        return started


class Manager(haproxy.HAProxyManager.__ray_metadata__.modified_class.__ray_actor_class__):  # type: ignore[misc]
    """Ray's manager of HAProxy, which starts ours."""

    def __init__(self, *arguments: object, **named: object) -> None:
        haproxy.HAPROXY_CONFIG_TEMPLATE = TEMPLATE.read_text()
        haproxy.HAProxyApi = OwnHAProxy
        super().__init__(*arguments, **named)

    async def check_health(self) -> bool:
        """Start HAProxy again where it has ended; Ray would first replace the manager, which takes several seconds."""
        async with self._reload_lock:  # a reload lets one process end after another
            process = self._haproxy._proc
            if process is not None and process.returncode is not None:
                await self._haproxy.start()
        is_healthy: bool = await super().check_health()
        return is_healthy
