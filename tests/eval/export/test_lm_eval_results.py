"""lm-eval's files, read by lm-eval itself where a Python with it is named by EARWITNESS_PEERS_PYTHON."""

import json
import os
import subprocess
from math import sqrt
from pathlib import Path

import pytest

from eval.export.lm_eval_results import write_lm_eval
from services.errors import BadConfig

PEERS = os.environ.get("EARWITNESS_PEERS_PYTHON")
needs_peers = pytest.mark.skipif(
    not PEERS,
    reason="set EARWITNESS_PEERS_PYTHON to a Python that has lm-eval, inspect-ai, mlflow-skinny and wandb",
)


def test_both_files_hold_the_run_under_lm_evals_names(run: Path) -> None:
    file = write_lm_eval(run)
    assert file.parent == run / "lm-eval" / "org_reader"
    content = json.loads(file.read_text())
    whole = content["results"]["made_up"]
    assert (whole["acc,none"], whole["acc_official,none"]) == (4 / 6, 4 / 6)
    assert whole["acc_stderr,none"] == pytest.approx(sqrt(4 / 6 * 2 / 6 / 6))
    assert content["results"]["made_up_music"]["acc,none"] == 2 / 3
    assert content["group_subtasks"] == {"made_up": ["made_up_music", "made_up_sound"]}
    assert content["n-samples"]["made_up"] == {"original": 6, "effective": 6}
    (lines,) = file.parent.glob("samples_made_up_*.jsonl")
    samples = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [one["acc"] for one in samples] == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    assert (samples[0]["resps"], samples[0]["filtered_resps"], samples[0]["target"]) == ([["(B)"]], ["a dog"], "a dog")


def test_a_run_that_is_not_finished_is_refused(run: Path) -> None:
    (run / "summary.json").unlink()
    with pytest.raises(BadConfig, match="not finished"):
        write_lm_eval(run)


def test_tasks_that_would_be_called_alike_keep_their_scores(alike: Path) -> None:
    results = json.loads(write_lm_eval(alike).read_text())["results"]
    assert {name: (one["alias"], one["acc,none"]) for name, one in results.items()} == {
        "made_up": ("made up", 4 / 6),
        "made_up_a_b": ("a b", 1.0),
        "made_up_a_b-2": ("a/b", 0.5),
        "made_up_all": ("all", 0.5),
    }


@needs_peers
def test_lm_eval_prints_its_table_of_it(run: Path) -> None:
    script = "import json, sys; from lm_eval.utils import make_table; print(make_table(json.load(open(sys.argv[1]))))"
    command = [str(PEERS), "-c", script, str(write_lm_eval(run))]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "made up" in table and "0.6667" in table and "- music" in table
