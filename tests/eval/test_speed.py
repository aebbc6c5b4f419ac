"""What `eval run` costs beside its server, without a clock: what is imported, and how many are in flight."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "torch",
    "transformers",
    "pandas",
    "datasets",
    "httpx",
    "openai",
    "scipy",
    "matplotlib",
    "numpy",
    "langgraph",
    "ray",
}
READS_EVIDENCE = {"agents.reading.relevance", "agents.reading.quantities"}  # which path text has not


@pytest.fixture
def server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "benchmarks" / "fixed_latency_server.py"), str(port), "50"]
    with subprocess.Popen(command) as process:
        url = f"http://127.0.0.1:{port}"
        while not answers(url):
            sleep(0.05)
        yield url
        process.terminate()


def answers(url: str) -> bool:
    try:
        return stats(url)["num_requests"] == 0
    except URLError:
        return False


def stats(url: str) -> dict[str, int]:
    with urlopen(f"{url}/stats") as response:
        return dict(json.load(response))


@pytest.mark.slow
def test_thirty_two_questions_are_in_flight_and_no_model_library_is_loaded(server: str, tmp_path: Path) -> None:
    row = {"audio_id": "a.wav", "choices": ["dog", "cat"], "answer": "dog", "task": "sound"}
    rows = [row | {"id": str(number), "question": f"Which, {number}?"} for number in range(200)]
    bench = tmp_path / "bench.json"
    bench.write_text(json.dumps(rows))
    options = ("--path", "text", "--llm", "fixed", "--llm-url", f"{server}/v1", "--bench", str(bench))
    command = [sys.executable, "-X", "importtime", "-m", "eval", "run", *options, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    assert stats(server) == {"num_requests": 200, "peak": 32}
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["n"], summary["correct_strict"], summary["completion_tokens"]) == (200, 200, 200)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert not imported & (HEAVY | READS_EVIDENCE)
