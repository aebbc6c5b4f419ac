"""One start of the whole service under Ray, with doubles: it says when it is ready, answers, and leaves nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import numpy as np
import psutil
import pytest
import soundfile

from deploy.serving import list_session
from services.types import Answer

pytestmark = pytest.mark.alone
LLM, LALM = "qwen2.5-coder-0.5b", "earwitness-tiny"
DEADLINE_S = 8
CONFIG = f"""
models: {{llm: {LLM}, lalm: {LALM}, captioner: {{name: acoustic, placement: fused}}}}
limits: {{max_upload_bytes: 2_000_000, max_duration_s: 20, deadline_s: {DEADLINE_S}}}
scales: {{llm: {{num_replicas: 2}}}}
"""
SCRIPT = Path(__file__).with_name("serve_with_doubles.py")
START_S, STOP_S, WAIT_S = 240, 60, 60  # generous: other work may have the cores


class Running:
    """The service as a child of a process that is not Python, as `make serve` has it."""

    def __init__(self, tmp: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.tmp = tmp
        self.config = tmp / "serve.yaml"
        self.config.write_text(CONFIG)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, str(self.port), self.config],
            stdout=subprocess.PIPE,
            stderr=(tmp / "stderr").open("w"),
            text=True,
            env=os.environ | {"TMPDIR": str(tmp), "EARWITNESS_HOME": str(tmp / "home")},
            start_new_session=True,
        )
        self.statuses: set[int] = set()
        self._watch = threading.Thread(target=self._poll, daemon=True)
        self._watch.start()

    def wait_until_ready(self) -> None:
        """Wait for the first line on stdout."""
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        self._watch.join()
        self.logged = (self.tmp / "stderr").read_text()
        assert self.said, self.logged

    def ray_session(self) -> int:
        """Return the session that Ray runs in: its leader is our only child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text())

    def num_replicas(self, role: str) -> int:
        """Return how many replicas of a deployment are alive."""
        names = [_process_name(pid) for pid in list_session(self.ray_session())]
        return sum(name.startswith("ray::ServeReplica") and role in name for name in names)

    def ask(
        self, question: str, *choices: str, data: bytes = b"", model: str = "cascade", request_id: str = ""
    ) -> httpx.Response:
        files = {"file": ("clip.wav", data or wav())}
        fields = {"question": question, "choices": list(choices or ("Silence", "A tone")), "model": model}
        headers = {"X-Request-Id": request_id} if request_id else {}
        return httpx.post(f"{self.url}/v1/audio/questions", files=files, data=fields, headers=headers, timeout=30)

    def _poll(self) -> None:
        while self.process.poll() is None and 200 not in self.statuses:
            try:
                self.statuses.add(httpx.get(f"{self.url}/readyz", timeout=30).status_code)
            except httpx.TransportError:
                time.sleep(0.1)


def _process_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class SeenProcess(NamedTuple):
    """A process of the service: its name, its priority, and the addresses that it listens on."""

    name: str
    nice: int
    listens_on: tuple[str, ...]


def look_at_processes(session: int) -> list[SeenProcess]:
    """Look at each process of a session that does not end meanwhile."""
    seen = []
    for pid in list_session(session):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            open_tcp = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
            listens_on = tuple(one.laddr.ip.removeprefix("::ffff:") for one in open_tcp)
            seen.append(SeenProcess(" ".join(process.cmdline()), process.nice(), listens_on))
    return seen


def wav(amplitude: float = 0.5, duration_s: float = 1.0) -> bytes:
    buffer = BytesIO()
    samples = amplitude * np.sin(np.arange(round(16_000 * duration_s)) / 5)
    soundfile.write(buffer, samples, 16_000, format="WAV")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with TemporaryDirectory(prefix="t-", dir="/tmp") as tmp:  # pytest's own is too long for Unix sockets
        running = Running(Path(tmp))
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.process.terminate()
            running.process.wait(STOP_S)


@pytest.mark.timeout(START_S)
def test_it_says_where_it_listens_once_every_model_is_loaded(service: Running) -> None:
    assert service.said == f"Listening on {service.url}\n"
    assert service.statuses - {404, 503} == {200}
    told = [json.loads(line) for line in service.logged.splitlines()]
    assert {one["event"] for one in told} == {"loading", "loaded"}
    loaded = {one["deployment"].partition("-")[0]: one["model"] for one in told if one["event"] == "loaded"}
    assert loaded == {"llm": LLM, "captioner": "listener", "asr": "listener", "lalm": "ear"}


def test_without_keys_it_says_so_and_answers_this_machine_only(service: Running) -> None:
    assert service.process.stdout
    assert "There is no API key" in service.process.stdout.readline()
    foreign = httpx.get(f"{service.url}/openapi.json", headers={"Host": "evil.example"})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "not_local")


def test_rays_ports_are_on_loopback(service: Running) -> None:
    seen = look_at_processes(service.ray_session())
    listening = [(ip, one.name) for one in seen for ip in one.listens_on]
    assert len(listening) > 10
    assert [name for ip, name in listening if ip != "127.0.0.1"] == []
    assert any("ServeReplica" in name for _, name in listening)
    assert [name for _, name in listening if "haproxy" in name] != []
    assert {one.nice for one in seen} == {psutil.Process().nice()}


