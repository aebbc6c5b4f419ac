"""Lifecycle of the service: start, reload on SIGUSR1, graceful shutdown.

Ray gets a session of its own, so that signals for us never reach its processes halfway: this
process alone takes them, lets Ray finish its work, and leaves neither a process nor a file behind. SIGUSR1 has the
configuration read again: what it changed is changed in the running service.
"""

import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from deploy.attempt import attempt
from deploy.config import ServeConfig
from deploy.draining import DRAIN_S
from deploy.draining import NAME as STOPPING
from deploy.health_watch import REFUSED_S, watch_health
from deploy.job import Job, JobStatus
from deploy.log_pipe import NAME as LOG_LINES
from deploy.log_pipe import open_log_pipe
from services.deployments.haproxy_environment import build_haproxy_environment
from services.deployments.ray_version import require_ray
from services.deployments.start_failure import FOLDER_NAME as START_FAILURES
from services.errors import BadConfig, ModelError
from services.http.access.auth import ApiKeys, read_keys
from services.http.access.guard import is_loopback
from services.http.access.header_limit import PROXY_CALLBACK
from services.progress import report_stage
from services.terminal.display import show_progress
from services.types import Value

CHILD = (sys.executable, "-m", "deploy.ray_server")
GRACE_S = DRAIN_S + 20.0  # Ray takes about 6 s to stop when nothing is asked
LONGEST_TMP = 24  # characters; Ray puts Unix sockets 79 below it, and their paths may have 103
OPEN = "There is no API key: everybody on this machine may ask, with any key or none. `earwitness keys new NAME`."
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RELOAD_SIGNAL = signal.SIGUSR1
SIGNALLED = 128  # exit code of what a signal ended, less its number, as shells have it


def serve(
    read_config: Callable[[], ServeConfig],
    host: str,
    port: int,
    *,
    child: Sequence[str] = CHILD,
    quiet: bool = False,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; a second one stops at once. `quiet`: show no progress of the start.

    Raises:
        SystemExit: A signal came before the service was ready.
    """
    require_ray()
    service = _ServedConfig(read_config, read_config(), host, port, tuple(child), quiet=quiet)
    keys = read_keys()
    _require_keys_beyond_loopback(host, keys)
    _require_free(host, port)
    with _open_signals() as signals:
        try:
            _run(service, signals, keys)
        except RayNotStarted as error:  # it gives its own processes 30 s, which a busy machine may exceed
            _say(f"earwitness: {error} Once more.")
            _run(service, signals, keys)


class RayNotStarted(ModelError):
    """Ray's processes did not come up in time."""


class RefusedTooLong(ModelError):
    """The service refuses every request, and does not recover."""


@dataclass(frozen=True)
class _ServedConfig:
    """What is served, where and how."""

    read_config: Callable[[], ServeConfig]
    config: ServeConfig
    host: str
    port: int
    child: tuple[str, ...]
    quiet: bool


def _run(service: _ServedConfig, signals: socket.socket, keys: ApiKeys) -> None:
    """Run the service until a signal stops it."""
    with _make_folder() as folder, open_log_pipe(folder):
        process = subprocess.Popen(  # noqa: S603
            service.child,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_build_environment(folder, service.host),
            start_new_session=True,
        )
        ready = False
        try:
            _send(process, Job(config=service.config, host=service.host, port=service.port, folder=folder))
            with show_progress(quiet=service.quiet):
                stopped_by = _wait_until_ready(process, signals, service.read_config)
            ready = not stopped_by
            if ready:
                print(f"Listening on http://{_format_host(service.host)}:{service.port}", flush=True)  # noqa: T201
                if not keys:
                    print(OPEN, flush=True)  # noqa: T201
                print("Ready.", flush=True)  # noqa: T201
                with watch_health(service.host, service.port) as alarm:
                    _reload_until_stopped(process, signals, service.read_config, alarm)
            else:
                _say("earwitness: interrupted before it was ready; nothing was changed.")
                sys.exit(SIGNALLED + stopped_by)
        except RefusedTooLong:
            ready = False  # whoever asked was refused, so there is nothing to finish
            raise
        finally:
            if ready:
                _let_stop(process, signals)
            _end(process)


def _require_keys_beyond_loopback(host: str, keys: ApiKeys) -> None:
    if not keys and not is_loopback(_format_host(host)):
        raise BadConfig(
            f"There is no API key, so the service listens on loopback only, not on {host!r}: "
            "make a key with `earwitness keys new NAME`, or use --host 127.0.0.1."
        )


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadConfig(
                f"Port {port} of {host} cannot be used: {error.strerror}. Choose another: --port."
            ) from None


def _format_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _make_folder() -> Iterator[Path]:
    parent = "/tmp" if len(tempfile.gettempdir()) > LONGEST_TMP else None  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="ew-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _open_signals() -> Iterator[socket.socket]:
    """Yield a socket that signals for us are read from: one byte each, its number."""
    readable, writable = socket.socketpair()
    writable.settimeout(0)  # as `set_wakeup_fd` asks
    before = {number: signal.signal(number, lambda *_: None) for number in (*STOP_SIGNALS, RELOAD_SIGNAL)}
    wakeup = signal.set_wakeup_fd(writable.fileno(), warn_on_full_buffer=False)
    try:
        yield readable
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        readable.close()
        writable.close()


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _build_environment(folder: Path, host: str) -> dict[str, str]:
    """Return our environment without the variables of other Ray clusters, and with those that ours needs."""
    metrics = folder / "metrics"
    metrics.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Ray would give each replica one thread, whatever is free.
    environment.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    path = [str(Path(__file__).parents[1]), environment.get("PYTHONPATH", "")]
    return (
        environment
        | build_haproxy_environment(folder, host, _find_free_port())
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            # PyTorch makes this folder when it is imported, by default in the one for temporary files, and leaves it.
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
            # Whoever reaches Ray's ports may run code: a token guards them. By default Ray would write one to ~/.ray.
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            # As Ray does elsewhere than on Linux: all its own ports on loopback only.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            # Ray gives its workers nice 15 and its proxy 5 s to come up: on a busy machine the service would not start.
            "RAY_worker_niceness": "0",
            "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
            # One event loop in each replica: what is slow is in threads anyway, and each hop to another loop costs.
            "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
            "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
            "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": PROXY_CALLBACK,
            "EARWITNESS_READER_PROCESS": "true",
            "RAY_DEDUP_LOGS": "0",
            "RAY_COLOR_PREFIX": "0",
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "EARWITNESS_STOP_FILE": str(folder / STOPPING),
            "EARWITNESS_LOG_PIPE": str(folder / LOG_LINES),
            "EARWITNESS_START_FAILURES": str(folder / START_FAILURES),
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        }
    )


