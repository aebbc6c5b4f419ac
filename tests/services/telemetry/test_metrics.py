"""Metrics at `/metrics`."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService

QUESTIONS = "/v1/audio/questions"


def client() -> TestClient:
    return TestClient(create_app(ScriptedService(), Limits()), "http://127.0.0.1", raise_server_exceptions=False)


def ask(asking: TestClient, question: str, model: str) -> None:
    asking.post(QUESTIONS, json={"question": question, "model": model, "choices": ["Rain", "Wind"]})


def value(asking: TestClient, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(asking.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return sum(sample.value for sample in samples if (sample.name, sample.labels) == (name, labels))


@pytest.mark.slow
def test_requests_are_counted_by_route_status_and_the_model_that_exists() -> None:
    asking = client()
    labels = [
        {"route": QUESTIONS, "status": status, "model": model}
        for status, model in (("200", "text/tiny"), ("503", "text/tiny"), ("404", ""))
    ]
    before = [value(asking, "earwitness_requests_total", **label) for label in labels]
    for question, model in (("What?", "text/tiny"), ("fail", "text/tiny"), ("What?", "made-up-1"), ("What?", "x2")):
        ask(asking, question, model)
    after = [value(asking, "earwitness_requests_total", **label) for label in labels]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1, 2]


def test_paths_outside_the_api_are_one_series() -> None:
    asking = client()
    for path in ("/a", "/b/c", "/wp-login.php"):
        asking.get(path)
    assert not re.search(r'route="/(a|b|wp)', asking.get("/metrics").text)
    assert value(asking, "earwitness_requests_total", route="unmatched", status="404", model="") >= 3


@pytest.mark.slow
def test_answers_stages_and_missing_parts_are_counted() -> None:
    asking = client()
    counted = [
        ("earwitness_answers_total", {"path": "text", "chosen": ""}),
        ("earwitness_degraded_answers_total", {"path": "text"}),
        ("earwitness_stage_seconds_sum", {"stage": "read"}),
        ("earwitness_stage_seconds_count", {"stage": "upload"}),
    ]
    before = [value(asking, name, **labels) for name, labels in counted]
    ask(asking, "What?", "text")
    ask(asking, "degraded", "text")
    after = [value(asking, name, **labels) for name, labels in counted]
    gained = [round(new - old, 6) for old, new in zip(before, after, strict=True)]
    assert gained == [2, 1, 0.04, 2]


def test_what_a_router_chose_is_counted(tone: Callable[[float], bytes]) -> None:
    asking = client()
    before = value(asking, "earwitness_answers_total", path="auto", chosen="lalm")
    recording = {"file": ("a.wav", tone(0.5))}
    asked = asking.post(QUESTIONS, data={"question": "What?", "model": "auto"}, files=recording)
    assert asked.status_code == 200
    assert value(asking, "earwitness_answers_total", path="auto", chosen="lalm") == before + 1


@pytest.mark.slow
def test_processes_that_share_a_folder_are_added_up_but_for_what_died_in_work(tmp_path: Path) -> None:
    def printed(code: str) -> list[str]:
        command = [
            sys.executable,
            "-c",
            f"from services.telemetry.metrics import *\n{code}\nprint(render_metrics().decode())",
        ]
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()

    count = "CACHE_LOOKUPS.labels(kind='captions', result='hit').inc(); RUNNING.inc(3)"
    assert "earwitness_requests_running 3.0" in printed(count)
    both = printed("foreign = Counter('ray_things', 'Not ours.'); foreign.inc()\n" + count)
    assert 'earwitness_perception_cache_lookups_total{kind="captions",result="hit"} 2.0' in both
    assert "earwitness_requests_running 3.0" in both
    assert not any(line.startswith("ray_") for line in both)
