import errno
import json
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

import pytest
from typing_extensions import Buffer

from eval.scoring.scoring import summarise
from eval.store.provenance import Environment, describe_environment
from eval.store.records import ModelUse, Prediction, RunOptions, RunRecord
from eval.store.run_folder import RunFolder, open_run, write_summary
from services.errors import BadConfig

HERE = Environment(
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    commit=None,
    python="3.11",
    packages={"numpy": "2.4"},
    platform="Linux",
    cpu="any",
    num_cpus=2,
    memory_gib=8.0,
    gpus=(),
)
RECORD = RunRecord(
    options=RunOptions(benchmark="mmau", path="text", llm="phi-4"),
    benchmark_file="mmau.json",
    benchmark_sha256="1",
    prompts_sha256="2",
    models=(ModelUse(role="llm", name="phi-4", revision="r1"),),
    environments=(HERE,),
)


COUNTS = {
    *("n", "correct_strict", "correct_official", "unread", "failed", "degraded", "withheld", "wilson_95"),
    "official_dropped",
}


def prediction(id: str, *, failed: str | None = None) -> Prediction:
    return Prediction(
        id=id,
        audio="a.wav",
        question="?",
        choices=("Man", "Woman"),
        answer="Man",
        task="speech",
        model_output="A",
        model_prediction="Man",
        correct_strict=failed is None,
        correct_official=failed is None,
        unread=False,
        failed=failed,
        response=None,
        took_s=0.5,
        clock_s=float(id),
    )


def changed(**fields: object) -> RunRecord:
    return RECORD.model_copy(update={"options": RECORD.options.model_copy(update=fields)})


def test_a_prediction_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", RECORD) as folder:
        folder.append(prediction("1"))
        (line,) = (tmp_path / "run" / "predictions.jsonl").read_text().splitlines()
        assert Prediction.model_validate_json(line) == prediction("1")


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with open_run(tmp_path, RECORD) as folder:
        folder.append(prediction("1"))
        folder.append(prediction("2"))
    with open_run(tmp_path, RECORD) as folder:
        assert list(folder.verdicts) == ["1", "2"]
        assert folder.clock_s == 2.0
        folder.append(prediction("3"))
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize("torn", [b'{"id": "2", "aud', b"{}", b"\x00\x00\x00", b"{}\n"])
def test_a_last_line_that_a_crash_cut_short_is_repaired(tmp_path: Path, torn: bytes) -> None:
    with open_run(tmp_path, RECORD) as folder:
        folder.append(prediction("1"))
    file = tmp_path / "predictions.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + torn)
    with open_run(tmp_path, RECORD) as folder:
        assert list(folder.verdicts) == ["1"]
        assert file.read_bytes() == whole
        folder.append(prediction("2"))
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == ["1", "2"]


def test_a_whole_prediction_without_its_newline_is_asked_again(tmp_path: Path) -> None:
    with open_run(tmp_path, RECORD) as folder:
        folder.append(prediction("1"))
    file = tmp_path / "predictions.jsonl"
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    with open_run(tmp_path, RECORD) as folder:
        assert folder.verdicts == {}


def test_a_broken_line_in_the_middle_is_named_not_dropped(tmp_path: Path) -> None:
    with open_run(tmp_path, RECORD) as folder:
        folder.append(prediction("1"))
    file = tmp_path / "predictions.jsonl"
    file.write_bytes(b"garbage\n" + file.read_bytes())
    with pytest.raises(BadConfig, match=r"predictions\.jsonl', line 1 is not a prediction"), open_run(tmp_path, RECORD):
        pass


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (changed(llm="phi-5"), "llm was 'phi-4' and is now 'phi-5'"),
        (changed(limit=10), "limit was None and is now 10"),
        (changed(llm_url="http://here"), "llm_url was None and is now 'http://here'"),
        (RECORD.model_copy(update={"benchmark_sha256": "9"}), "benchmark sha256 was '1' and is now '9'"),
        (RECORD.model_copy(update={"prompts_sha256": "9"}), "prompts sha256 was '2' and is now '9'"),
        (
            RECORD.model_copy(update={"models": (ModelUse(role="llm", name="phi-4", revision="r2"),)}),
            "revision of llm phi-4 was 'r1' and is now 'r2'",
        ),
    ],
)
def test_changed_options_are_refused_with_the_difference_named(
    tmp_path: Path, other: RunRecord, difference: str
) -> None:
    with open_run(tmp_path, RECORD):
        pass
    with pytest.raises(BadConfig) as raised, open_run(tmp_path, other):
        pass
    assert difference in str(raised.value)
    assert "--out" in str(raised.value)
    with open_run(tmp_path, RECORD):
        pass


