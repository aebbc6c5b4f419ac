"""inspect's log, read by inspect itself where a Python with it is named by EARWITNESS_PEERS_PYTHON."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from eval.export.inspect_log import write_inspect_log

PEERS = os.environ.get("EARWITNESS_PEERS_PYTHON")
READ = """
import json, sys
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1])
first, last = log.samples[0], log.samples[-1]
print(json.dumps({
    "task": log.eval.task, "model": log.eval.model, "n": log.results.total_samples, "ok": log.status,
    "accuracy": log.results.scores[0].metrics["accuracy"].value, "first": first.scores["strict"].value,
    "output": first.output.completion, "error": last.error.message, "target": first.target,
}))
"""


def test_each_item_is_a_sample_with_two_scores(run: Path) -> None:
    log = json.loads(write_inspect_log(run).read_text())
    assert (log["version"], log["status"], log["eval"]["model"]) == (2, "success", "earwitness/org/reader")
    assert [one["scores"]["strict"]["value"] for one in log["samples"]] == ["C", "C", "C", "C", "I", "I"]
    assert log["samples"][5]["error"]["message"] == "the server is down"
    assert log["results"]["completed_samples"] == 5
    assert [one["metadata"].get("audio") for one in log["samples"]][:3] == [None, "1.wav", "2.wav, 2b.wav"]
    official = log["results"]["scores"][1]
    assert (official["name"], official["metrics"]["accuracy"]["value"]) == ("official", 4 / 6)


@pytest.mark.skipif(not PEERS, reason="set EARWITNESS_PEERS_PYTHON to a Python that has inspect-ai")
def test_inspect_reads_it(run: Path) -> None:
    command = [str(PEERS), "-c", READ, str(write_inspect_log(run))]
    read = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert read == {
        "task": "made up",
        "model": "earwitness/org/reader",
        "n": 6,
        "ok": "success",
        "accuracy": pytest.approx(4 / 6),
        "first": "C",
        "output": "(B)",
        "error": "the server is down",
        "target": "a dog",
    }
