"""inspect's log, read by inspect itself where a Python with it is named by EARWITNESS_PEERS_PYTHON."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from eval.export.inspect_log import write_inspect_log

PEERS = os.environ.get("EARWITNESS_PEERS_PYTHON")
HEAD = """
import sys
from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_samples
(found,) = list_eval_logs(sys.argv[1])
head = read_eval_log(found, header_only=True)
samples = [(one.id, one.epoch) for one in read_eval_log_samples(found, all_samples_required=False)]
print(head.eval.task, head.results.scores[0].name, len(samples), samples[0])
"""
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


def test_what_a_viewer_reads_of_many_logs_comes_before_the_samples(run: Path) -> None:
    file = write_inspect_log(run)
    names = list(json.loads(file.read_text()))
    assert {"version", "status", "eval", "plan", "results", "stats"} <= set(names[: names.index("samples")])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[+-]\d\d-\d\d_made-up_0123456789abcdef\.json", file.name)


@pytest.mark.skipif(not PEERS, reason="set EARWITNESS_PEERS_PYTHON to a Python that has inspect-ai")
def test_inspect_finds_it_in_the_folder_and_reads_its_head_and_its_samples(run: Path) -> None:
    write_inspect_log(run)
    command = [str(PEERS), "-c", HEAD, str(run)]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert read.strip() == "made up strict 6 ('q0', 1)"
