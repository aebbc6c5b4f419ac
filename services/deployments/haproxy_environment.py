"""Environment in which Ray Serve runs HAProxy in front of the agent, with our configuration of it; imports no Ray."""

from pathlib import Path

FOLDER_NAME = "haproxy"
CALLBACK = "services.deployments.ray_internals.manage_haproxy"


def build_haproxy_environment(folder: Path, host: str, fallback_port: int) -> dict[str, str]:
    """Return the variables with which Ray Serve runs HAProxy, its files in `folder`, listening on `host`.

    Args:
        folder: of the service; its path has at most 40 characters, as Unix sockets go into it.
        host: where clients connect; Ray's own part stays on loopback.
        fallback_port: a free port, for Ray's own proxy: requests wait in it while no replica of the agent is up.
    """
    own = folder / FOLDER_NAME
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_CONTROLLER_CALLBACK_IMPORT_PATH": CALLBACK,
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(own / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(own / "admin"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(own),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(own / "state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(own / "metrics"),
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback_port),
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
        # Nobody but HAProxy knows the replicas of the agent, and it is told at once which of them go.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        "EARWITNESS_LISTEN_HOST": host,
    }
