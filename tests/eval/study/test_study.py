"""A study of scripted LLMs: columns, rows, what cannot run, and going on."""

import json
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console

from eval.display.estimates import print_estimates
from eval.study.config import StudyConfig, StudyModel
from eval.study.page import write_study_page
from eval.study.study import Study, estimate_study, make_table, run_study
from services import catalog
from services.errors import BadConfig, EarwitnessError, ModelError
from services.scripted.llm import ScriptedLLM

NUM_ITEMS = 12
asked: list[str] = []


def reader(name: str, num_right: int) -> ScriptedLLM:
    """Open an LLM that knows the first so many answers, and says B to the others."""

    def reply(prompt: str) -> str:
        asked.append(name)
        return "A" if any(f"Question {number}?" in prompt for number in range(num_right)) else "B"

    return ScriptedLLM(reply, name=name)


def missing(url: str | None) -> NoReturn:
    raise ModelError("It needs a GPU.")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyConfig:
    asked.clear()
    for name, num_right in (("weak", 3), ("middling", 6), ("strong", 12)):
        monkeypatch.setitem(catalog.LLMS, name, lambda url, name=name, num=num_right: reader(name, num))
    monkeypatch.setitem(catalog.LLMS, "large", missing)
    for bench in ("first", "second"):
        rows = [
            {
                "id": str(number),
                "question": f"Question {number}?",
                "choices": ["yes", "no"],
                "answer": "yes",
                "category": ("Sound", "Music")[number % 2],
            }
            for number in range(NUM_ITEMS)
        ]
        (tmp_path / f"{bench}.json").write_text(json.dumps(rows))
    names = ("weak", "middling", "strong", "large")
    benchmarks = [str(tmp_path / f"{bench}.json") for bench in ("first", "second")]
    return StudyConfig.model_validate(
        {"llms": list(names), "benchmarks": benchmarks, "paths": ["text", "cascade"], "price": "1/2"}
    )


def run(config: StudyConfig, out: Path) -> tuple[Study, list[str]]:
    said: list[str] = []
    return run_study(config, out, said.append), said


@pytest.mark.slow
def test_every_llm_is_asked_every_benchmark_and_what_cannot_run_says_why(tmp_path: Path, config: StudyConfig) -> None:
    study, said = run(config, tmp_path / "out")
    table = make_table(study)
    # Both benchmarks are about text only: path cascade has nothing to hear there.
    assert list(table.columns) == ["first:text", "second:text"]
    shares = {row: round(score.percent) for row, score in table.get_column("first:text").items()}
    assert shares == {"weak": 25, "middling": 50, "strong": 100}
    assert table.get_column("first:text")["weak"].chance == 50
    assert [one.cell.error for one in study.cells if one.row == "large"] == ["It needs a GPU."] * 2
    assert said[0] == "Runs 1 to 4 of 8: first, path text."
    assert "large cannot run here: It needs a GPU." in said
    assert study.is_complete


@pytest.mark.slow
def test_a_study_goes_on_and_asks_nothing_twice(tmp_path: Path, config: StudyConfig) -> None:
    run(config, tmp_path / "out")
    num_asked = len(asked)
    assert num_asked == 3 * 2 * NUM_ITEMS
    again, _ = run(config, tmp_path / "out")
    assert len(asked) == num_asked
    assert make_table(again).columns["second:text"]["strong"].percent == 100


@pytest.mark.slow
def test_a_dry_run_asks_nothing_and_says_what_it_would(config: StudyConfig) -> None:
    first, second = estimate_study(config)
    assert (first.column, first.runs, first.requests) == ("first:text", 4, 4 * NUM_ITEMS)
    assert first.dollars == pytest.approx(first.tokens / 1e6)
    assert second.tokens == first.tokens > 0
    per_prompt = first.tokens / first.requests
    assert 40 < per_prompt < 90, "a question of some words, with the instruction and the marks of a chat around it"
    assert asked == []
    console = Console(record=True, width=100)
    print_estimates((first, second), console)
    assert "96" in console.export_text().splitlines()[-1]


@pytest.mark.slow
def test_a_sample_is_the_same_for_all(tmp_path: Path, config: StudyConfig) -> None:
    study, _ = run(config.model_copy(update={"sample": 4}), tmp_path / "out")
    assert {one.cell.summary.n for one in study.cells if one.cell.summary} == {4}


@pytest.mark.slow
def test_an_unreadable_benchmark_ends_before_anything_is_asked(tmp_path: Path, config: StudyConfig) -> None:
    broken = config.model_copy(update={"benchmarks": (*config.benchmarks, str(tmp_path / "gone.json"))})
    with pytest.raises(BadConfig, match=r"gone\.json' cannot be read"):
        run(broken, tmp_path / "out")
    assert asked == []


@pytest.mark.slow
def test_the_page_holds_the_recommendation_and_links_every_item(tmp_path: Path, config: StudyConfig) -> None:
    study, _ = run(config, tmp_path / "out")
    page = write_study_page(study, tmp_path / "out", 1.0).read_text()
    assert "<b>strong</b>" in page
    for wanted in ("first:text", "second:text", "It needs a GPU.", 'href="first.html"', "first:text by category"):
        assert wanted in page
    assert "http" not in page.replace("http-equiv", "")  # nothing outside is asked for
    assert (tmp_path / "out" / "first.html").is_file()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"llms": ["weak", "stronk"]}, "No LLM named 'stronk'"),
        ({"llms": ["weak", {"name": "other", "url": "http//x"}]}, "'http//x' is not a server URL"),
        ({"captioners": ["nobody"]}, "No captioner named 'nobody'"),
        ({"llms": [{"name": "weak", "lalm": "nothing"}]}, "No LALM named 'nothing'"),
        ({"paths": []}, "The study asks nothing on paths none"),
        ({"paths": ["cascade", "lalm"]}, "The study asks nothing on paths cascade, lalm"),
        ({"predict": {"x": "first:txt"}}, "predict.x: the study has no column 'first:txt'; it has first:text, second"),
    ],
)
def test_what_is_not_known_ends_a_study_before_anything_is_asked(
    config: StudyConfig, change: dict[str, object], said: str
) -> None:
    with pytest.raises(EarwitnessError, match=said):
        estimate_study(StudyConfig.model_validate(config.model_dump() | change))


@pytest.mark.slow
def test_two_benchmarks_of_one_name_are_refused(tmp_path: Path, config: StudyConfig) -> None:
    other = tmp_path / "other" / "first.json"
    other.parent.mkdir()
    other.write_bytes((tmp_path / "first.json").read_bytes())
    with pytest.raises(BadConfig, match="would both be called 'first'"):
        estimate_study(config.model_copy(update={"benchmarks": (*config.benchmarks, str(other))}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("a b", "a/b", "a_b"), "Runs of 'a b' and 'a_b' would be one folder, 'a_b'"),
        (("..",), "A run of '..' cannot have a folder of its name"),
        (("grid.json",), "A run of 'grid.json' cannot have a folder"),
    ],
)
def test_each_run_has_a_folder_of_its_own_below_the_study(
    tmp_path: Path, config: StudyConfig, rows: tuple[str, ...], said: str
) -> None:
    named = config.model_copy(update={"llms": tuple(StudyModel(name="weak", row=row) for row in rows)})
    with pytest.raises(BadConfig, match=said):
        run(named, tmp_path / "out")
    assert asked == [] and not (tmp_path / "out").exists()