def _send(process: subprocess.Popen[str], value: Value) -> None:
    assert process.stdin
    process.stdin.write(value.model_dump_json() + "\n")
    process.stdin.flush()


def _wait_for_signal(process: subprocess.Popen[str], signals: socket.socket, alarm: socket.socket | None = None) -> int:
    """Wait for a signal or for the child's next word: return the signal's number, 0 when the word came first.

    Raises:
        RefusedTooLong: The health watch raised its alarm before.
    """
    assert process.stdout
    alarms = [] if alarm is None else [alarm.fileno()]
    readable, _, _ = select.select([process.stdout.fileno(), signals.fileno(), *alarms], [], [])
    if readable == alarms:
        raise RefusedTooLong(f"The service has refused every request for {REFUSED_S:g} s and ends; start it again.")
    return signals.recv(1)[0] if signals.fileno() in readable else 0


def _wait_until_ready(
    process: subprocess.Popen[str], signals: socket.socket, read_config: Callable[[], ServeConfig]
) -> int:
    """Wait until the child is ready and return 0, or the number of the signal to stop that came first."""
    with report_stage("start the service", unit="models") as running:
        while (number := _wait_for_signal(process, signals)) not in STOP_SIGNALS:
            if number:  # the child takes up the configuration once it is ready
                _send_changed(process, read_config)
                continue
            said = _read_word(process)
            if said.what == "ready":
                return 0
            running.expect(said.num_deployments, "models")
            running.advance_to(said.num_ready)
    return number


def _read_word(process: subprocess.Popen[str]) -> JobStatus:
    """Read the child's word, which has come; `ModelError` says why it cannot go on."""
    assert process.stdout
    # Unbuffered: a second word that came with the first would be in a buffer, where `select` does not see it.
    line = FileIO(process.stdout.fileno(), closefd=False).readline()
    said = JobStatus.model_validate_json(line or b'{"what": "failed"}')
    if said.what == "no_ray":
        raise RayNotStarted(said.message)
    if said.what == "failed":
        raise ModelError(said.message or "The service stopped by itself; what it wrote above may say why.")
    return said


def _reload_until_stopped(
    process: subprocess.Popen[str], signals: socket.socket, read_config: Callable[[], ServeConfig], alarm: socket.socket
) -> None:
    """Give the child each new configuration, and say what becomes of it; `alarm` ends it."""
    while (number := _wait_for_signal(process, signals, alarm)) not in STOP_SIGNALS:
        if number:
            _send_changed(process, read_config)
        else:
            said = _read_word(process)
            _say("The new configuration is in use." if said.what == "ready" else f"It stays as it was: {said.message}")


def _send_changed(process: subprocess.Popen[str], read_config: Callable[[], ServeConfig]) -> None:
    """Give the child a new configuration; one that cannot be used is named, and the service goes on as it was."""
    read = attempt("reading the configuration", read_config)
    if read.result is None:
        _say(f"The configuration stays as it was: {read.error}")
    else:
        with suppress(BrokenPipeError):  # its end is the next word that is read
            _send(process, read.result)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _let_stop(process: subprocess.Popen[str], signals: socket.socket) -> None:
    """Let the child stop by itself, unless that takes too long or a second signal comes."""
    _forget(signals)
    process.terminate()
    deadline = time.monotonic() + GRACE_S
    while process.poll() is None and time.monotonic() < deadline and not select.select([signals], [], [], 0.05)[0]:
        pass


def _end(process: subprocess.Popen[str]) -> None:
    """Kill the child and every process of its session that still runs."""
    process.kill()
    process.wait()
    while leftover := list_session(process.pid):
        for pid in leftover:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _forget(signals: socket.socket) -> None:
    while select.select([signals], [], [], 0)[0]:
        signals.recv(64)


def list_session(leader: int) -> tuple[int, ...]:
    """Return the living processes of a session, where the system lists them under /proc."""
    stats = ((entry.name, _read_stat(entry / "stat")) for entry in Path("/proc").glob("[0-9]*"))
    return tuple(int(pid) for pid, stat in stats if stat and stat[3] == str(leader) and stat[0] not in "ZX")


def _read_stat(path: Path) -> list[str]:
    """Return state, parent, group and session of a process and so on; empty if it has just ended."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
