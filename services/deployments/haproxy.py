"""HAProxy in front of the agent: our configuration, and what it answers where nobody else does.

Ray can run HAProxy (a wheel of its own) in the place of its proxy in Python, which saves much processor time of each
request. Its configuration opens two ports on every interface, logs to syslog and keeps its files in a folder that all
users share. Ours (`haproxy.cfg.j2`) opens the port of the service and a socket in the service's own folder, nothing
else, bounds the heads of requests, and says its errors as the service does.

`earwitness serve` sets the environment (`services.deployments.haproxy_environment`) in which Ray's controller calls
`services.deployments.ray_internals.manage_haproxy` when it starts.
"""

from http import HTTPStatus
from pathlib import Path

from services.http.responses import build_error

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


def write_faults(path: str) -> None:
    """Write what HAProxy answers in place of each status into a file of its own: `path`, a dot and the status."""
    for code in FAULTS:
        Path(f"{path}.{code}").write_bytes(_write_fault(code))


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