def test_a_question_goes_through_three_deployments(service: Running) -> None:
    answer = Answer.model_validate_json(service.ask("What is it?").content)
    assert answer.choice
    assert answer.choice.text == "A tone"
    assert [statement.text for statement in answer.evidence] == ["A tone is heard.", "1.0 s"]
    assert tuple(map(str, answer.trace)) == ("caption: listener", "transcribe: listener", f"read: {LLM}")


def test_all_that_can_answer_is_listed_and_answers(service: Running) -> None:
    names = [model["id"] for model in httpx.get(f"{service.url}/v1/models").json()["data"]]
    assert names == [f"cascade/{LLM}", f"text/{LLM}", f"lalm/{LALM}", f"informed/{LALM}", "auto", "both"]
    said = {name: service.ask("What is it?", model=name).json() for name in (*names, "lalm")}
    assert {name: said[name]["path"] for name in said} == {
        f"cascade/{LLM}": "cascade",
        f"text/{LLM}": "text",
        f"lalm/{LALM}": "lalm",
        f"informed/{LALM}": "informed",
        "lalm": "lalm",
        "auto": "auto",
        "both": "both",
    }
    assert said[f"lalm/{LALM}"]["choice"]["text"] == "Silence"
    assert said["auto"]["trace"][0]["step"] == "route"
    assert (said["both"]["cascade"]["choice"]["text"], said["both"]["lalm"]["choice"]["text"]) == ("A tone", "Silence")
    assert said["both"]["agree"] is False


def test_questions_asked_at_once_get_their_own_answers(service: Running) -> None:
    def chosen(number: int) -> str:
        answer = service.ask("What is it?", data=wav(amplitude=0.5 * (number % 2), duration_s=1 + number / 10)).json()
        return f"{answer['choice']['text']} {answer['evidence'][1]['text']}"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(chosen, range(24)))
    assert answers == [f"{('Silence', 'A tone')[n % 2]} {1 + n / 10:.1f} s" for n in range(24)]


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [("fail", 503, "model_unavailable"), ("bug", 500, "internal_error"), ("sleep", 504, "deadline_exceeded")],
)
def test_faults_of_a_replica_arrive_as_json(service: Running, question: str, status: int, code: str) -> None:
    response = service.ask(question)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.elapsed.total_seconds() < 16


@pytest.mark.timeout(START_S)
def test_a_question_whose_replica_dies_is_answered_by_another(service: Running) -> None:
    answer = service.ask("die").json()
    assert (service.tmp / "dead").exists()
    assert answer["choice"]["text"] == "A tone"


def test_past_the_deadline_the_replica_stops_working(service: Running) -> None:
    deadline = time.monotonic() + WAIT_S
    while "woken: nobody waits" not in (service.tmp / "stderr").read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "woken: nobody waits" in (service.tmp / "stderr").read_text()


def test_the_traceback_of_a_bug_is_in_the_log(service: Running) -> None:
    assert "AssertionError" in (service.tmp / "stderr").read_text()
    assert "The server answered 500." not in (service.tmp / "stderr").read_text()


@pytest.mark.timeout(2 * START_S)
def test_llms_and_replicas_come_and_go_without_a_dropped_question(service: Running) -> None:
    before = service.ray_session()
    several = f"[phi-4, {{name: {LLM}, scale: {{num_replicas: 1}}}}]"
    asked = changed_under_load(service, CONFIG.replace(f"llm: {LLM}", f"llm: {several}"))
    names = [model["id"] for model in httpx.get(f"{service.url}/v1/models").json()["data"]]
    assert names[:2] == ["cascade/phi-4", f"cascade/{LLM}"]
    answers = [Answer.model_validate_json(service.ask("What is it?", model=name).content) for name in names[:2]]
    assert [str(answer.trace[-1]) for answer in answers] == ["read: phi-4", f"read: {LLM}"]
    asked += changed_under_load(service, CONFIG)
    assert set(asked) == {200}
    assert len(asked) > 40
    assert service.ask("What is it?", model="cascade/phi-4").status_code == 404
    assert service.ray_session() == before


def changed_under_load(service: Running, config: str) -> list[int]:
    """Have another configuration read, ask until it is in use, and return the status of each answer."""
    log, asked = service.tmp / "stderr", list[int]()
    num_changes = log.read_text().count("configuration is in use")
    service.config.write_text(config)
    service.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 90
    with ThreadPoolExecutor(4) as pool:
        while log.read_text().count("configuration is in use") == num_changes and time.monotonic() < deadline:
            asked += pool.map(lambda _: service.ask("What is it?").status_code, range(8))
        asked += pool.map(lambda _: service.ask("What is it?").status_code, range(8))
    assert time.monotonic() < deadline
    return asked


