"""Request ids and structured log lines: what they hold, and what they never hold."""

import base64
import json
import logging
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService
from services.telemetry.log_lines import LOGGER, JSONLines

QUESTIONS = "/v1/audio/questions"


@pytest.fixture
def sound(tone: Callable[[float], bytes]) -> str:
    return base64.b64encode(tone(0.5)).decode()


class Lines(logging.Handler):
    """Keeps what is logged, as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JSONLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    handler = Lines()
    LOGGER.addHandler(handler)
    yield handler.lines
    LOGGER.removeHandler(handler)


def client(*, proxied: bool = False) -> TestClient:
    app = create_app(ScriptedService(), Limits(max_duration_s=1), proxied=proxied)
    return TestClient(app, "http://127.0.0.1", raise_server_exceptions=False)


def ask(asking: TestClient, question: str = "What?", id: str = "", **fields: str) -> httpx.Response:
    body = {"question": question, "model": "text"} | fields
    return asking.post(QUESTIONS, json=body, headers={"X-Request-Id": id} if id else {})


@pytest.mark.parametrize("id", ["abc-123", "9f1c.7:x_y", "a" * 128])
def test_a_sane_id_is_kept(logged: list[str], id: str) -> None:
    assert ask(client(), id=id).headers["X-Request-Id"] == id
    assert json.loads(logged[-1])["request_id"] == id


@pytest.mark.parametrize("id", ["a" * 129, 'a"b', "two words", "<b>", "-"])
def test_any_other_id_is_replaced(logged: list[str], id: str) -> None:
    made = ask(client(), id=id).headers["X-Request-Id"]
    assert len(made) == 32
    assert json.loads(logged[-1])["request_id"] == made


@pytest.mark.parametrize(
    ("question", "path", "status"),
    [("What?", QUESTIONS, 200), ("", QUESTIONS, 400), ("bug", QUESTIONS, 500), ("What?", "/nowhere", 404)],
)
def test_every_response_has_an_id_of_its_own(question: str, path: str, status: int) -> None:
    asking = client()
    responses = [asking.post(path, json={"question": question, "model": "text"}) for _ in range(2)]
    assert {response.status_code for response in responses} == {status}
    assert len({response.headers["X-Request-Id"] for response in responses} - {""}) == 2


def test_behind_a_proxy_that_sends_the_id_it_is_not_sent_twice() -> None:
    assert "X-Request-Id" not in ask(client(proxied=True), id="abc").headers
    assert "X-Request-Id" in ask(client(proxied=True), id="not sane").headers


def test_a_line_holds_the_model_the_route_and_the_seconds(logged: list[str], sound: str) -> None:
    ask(client(), model="cascade", audio=sound)
    line = json.loads(logged[-1])
    assert {name: line[name] for name in ("event", "level", "method", "route", "status", "model", "clip_s")} == {
        "event": "request",
        "level": "info",
        "method": "POST",
        "route": QUESTIONS,
        "status": 200,
        "model": "cascade",
        "clip_s": 0.5,
    }
    assert set(line["stages_s"]) == {"upload", "wait", "decode", "read"}
    assert line["seconds"] >= line["stages_s"]["decode"]


def test_a_refusal_is_logged_by_its_code(logged: list[str]) -> None:
    ask(client(), model="nobody")
    line = json.loads(logged[-1])
    assert (line["status"], line["error"]) == (404, "unknown_name")
    assert "model" not in line


def test_probes_are_not_logged(logged: list[str]) -> None:
    asking = client()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert asking.get(path).status_code == 200
    assert logged == []


def test_no_word_of_a_question_no_sound_and_no_key_is_logged(logged: list[str], sound: str) -> None:
    asking = client()
    headers = {"Authorization": "Bearer sk-secret-key"}
    for question in ("secret words", "bug", "", "fail"):
        body = {"question": question, "choices": ["secret rain", "secret wind"], "audio": sound, "model": "cascade"}
        asking.post(QUESTIONS, json=body, headers=headers)
        asking.post("/v1/chat/completions", json={"messages": question, "secret": sound}, headers=headers)
    text = "\n".join(logged)
    assert len(logged) == 9  # one a request, and where the bug is
    assert "ZeroDivisionError" in text
    assert "secret" not in text
    assert sound[:40] not in text
