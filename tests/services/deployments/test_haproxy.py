"""HAProxy in front of the agent, with our configuration, run by itself: what it opens, and what it answers."""

import asyncio
import inspect
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest
from ray.serve._private import constants, controller, haproxy
from ray.serve.config import HTTPOptions

from services.deployments.haproxy import TEMPLATE
from services.deployments.haproxy_environment import CALLBACK, build_haproxy_environment
from services.deployments.ray_internals import Manager, OwnHAProxy
from services.settings import read_settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def configure(folder: Path, monkeypatch: pytest.MonkeyPatch, host: str, port: int) -> OwnHAProxy:
    """Write a configuration, as Ray's manager does when it starts."""
    monkeypatch.setattr(haproxy, "HAPROXY_CONFIG_TEMPLATE", TEMPLATE.read_text())
    monkeypatch.setattr(haproxy, "RAY_SERVE_HAPROXY_SOCKET_PATH", str(folder / "admin"))
    monkeypatch.setattr(haproxy, "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC", str(folder / "haproxy.cfg"))
    monkeypatch.setenv("EARWITNESS_LISTEN_HOST", host)
    read_settings.cache_clear()
    own = OwnHAProxy(haproxy.HAProxyConfig(http_options=HTTPOptions(host="127.0.0.1", port=port)))
    own._generate_config_file_internal()
    read_settings.cache_clear()
    return own


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[psutil.Process, int, Path]]:
    """HAProxy without an agent."""
    with TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        configure(Path(folder), monkeypatch, "127.0.0.1", port := free_port())
        command = [haproxy.get_haproxy_binary(), "-db", "-f", f"{folder}/haproxy.cfg"]
        process = subprocess.Popen(command)
        try:
            while not (Path(folder) / "admin").exists():
                assert process.poll() is None
                time.sleep(0.01)
            yield psutil.Process(process.pid), port, Path(folder)
        finally:
            process.kill()
            process.wait()


def send(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request)
        return client.recv(4096)


def test_it_opens_the_port_of_the_service_and_a_socket_for_its_owner_and_nothing_else(
    running: tuple[psutil.Process, int, Path],
) -> None:
    process, port, folder = running
    listening = [one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", port)]
    assert process.net_connections("udp") == []
    assert {Path(one.laddr).parent for one in process.net_connections("unix") if one.laddr} <= {folder}
    assert (folder / "admin").stat().st_mode & 0o777 == 0o600


def test_without_an_agent_it_says_so_as_the_service_says_errors(running: tuple[psutil.Process, int, Path]) -> None:
    response = httpx.get(f"http://127.0.0.1:{running[1]}/healthz")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "model_unavailable")
    assert int(response.headers["Retry-After"]) > 0


def test_rays_own_routes_are_not_for_clients(running: tuple[psutil.Process, int, Path]) -> None:
    for route in ("/-/routes", "/-/healthz", "/%2d/routes", "/%2D/healthz", "/-%2froutes"):
        response = send(running[1], f"GET {route} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert response.startswith(b"HTTP/1.1 404 ") and b'"not_found"' in response, route


class Echo(BaseHTTPRequestHandler):
    """Answers with the names and values of the headers that reached it."""

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_headers_that_steer_ray_or_break_it_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory(prefix="t-", dir="/tmp") as folder, ThreadingHTTPServer(("127.0.0.1", 0), Echo) as agent:
        threading.Thread(target=agent.serve_forever, daemon=True).start()
        own = configure(Path(folder), monkeypatch, "127.0.0.1", port := free_port())
        target = haproxy.ServerConfig("agent", "127.0.0.1", agent.server_port)
        backend = haproxy.BackendConfig("http-earwitness", "/", servers=[target])
        own.set_backend_configs({backend.name: backend})
        own._generate_config_file_internal()
        process = subprocess.Popen([haproxy.get_haproxy_binary(), "-db", "-f", f"{folder}/haproxy.cfg"])
        try:
            while not (Path(folder) / "admin").exists():
                assert process.poll() is None
                time.sleep(0.01)
            steering = ("X-Session-Id", "x_session-id", "Serve-Multiplexed_Model-Id", "X-Request-Timeout-Seconds")
            for given, kept in (
                (b"one.2_3:4-5", "one.2_3:4-5"),
                (b"caf\xe9", None),
                (b"a b", None),
                (b"a" * 129, None),
            ):
                headers = [(b"X-Request-Id", given), *((name.encode(), b"\xff") for name in steering)]
                seen = httpx.get(f"http://127.0.0.1:{port}", headers=headers, timeout=10).json()
                assert (seen.get("x-request-id"), seen["host"]) == (kept, f"127.0.0.1:{port}")
                assert seen.keys() & {name.lower() for name in steering} == set()
        finally:
            process.kill()
            process.wait()
            agent.shutdown()


def test_a_head_that_fits_no_buffer_is_refused_and_http_2_is_not_spoken(
    running: tuple[psutil.Process, int, Path],
) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 100_000
    assert send(running[1], head).startswith(b"HTTP/1.1 400 ")
    assert send(running[1], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "localhost"])