@pytest.mark.timeout(3 * START_S)
def test_load_brings_a_second_replica_and_rest_sends_it_away(
    service: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    moving = "{max_replicas: 2, upscale_delay_s: 3, downscale_delay_s: 3, look_back_period_s: 2}"
    changed_under_load(service, CONFIG.replace("{num_replicas: 2}", f"{{autoscaling: {moving}}}"))
    assert num_replicas_after(service, 1)
    with_one, with_two, end = list[float](), list[float](), time.monotonic() + START_S
    with ThreadPoolExecutor(8) as pool:
        while len(with_two) < 3 and time.monotonic() < end:
            before, began = service.num_replicas(f"llm-{LLM}"), time.monotonic()
            assert {response.status_code for response in pool.map(service.ask, ["queue"] * 24)} == {200}
            if before == service.num_replicas(f"llm-{LLM}"):
                (with_one if before == 1 else with_two).append(24 / (time.monotonic() - began))
    assert num_replicas_after(service, 1)
    with capsys.disabled():
        sys.stdout.write(f" 1 replica {max(with_one):.1f} requests/s, 2: {max(with_two):.1f}, then 1 again ")
    assert max(with_two) > 1.2 * max(with_one)
    changed_under_load(service, CONFIG)


def num_replicas_after(service: Running, number: int) -> bool:
    """Wait until the LLM has so many replicas, and say whether it came to that."""
    end = time.monotonic() + START_S
    while (found := service.num_replicas(f"llm-{LLM}")) != number and time.monotonic() < end:
        time.sleep(0.2)
    return found == number


def test_a_configuration_that_cannot_be_used_changes_nothing(service: Running) -> None:
    kept = httpx.get(f"{service.url}/v1/models").json()
    service.config.write_text("models: {captioner: deaf}")
    service.process.send_signal(signal.SIGUSR1)
    for _ in range(10 * WAIT_S):
        if "'deaf'" in (service.tmp / "stderr").read_text():  # in quotes: ids of requests are random hex digits
            break
        time.sleep(0.1)
    assert "stays as it was: No captioner named 'deaf'." in (service.tmp / "stderr").read_text()
    assert httpx.get(f"{service.url}/v1/models").json() == kept


def test_bad_requests_are_refused_by_the_service_too(service: Running) -> None:
    assert service.ask("What?", "Rain").status_code == 400
    assert service.ask("What?", data=b"no audio").status_code == 415
    assert service.ask("What?", data=bytes(3_000_000)).status_code == 413
    assert service.ask("What?", data=wav(duration_s=25)).status_code == 413


def lines_about(service: Running, request_id: str, *, at_least: int = 1) -> list[dict[str, object]]:
    """Return the lines of the log that name a request, once there are as many as that."""
    found: list[str] = []
    deadline = time.monotonic() + WAIT_S
    while len(found) < at_least and time.monotonic() < deadline:
        found = [line for line in (service.tmp / "stderr").read_text().splitlines() if f'"{request_id}"' in line]
        time.sleep(0.05)
    return [json.loads(line) for line in found]


def test_the_id_of_a_request_is_in_the_log_of_every_model_each_line_json(service: Running) -> None:
    service.ask("What is it?", request_id="told-1")
    lines = lines_about(service, "told-1", at_least=4)
    assert sorted((line["event"], line.get("method", "")) for line in lines) == [
        ("call", "caption"),
        ("call", "choose"),
        ("call", "transcribe"),
        ("request", "POST"),
    ]


def test_a_deadline_stops_the_work_in_the_replica(service: Running) -> None:
    assert service.ask("sleep", request_id="late-1").status_code == 504
    ends = {line["method"]: line for line in lines_about(service, "late-1", at_least=4) if line["event"] == "call"}
    assert ends["choose"]["error"] == "CancelledError"
    assert isinstance(ends["choose"]["seconds"], float)
    assert ends["choose"]["seconds"] < DEADLINE_S + 1


def test_a_port_in_use_is_refused_before_anything_starts(service: Running) -> None:
    command = [sys.executable, "-m", "deploy.cli", "serve", "--port", str(service.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    complaint = f"Port {service.port} of 127.0.0.1 cannot be used: Address already in use. Choose another: --port."
    assert (done.returncode, done.stderr) == (2, f"earwitness: {complaint}\n")


def test_sigterm_answers_what_is_in_work_refuses_the_rest_and_leaves_no_process_no_port_and_no_file(
    service: Running,
) -> None:
    ray = service.ray_session()
    assert len(list_session(ray)) > 5
    with ThreadPoolExecutor(1) as pool:
        asked = time.monotonic()
        napping = pool.submit(service.ask, "nap")
        time.sleep(0.7)
        os.killpg(service.process.pid, signal.SIGTERM)
        refused = service.ask("What is it?")
        while refused.status_code == 200 and time.monotonic() - asked < 2:  # until the signal has got there
            refused = service.ask("What is it?")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert "stopping" in refused.json()["error"]["message"]
        assert httpx.get(f"{service.url}/readyz").status_code == 503
        assert napping.result().json()["choice"]["text"] == "A tone"
    assert service.process.wait(STOP_S) == 0
    assert list_session(ray) == ()
    made_by_doubles = {"dead"}  # by another test, where that was run
    assert {path.name for path in service.tmp.iterdir()} - made_by_doubles == {"stderr", "serve.yaml"}
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", service.port))