def test_other_surroundings_are_noted_once(tmp_path: Path) -> None:
    later = HERE.model_copy(update={"started_at": datetime(2026, 2, 2, tzinfo=UTC)})
    moved = later.model_copy(update={"packages": {"numpy": "2.5"}})
    for surroundings in (HERE, later, moved, moved):
        with open_run(tmp_path, RECORD.model_copy(update={"environments": (surroundings,)})):
            pass
    kept = RunRecord.model_validate_json((tmp_path / "run.json").read_bytes())
    assert kept.environments == (HERE, moved)


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    in_use = pytest.raises(BadConfig, match="in use by another process")
    with open_run(tmp_path, RECORD), in_use, open_run(tmp_path, RECORD):
        pass


def test_failed_items_are_finished_unless_they_are_to_be_retried(tmp_path: Path) -> None:
    with open_run(tmp_path, RECORD) as folder:
        for one in (prediction("1"), prediction("2", failed="gone"), prediction("3")):
            folder.append(one)
    with open_run(tmp_path, RECORD) as folder:
        assert list(folder.verdicts) == ["1", "2", "3"]
    with open_run(tmp_path, RECORD, retry_failed=True) as folder:
        assert list(folder.verdicts) == ["1", "3"]
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 2


def test_the_summary_holds_the_documented_fields(tmp_path: Path) -> None:
    with open_run(tmp_path, RECORD) as folder:
        folder.append(prediction("1"))
        folder.append(prediction("2", failed="gone"))
        write_summary(tmp_path, summarise(folder.verdicts.values()))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary.keys() == {
        *COUNTS,
        *("by_task", "by_category", "by_sub_category", "by_difficulty", "by_modality", "controls"),
        *("clustered_se", "mean_took_s", "wall_s", "prompt_tokens", "completion_tokens", "num_cached", "cost_usd"),
        *(
            "calibration",
            "clustered_95",
            "num_clusters",
            "chance",
            "judges",
            "judge_kappa",
            "repeats",
            "undisputed",
            "given_premise",
            "rules",
        ),
    }
    assert [summary[key] for key in ("n", "correct_strict", "unread", "failed")] == [2, 1, 0, 1]
    assert summary["by_task"]["speech"].keys() == COUNTS
    assert summary["wall_s"] == 2.0


def test_the_surroundings_are_described() -> None:
    here = describe_environment()
    assert here.num_cpus > 0
    assert here.memory_gib > 0
    assert here.packages["numpy"]
    assert here.python.startswith("3.")


class FullDisk(FileIO):
    """A file on a disk that has room for one more line, and for half of the next."""

    room = 1.5

    def write(self, line: Buffer) -> int:
        data = bytes(line)
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = super().write(data[: round(min(self.room, 1) * len(data))])
        self.room -= 1
        return done


def test_on_a_full_disk_items_go_on_to_count_and_no_half_line_is_built_upon(tmp_path: Path) -> None:
    file = tmp_path / "predictions.jsonl"
    with FullDisk(file, "ab") as full:
        folder = RunFolder(full, {})
        folder.append(prediction("1"))
        assert folder.lost is None
        for number in ("2", "3"):
            folder.append(prediction(number))
    assert folder.lost == "No space left on device"
    assert list(folder.verdicts) == ["1", "2", "3"]
    with open_run(tmp_path, RECORD) as again:
        assert list(again.verdicts) == ["1"]


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(BadConfig, match=r"The run folder '.*' cannot be used: Not a directory"),
        open_run(tmp_path / "file" / "run", RECORD),
    ):
        pass
    (tmp_path / "run" / "predictions.jsonl").mkdir(parents=True)
    with (
        pytest.raises(BadConfig, match=r"The run folder '.*' cannot be used: Is a directory"),
        open_run(tmp_path / "run", RECORD),
    ):
        pass
