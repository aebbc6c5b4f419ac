"""Whole runs in this process, with scripted models and real clips."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from agents.reading.calibration import read_calibrations
from agents.reading.confidence import apply_temperature
from eval.analysis.score import score_file
from eval.analysis.score_table import read_table
from eval.display.progress import show_passes
from eval.run import session
from eval.run.grid import Grid, read_models, run_grid
from eval.run.request import Price, RunRequest
from eval.store.records import RunRecord
from eval.store.run_folder import RunFolder
from eval.store.stored import read_predictions
from lalm.catalog import LALMS
from services import catalog
from services.errors import BadConfig, ModelError, UnknownName
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import fail_with, weigh
from services.types import AudioClip, Choice, Focus, Reading

CHOICES = ["a bell", "a dog", "a violin", "rain"]
NUM_ITEMS = 8


def level_wave(level: float) -> NDArray[np.float64]:
    """Return 0.1 s of a square wave; a constant would be an offset, which is taken off."""
    return level * np.where(np.arange(1600) % 80 < 40, 1.0, -1.0)


def hear_level(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
    """State how loud a clip is: 0.1 for the first, 0.2 for the second and so on."""
    return (f"Level {round(float(np.abs(clip.samples).max()), 1)}.",)


def level_reader(prompt: str) -> str:
    """Choose by the level that was heard; the first option where nothing was."""
    levels = [number for number in range(4) if f"Level 0.{number + 1}." in prompt]
    return f"The answer is {CHOICES[levels[0]]}." if levels else CHOICES[0]


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    for number in range(4):
        soundfile.write(tmp_path / f"{number}.wav", level_wave((number + 1) / 10), 16_000, subtype="FLOAT")
    rows = [
        {
            "id": f"i{number}",
            "audio_id": f"{number % 4}.wav",
            "question": f"What is heard, {number}?",
            "choices": CHOICES,
            "answer": CHOICES[number % 4],
            "task": "sound",
            "category": ["Reasoning"],
            "difficulty": "easy" if number < 2 else "hard",
        }
        for number in range(NUM_ITEMS)
    ]
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(rows))
    return file


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, ScriptedEars]:
    opened = {name: ScriptedEars(hear_level, name=name) for name in ("left", "right")}
    monkeypatch.setattr("services.catalog.read_settings", lambda: type("Home", (), {"home": tmp_path / "home"}))
    for name, one in opened.items():
        monkeypatch.setitem(catalog.CAPTIONERS, name, lambda one=one: one)
    monkeypatch.setitem(catalog.ASRS, "mute", lambda: ScriptedEars(name="mute"))
    for name, rule in (("levels", level_reader), ("first", lambda _: CHOICES[0])):
        monkeypatch.setitem(catalog.LLMS, name, lambda url, rule=rule, name=name: ScriptedLLM(rule, name=name))
    return opened


def cascade(bench: Path, **fields: object) -> RunRequest:
    shared = {"path": "cascade", "bench": str(bench), "captioner": "left", "asr": "mute", "llm": "levels"}
    return RunRequest.model_validate(shared | {"concurrency": 3, "out": bench.parent / "run"} | fields)


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_controls_show_what_the_run_rests_on(bench: Path) -> None:
    names = ("no-audio", "shuffled-captions", "constant-first", "circular", "silent-audio")
    outcome = session.run(cascade(bench, controls=names, num_probed=4, price=Price(prompt=1, completion=1)))
    summary, controls = outcome.summary, outcome.summary.controls
    assert (summary.n, summary.correct_strict, summary.cost_usd) == (8, 8, 0.0)
    # "The answer is a bell." is read strictly, and its text is what the official matcher is given.
    assert summary.correct_official == 8
    right = {name: control.correct_strict for name, control in controls.items() if name != "silent-audio"}
    assert right == {"no-audio": 2, "shuffled-captions": 0, "constant-first": 2, "circular": 8}
    assert controls["circular"].consistent == 8
    assert (controls["shuffled-captions"].changed, controls["shuffled-captions"].compared) == (8, 8)
    assert controls["no-audio"].changed == 6
    assert controls["silent-audio"].n == 4
    test = controls["no-audio"].against_run
    assert test is not None
    assert (test.n, test.only_run, test.only_control, test.mcnemar_p) == (8, 6, 0, 2 / 2**6)
    assert controls["no-audio"].by_task["sound"].n == 8
    assert set(summary.by_difficulty) == {"easy", "hard"}
    assert set(summary.by_category) == {"Reasoning"}
    assert summary.by_modality["sound"].n == 8
    assert json.loads((outcome.folder / "summary.json").read_text())["controls"].keys() == set(names)
    record = RunRecord.model_validate_json((outcome.folder / "controls" / "no-audio" / "run.json").read_bytes())
    assert (record.options.control, record.options.path) == ("no-audio", "text")


def sure(url: str | None) -> ScriptedLLM:
    """Open an LLM that says how sure it is of the first option: surer where that is right by the level."""

    def choose(prompt: str, choices: tuple[Choice, ...]) -> Reading:
        top = 0.9 if level_reader(prompt) == f"The answer is {CHOICES[0]}." else 0.4
        return weigh(top, *[(1 - top) / 3] * 3)(choices).model_copy(update={"reply": "A"})

    return ScriptedLLM(choose=choose, name="sure")


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_probabilities_are_measured_and_a_threshold_changes_no_prediction(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.LLMS, "sure", sure)
    # Each question about a recording of its own, so that both halves hold right answers and wrong ones.
    rows = json.loads(bench.read_text())
    for row, name in zip(rows, "abcdefgh", strict=True):
        (bench.parent / f"{name}.wav").write_bytes((bench.parent / row["audio_id"]).read_bytes())
        row["audio_id"] = f"{name}.wav"
    bench.write_text(json.dumps(rows))
    plain = session.run(cascade(bench, llm="sure")).summary.calibration
    assert plain is not None and plain.abstention is None
    # Two of eight are right, and those are the surest: one right in the surest tenth, two wrong in eight in all.
    assert (plain.n, plain.risk_coverage[0].risk, plain.risk_coverage[-1].risk) == (8, 0.0, 0.75)
    assert plain.raw.ece == pytest.approx((2 * 0.1 + 6 * 0.4) / 8)
    before = (bench.parent / "run" / "predictions.jsonl").read_bytes()
    outcome = session.run(cascade(bench, llm="sure", abstain=0.5))
    kept = outcome.summary.calibration and outcome.summary.calibration.abstention
    assert kept is not None
    assert (kept.answered, kept.correct, kept.n, kept.accuracy) == (2, 2, 8, 1.0)
    assert (bench.parent / "run" / "predictions.jsonl").read_bytes() == before
    assert json.loads((outcome.folder / "summary.json").read_text())["calibration"]["abstention"]["answered"] == 2


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_a_run_leaves_the_temperatures_of_its_model_and_another_run_uses_them(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.LLMS, "sure", sure)
    assert session.run(cascade(bench, llm="sure")).calibration is None  # eight questions are too few
    rows = json.loads(bench.read_text())
    again = [
        row | {"id": f"{row['id']}-{copy}", "question": f"{row['question']} {copy}"}
        for copy in range(4)
        for row in rows
    ]
    bench.write_text(json.dumps(again))
    fitted = session.run(cascade(bench, llm="sure", out=bench.parent / "fitted"))
    assert fitted.calibration is not None
    assert read_calibrations(fitted.folder).models == (fitted.calibration,)
    temperature = fitted.calibration.find_temperature(4)
    used = session.run(cascade(bench, llm="sure", out=bench.parent / "used", calibration=str(fitted.folder)))
    answer = next(one.response for one in read_predictions(used.folder) if one.response)
    assert answer.calibration is not None and answer.calibration.temperature == temperature
    assert answer.probabilities == pytest.approx(apply_temperature(answer.raw_probabilities, temperature))
    with pytest.raises(BadConfig, match="calibration_sha256"):
        session.run(cascade(bench, llm="sure", out=bench.parent / "used"))


def choose_level(prompt: str, clip: AudioClip) -> Reading:
    """Choose by the level that is heard, and be sure of it."""
    level = round(float(np.abs(clip.samples).max()) * 10) - 1
    return Reading(reply="ABCD"[level], probabilities={a: 0.94 if n == level else 0.02 for n, a in enumerate("ABCD")})


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_path_auto_answers_a_benchmark_and_names_all_its_models(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalog.LLMS, "sure", sure)
    monkeypatch.setitem(LALMS, "hearer", lambda url: ScriptedLALM(choose_level, name="hearer"))
    outcome = session.run(cascade(bench, path="auto", llm="sure", lalm="hearer"))
    answers = [one.response for one in read_predictions(outcome.folder)]
    assert outcome.summary.correct_strict == 8
    assert {answer.path for answer in answers if answer} == {"auto"}
    assert {answer.route for answer in answers if answer} == {"both"}
    assert {answer.trace[0].text for answer in answers if answer} == {
        "both (rule, the question does not say what it is about)"
    }
    record = RunRecord.model_validate_json((outcome.folder / "run.json").read_bytes())
    assert {(model.role, model.name) for model in record.models} == {
        *(("llm", "sure"), ("captioner", "left"), ("asr", "mute"), ("lalm", "hearer")),
    }


@pytest.mark.parametrize("path", ["cascade", "auto"])
@pytest.mark.usefixtures("ears")
def test_a_part_that_is_down_fails_the_item_and_is_not_done_without(
    path: str, bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = ScriptedEars(fail_with(ModelError("The captioner is gone.")), name="gone")
    monkeypatch.setitem(catalog.CAPTIONERS, "gone", lambda: gone)
    monkeypatch.setitem(LALMS, "hearer", lambda url: ScriptedLALM(choose_level, name="hearer"))
    named = {"lalm": "hearer"} if path == "auto" else {}
    outcome = session.run(cascade(bench, path=path, captioner="gone", **named))
    assert (outcome.summary.failed, outcome.summary.degraded, outcome.summary.correct_strict) == (8, 0, 0)
    assert {one.failed for one in read_predictions(outcome.folder)} == {"The captioner is gone."}


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_a_control_added_later_asks_the_run_nothing_again(bench: Path) -> None:
    session.run(cascade(bench, controls=("constant-first",)))
    before = (bench.parent / "run" / "predictions.jsonl").read_bytes()
    outcome = session.run(cascade(bench, controls=("longest",)))
    assert (bench.parent / "run" / "predictions.jsonl").read_bytes() == before
    assert set(outcome.summary.controls) == {"constant-first", "longest"}


@pytest.mark.usefixtures("ears")
def test_unknown_and_impossible_controls_stop_before_anything_is_asked(bench: Path) -> None:
    with pytest.raises(UnknownName, match=r"No control named 'deaf'\. Known: no-audio, "):
        session.run(cascade(bench, controls=("deaf",)))
    text = RunRequest(path="text", bench=str(bench), llm="first", concurrency=1, controls=("silent-audio",))
    with pytest.raises(BadConfig, match="hears nothing"):
        session.run(text)
    assert not (bench.parent / "run").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_missing_clips_stop_the_run_or_are_counted_as_failed(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bench.parent / "3.wav").unlink()
    with pytest.raises(BadConfig, match=r"2 of 8 items lack their audio, the first at .*3\.wav.*--missing skip"):
        session.run(cascade(bench))
    with show_passes(quiet=False):
        outcome = session.run(cascade(bench, missing="skip"))
    assert (outcome.summary.n, outcome.summary.correct_strict, outcome.summary.failed) == (8, 6, 2)
    said = capsys.readouterr().err
    assert "2 of 8 items lack their audio, the first at" in said.split("failed: i3")[0]
    assert "8/8" in said
    failures = {one.id: one.failed for one in read_predictions(outcome.folder) if one.failed}
    assert failures.keys() == {"i3", "i7"}
    assert "No recording at" in str(failures["i3"])
    soundfile.write(bench.parent / "3.wav", level_wave(0.4), 16_000, subtype="FLOAT")
    again = session.run(cascade(bench, retry_failed=True))
    assert (again.summary.correct_strict, again.summary.failed) == (8, 0)


def test_a_path_that_hears_nothing_needs_no_clips(bench: Path, ears: dict[str, ScriptedEars]) -> None:
    for clip in bench.parent.glob("*.wav"):
        clip.unlink()
    request = RunRequest(path="text", bench=str(bench), llm="first", concurrency=1, out=bench.parent / "run")
    assert session.run(request).summary.correct_strict == 2
    assert ears["left"].num_captioned == 0


@pytest.mark.usefixtures("ears")
def test_withheld_answers_give_a_submission_and_no_score(bench: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "answer"} for row in json.loads(bench.read_text())]
    bench.write_text(json.dumps(rows))
    outcome = session.run(cascade(bench))
    assert (outcome.summary.n, outcome.summary.withheld, outcome.summary.correct_strict) == (8, 8, 0)
    submitted = json.loads((outcome.folder / "submission.json").read_text())
    assert [row["model_prediction"] for row in submitted] == CHOICES * 2
    with pytest.raises(BadConfig, match="its answers are withheld"):
        score_file(outcome.folder, "mmau")


@pytest.mark.slow
def test_a_grid_perceives_each_clip_once_per_captioner(bench: Path, ears: dict[str, ScriptedEars]) -> None:
    grid = run_grid(cascade(bench, llm=None, captioner=None), read_models(("levels", "first")), ("left", "right"))
    assert {name: one.num_captioned for name, one in ears.items()} == {"left": 4, "right": 4}
    accuracies = {(cell.llm, cell.captioner): cell.accuracy for cell in grid.cells}
    assert accuracies == {
        ("levels", "left"): 1.0,
        ("levels", "right"): 1.0,
        ("first", "left"): 0.25,
        ("first", "right"): 0.25,
    }
    assert Grid.model_validate_json((grid.folder / "grid.json").read_bytes()) == grid
    assert (grid.folder / "first-right" / "summary.json").is_file()


@pytest.mark.usefixtures("ears")
def test_a_grid_of_lalms_is_named_by_their_llms_for_correlate(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LALMS, "hearer", lambda url: ScriptedLALM(choose_level, name="hearer"))
    monkeypatch.setitem(LALMS, "other", lambda url: ScriptedLALM(choose_level, name="hearer"))
    asked = cascade(bench, path="lalm", llm=None, captioner=None, asr=None)
    grid = run_grid(asked, read_models(("levels", "first")), (), ("hearer", "other"))
    cells = [(cell.llm, cell.lalm, cell.folder.name, cell.accuracy) for cell in grid.cells]
    assert cells == [("levels", "hearer", "levels-hearer", 1.0), ("first", "other", "first-other", 1.0)]
    table = read_table([cell.folder for cell in grid.cells])
    assert {name: set(scores) for name, scores in table.columns.items()} == {"tiny:lalm": {"levels", "first"}}


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_a_grid_goes_on_past_models_that_cannot_run_here(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(url: str | None) -> ScriptedLLM:
        raise ModelError("It needs a GPU.")

    monkeypatch.setitem(catalog.LLMS, "large", missing)
    grid = run_grid(cascade(bench, llm=None, captioner=None), read_models(("large", "levels")), ("left",))
    assert [(cell.error, cell.accuracy) for cell in grid.cells] == [("It needs a GPU.", None), (None, 1.0)]
    with pytest.raises(BadConfig, match="--llm names no LLM"):
        run_grid(cascade(bench), (), ())
    with pytest.raises(UnknownName, match="No LLM named 'larger'"):
        run_grid(cascade(bench), read_models(("levels", "larger")), ())
    with pytest.raises(BadConfig, match="leave out --captioner"):
        run_grid(cascade(bench, path="text", captioner=None), read_models(("levels",)), ("left",))
    with pytest.raises(BadConfig, match="leave out --lalm"):
        run_grid(cascade(bench), read_models(("levels",)), (), ("louder",))
    with pytest.raises(BadConfig, match="names 2 and --lalm 1: name the LALM of each LLM, in the same order"):
        run_grid(cascade(bench, path="lalm", captioner=None), read_models(("levels", "first")), (), ("louder",))


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_rows_of_a_grid_are_named_freely_and_one_llm_may_run_on_several_servers(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str | None] = []

    def open_levels(url: str | None) -> ScriptedLLM:
        urls.append(url)
        return ScriptedLLM(level_reader, name="levels")

    monkeypatch.setitem(catalog.LLMS, "levels", open_levels)
    listed = ("levels=http://one.example/v1", "levels=http://two.example/v1?a=b", "first")
    models = read_models(listed, ("small", "big one", "first"))
    grid = run_grid(cascade(bench, llm=None, captioner=None), models, ("left",))
    assert urls == ["http://one.example/v1", "http://two.example/v1?a=b"]
    assert [(cell.row, cell.llm, cell.folder.name) for cell in grid.cells] == [
        ("small", "levels", "small-left"),
        ("big one", "levels", "big_one-left"),
        ("first", "first", "first-left"),
    ]
    assert grid.llms == ("small", "big one", "first")
    with pytest.raises(BadConfig, match="Two LLMs would stand in the row 'levels'; give each a name"):
        read_models(listed)
    with pytest.raises(BadConfig, match="--llm names 3 LLMs and --rows 1"):
        read_models(listed, ("one",))


@pytest.mark.slow
@pytest.mark.usefixtures("ears")
def test_a_disk_that_fills_up_costs_the_run_folder_not_the_result(
    bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = RunFolder._write

    def fill_up(folder: RunFolder, line: bytes) -> None:
        if len(folder.verdicts) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder, line)

    monkeypatch.setattr(RunFolder, "_write", fill_up)
    with show_passes(quiet=True):
        full = session.run(cascade(bench))
    assert (full.summary.n, full.is_complete, full.lost) == (8, True, "No space left on device")
    assert capsys.readouterr().err == "Answers from here on are not kept: No space left on device.\n"  # and no bar
    monkeypatch.setattr(RunFolder, "_write", write)
    again = session.run(cascade(bench))
    assert (again.summary.n, again.lost) == (8, None)
    assert capsys.readouterr().err == ""  # where nobody watches, nothing is shown


@pytest.mark.usefixtures("ears")
def test_a_summary_that_cannot_be_written_is_named(bench: Path) -> None:
    (bench.parent / "run" / "summary.json").mkdir(parents=True)
    outcome = session.run(cascade(bench))
    assert (outcome.summary.correct_strict, outcome.lost) == (8, "Is a directory")