def test_haproxy_accepts_the_configuration_for_any_host(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        own = configure(Path(folder), monkeypatch, host, 8000)
        target = haproxy.ServerConfig("agent", "127.0.0.1", 30_000)
        backend = haproxy.BackendConfig(
            "http-earwitness", "/", servers=[target], fallback_server=haproxy.ServerConfig("proxy", "127.0.0.1", 8500)
        )
        own.set_backend_configs({backend.name: backend})
        own._generate_config_file_internal()
        text = (Path(folder) / "haproxy.cfg").read_text()
        assert [line.split() for line in text.splitlines() if "bind" in line] == [["bind", f"{host}:8000"]]
        assert "server agent 127.0.0.1:30000 check" in text and "server proxy 127.0.0.1:8500 check backup" in text
        checked = subprocess.run(
            [haproxy.get_haproxy_binary(), "-c", "-f", f"{folder}/haproxy.cfg"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.slow
def test_a_change_of_the_configuration_refuses_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """One HAProxy takes the place of another, as where a replica of the agent comes or goes, while clients connect."""

    async def count_refused(port: int, changing: asyncio.Task[None]) -> int:
        refused = 0
        while not changing.done():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
            except ConnectionRefusedError:
                refused += 1
        return refused

    async def change(own: OwnHAProxy, port: int) -> int:
        await own.start()
        changing = asyncio.create_task(reload_often(own))
        refused = await count_refused(port, changing)
        await changing
        await own.stop()
        return refused

    async def reload_often(own: OwnHAProxy) -> None:
        for _ in range(6):
            await own._graceful_reload()

    with TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        own = configure(Path(folder), monkeypatch, "127.0.0.1", port := free_port())
        assert asyncio.run(change(own, port)) == 0


def test_two_services_share_neither_a_file_nor_a_port() -> None:
    one, other = (build_haproxy_environment(Path(f"/tmp/ew-{name}"), "127.0.0.1", free_port()) for name in "ab")
    own = {name for name, value in one.items() if "/tmp" in value or name.endswith("PORT")}
    assert len(own) == 6
    assert all(one[name] != other[name] for name in own)


def test_the_private_parts_of_ray_exist() -> None:
    names = build_haproxy_environment(Path("/tmp/a"), "127.0.0.1", 1)
    source = inspect.getsource(constants)
    assert all(f'"{name}"' in source for name in names if name.startswith("RAY_"))
    assert hasattr(controller, "HAProxyManager")
    assert issubclass(OwnHAProxy, haproxy.HAProxyApi) and Manager.ready is not None
    made = inspect.getsource(Manager.__mro__[1].__init__)
    assert all(part in made for part in ("HAProxyApi(", "self._haproxy = ", "self._reload_lock = "))
    assert "self._proc = " in inspect.getsource(haproxy.HAProxyApi.start)
    started = inspect.signature(haproxy.HAProxyApi._start_and_wait_for_haproxy).parameters
    assert started["extra_args"].kind is inspect.Parameter.VAR_POSITIONAL
    assert {"socket_path", "enable_hap_optimization", "http_options", "error_file_path"} <= {
        field.name for field in fields(haproxy.HAProxyConfig)
    }
    module, _, name = CALLBACK.rpartition(".")
    assert (module, name) == ("services.deployments.ray_internals", "manage_haproxy")


def test_the_admin_socket_fits_below_the_longest_folder() -> None:
    path = build_haproxy_environment(Path("/tmp/" + "a" * 31), "127.0.0.1", 1)["RAY_SERVE_HAPROXY_SOCKET_PATH"]
    assert len(path) + len(f".{os.getpid():07d}.tmp") < 104
