"""HAProxy in front of the agent: Ray's manager of it, with a configuration of ours.

Ray can run HAProxy (a wheel of its own) in the place of its proxy in Python, which saves much processor time of each
request. Its configuration opens two ports on every interface, logs to syslog and keeps its files in a folder that all
users share. Ours (`haproxy.cfg.j2`) opens the port of the service and a socket in the service's own folder, nothing
else, bounds the heads of requests, and says its errors as the service does.

`earwitness serve` sets the environment (`services.deployments.haproxy_environment`) in which Ray's controller calls
`manage_haproxy` when it starts.
"""

import asyncio
from http import HTTPStatus
from pathlib import Path

import ray
from ray.serve._private import controller, haproxy

from services.http.responses import build_error
from services.settings import read_settings

TEMPLATE = Path(__file__).with_name("haproxy.cfg.j2")
RETRY_AFTER_S = 2
STOPPED = "The service's agent stopped while it answered, or is being replaced; try again."
FAULTS: dict[int, tuple[int, str, str]] = {
    400: (400, "bad_http", "This is not an HTTP request, or its head is too large."),
    404: (404, "not_found", "There is nothing here."),
    408: (408, "upload_timeout", "The head of the request took too long."),
    500: (500, "internal_error", "The service failed."),
    502: (503, "model_unavailable", STOPPED),
    503: (503, "model_unavailable", "The service's agent is starting; try again."),
    504: (504, "deadline_exceeded", "The answer took too long."),
}
"""Status of HAProxy -> what the client gets: status, code and message."""


def manage_haproxy() -> None:
    """Let Ray's controller, in whose process this is called, run HAProxy with our configuration."""
    controller.HAProxyManager = ray.remote(num_cpus=0)(Manager)


class OwnHAProxy(haproxy.HAProxyApi):  # type: ignore[misc]
    """HAProxy with its files in the service's own folder, listening where the service is told to."""

    def __init__(self, cfg: haproxy.HAProxyConfig, **_: object) -> None:
        # Ray would put the sockets below a folder with a name of 56 characters, too long for Unix sockets.
        cfg.socket_path = haproxy.RAY_SERVE_HAPROXY_SOCKET_PATH
        cfg.enable_hap_optimization = False
        cfg.http_options = cfg.http_options.model_copy(update={"host": read_settings().listen_host})
        super().__init__(cfg, config_file_path=haproxy.RAY_SERVE_HAPROXY_CONFIG_FILE_LOC)
        for code in FAULTS:
            Path(f"{cfg.error_file_path}.{code}").write_bytes(_write_fault(code))

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


def _write_fault(code: int) -> bytes:
    """Return what HAProxy answers in place of a status: a whole response, or the body of one for its `return` rule."""
    status, name, message = FAULTS[code]
    body = build_error(status, name, message).model_dump_json()
    if code == HTTPStatus.NOT_FOUND:
        return body.encode()
    retry = f"Retry-After: {RETRY_AFTER_S}\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n{retry}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()
