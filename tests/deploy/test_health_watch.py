"""The watch over the service's own address: what counts as refused, for how long, and the end of the service by it."""

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy import health_watch, serving
from deploy.config import ServeConfig
from deploy.health_watch import HealthWatch

READY = """import sys, time; sys.stdin.readline(); print('{"what": "ready"}', flush=True); time.sleep(60)"""


class Answers(BaseHTTPRequestHandler):
    """Answers with a status, or hangs up where that is 0."""

    status = 200

    def do_GET(self) -> None:
        if self.status:
            self.send_response(self.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Answers) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


@pytest.mark.parametrize("status", [503, 500, 0])
def test_refusals_are_counted_from_the_first_to_the_next_answer(
    server: HTTPServer, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([10.0, 20.0, 80.0, 90.0, 100.0])
    watch = HealthWatch("127.0.0.1", server.server_port, lambda: next(times))
    assert watch.measure_refusal_s() == 0
    monkeypatch.setattr(Answers, "status", status)
    assert [watch.measure_refusal_s(), watch.measure_refusal_s()] == [0, 60]
    monkeypatch.setattr(Answers, "status", 200)
    assert watch.measure_refusal_s() == 0
    monkeypatch.setattr(Answers, "status", status)
    assert watch.measure_refusal_s() == 0


def test_nobody_who_listens_refuses(unused_port: int) -> None:
    times = iter([0.0, 30.0])
    watch = HealthWatch("0.0.0.0", unused_port, lambda: next(times))
    assert [watch.measure_refusal_s(), watch.measure_refusal_s()] == [0, 30]


def test_a_service_that_is_slow_does_not_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_watch, "ANSWER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        watch = HealthWatch("127.0.0.1", busy.getsockname()[1], iter([]).__next__)
        assert watch.measure_refusal_s() == 0


def test_a_service_that_refuses_for_too_long_ends_with_one_line(
    unused_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health_watch, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(health_watch, "REFUSED_S", 0.2)
    with pytest.raises(serving.RefusedTooLong, match="has refused every request"):
        serving.serve(ServeConfig, "127.0.0.1", unused_port, child=(sys.executable, "-c", READY), quiet=True)
    assert "Ready." in capsys.readouterr().out


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
