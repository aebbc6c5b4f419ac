"""Every use of Ray's private API but that of HAProxy (`haproxy.py`), and the version check of both.

They are those of one version of Ray.

What a new version has to keep is listed in tests/services/deployments: test_ray_internals.py and test_haproxy.py.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.errors import ModelError

RAY_VERSION = "2.60.0"
LOOPBACK = "127.0.0.1"


def require_ray() -> None:
    """Raise `ModelError` with the cure where another version of Ray is installed."""
    if (installed := version("ray")) != RAY_VERSION:
        raise ModelError(
            f"Ray {RAY_VERSION} is needed, as parts of it are used that may change, and Ray {installed} is installed: "
            f"pip install 'ray[serve]=={RAY_VERSION}'."
        )


def make_start_options(folder: Path) -> dict[str, Any]:
    """Return the options of `ray.init` that put its sockets and logs into a folder."""
    return {"_temp_dir": str(folder)}


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
    from ray.serve._private import replica
    from ray.util import get_node_ip_address

    if get_node_ip_address() == LOOPBACK:
        open_port = replica.add_port_to_grpc_server
        replica.add_port_to_grpc_server = lambda server, _: open_port(server, f"{LOOPBACK}:0")


def name_ended_process() -> str:
    """Return which process of Ray on this machine has ended that all others need, empty while they run."""
    from ray._private import worker
    from ray._private.ray_constants import PROCESS_TYPE_GCS_SERVER, PROCESS_TYPE_RAYLET

    ended = {kind for kind, _ in worker._global_node.dead_processes()} if worker._global_node else set()
    return next((kind for kind in (PROCESS_TYPE_RAYLET, PROCESS_TYPE_GCS_SERVER) if kind in ended), "")
