import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.analysis.score import score_file
from eval.benchmarks.fields import FieldNames, parse_fields
from eval.cli import main
from eval.scoring.reading import read_strictly
from services.errors import BadConfig

ROOT = Path(__file__).parents[3]
OWN = ROOT / "tests" / "data" / "mmau-own.json"
DESTA = ROOT.parent / "shared" / "bench" / "mmau" / "desta25-predictions.json"
ROW = {"id": "1", "choices": ["Man", "Woman"], "answer": "Man", "model_prediction": "Man"}


def write(folder: Path, *rows: object, name: str = "predictions.json") -> Path:
    file = folder / name
    lines = name.endswith(".jsonl")
    file.write_text("\n\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows))
    return file


@pytest.mark.parametrize(
    ("key", "official", "by_task", "strict", "unread"),
    [
        (None, 19, {"sound": 8, "music": 7, "speech": 4}, 16, 2),  # "cafe" is read as café, by ours only
        ("model_output", 14, {"sound": 4, "music": 6, "speech": 4}, 13, 6),
    ],
)
def test_the_totals_of_the_official_script_come_out_on_rows_of_our_own(
    key: str | None, official: int, by_task: dict[str, int], strict: int, unread: int
) -> None:
    score = score_file(OWN, "mmau", key)
    assert (score.n, score.correct_official, score.failed) == (24, official, 0)
    assert {task: counts.correct_official for task, counts in score.by_task.items()} == by_task
    assert (score.correct_strict, score.unread) == (strict, unread)


@pytest.mark.slow
@pytest.mark.skipif(not DESTA.is_file(), reason=f"the published predictions: put them at {DESTA}")
@pytest.mark.parametrize(
    ("key", "official", "by_task"),
    [
        (None, 660, {"sound": 235, "music": 188, "speech": 237}),
        ("model_output", 597, {"sound": 218, "music": 178, "speech": 201}),
    ],
)
def test_published_scores_come_out_to_the_digit(key: str | None, official: int, by_task: dict[str, int]) -> None:
    score = score_file(DESTA, "mmau", key)
    assert (score.n, score.correct_official, score.failed) == (1000, official, 0)
    assert {task: counts.correct_official for task, counts in score.by_task.items()} == by_task
    # Stripped or not, the same answers are read strictly: "reliably" is the "reliability" of a misspelt option.
    assert (score.correct_strict, score.unread) == (657, 20)


def test_both_scorers_see_the_same_reply_differently(tmp_path: Path) -> None:
    replies = ["A", "The answer is (B) Woman", "It is not a man.", "", "Man"]
    rows = [ROW | {"id": str(number), "model_prediction": reply} for number, reply in enumerate(replies)]
    score = score_file(write(tmp_path, *rows), "mmau")
    assert (score.n, score.correct_official, score.correct_strict, score.unread) == (5, 2, 2, 2)


def test_rows_without_a_prediction_failed_and_stay_in_the_denominator(tmp_path: Path) -> None:
    without = {key: value for key, value in ROW.items() if key != "model_prediction"}
    rows = [ROW, without | {"id": "2"}, ROW | {"id": "3", "model_prediction": None}, ROW | {"id": "4", "failed": "429"}]
    score = score_file(write(tmp_path, *rows), "mmau")
    assert (score.n, score.correct_strict, score.unread, score.failed) == (4, 1, 0, 3)


@pytest.mark.parametrize(
    ("keys", "used"),
    [
        (("answer_prediction",), "answer_prediction"),
        (("model_output", "answer_prediction"), "model_output"),
        (("answer_prediction", "model_output", "model_prediction"), "model_prediction"),
    ],
)
def test_the_first_known_key_that_the_file_has_is_used(tmp_path: Path, keys: tuple[str, ...], used: str) -> None:
    row = {"id": 7, "choices": ["Man", "Woman"], "answer": "Man"} | dict.fromkeys(keys, "Woman") | {used: "Man"}
    score = score_file(write(tmp_path, row, name="rows.jsonl"), "mmar")
    assert (score.key, score.correct_strict) == (used, 1)


def test_another_key_can_be_named_and_a_wrong_one_lists_what_is_there(tmp_path: Path) -> None:
    file = write(tmp_path, ROW | {"final": "Woman"})
    assert score_file(file, "mmau", "final").correct_strict == 0
    with pytest.raises(BadConfig, match=r"no row has 'guess'.*other keys here: final, model_prediction"):
        score_file(file, "mmau", "guess")


def test_a_number_is_read_as_its_text(tmp_path: Path) -> None:
    row = {"id": 1, "choices": ["2", "2.5"], "answer": "2.5"}
    score = score_file(write(tmp_path, row | {"model_output": 2.5}, row | {"id": 2, "model_output": 2}), "mmau")
    assert (score.correct_strict, score.unread) == (1, 0)


def test_tasks_come_from_the_rows_of_either_benchmark(tmp_path: Path) -> None:
    rows = [ROW | {"id": "1", "task": "sound"}, ROW | {"id": "2", "modality": "mix-sound-music"}, ROW | {"id": "3"}]
    assert list(score_file(write(tmp_path, *rows), "mmau").by_task) == ["mix-sound-music", "sound"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW, ROW], "row 2, field 'id': '1' is already the id of row 1"),
        ([ROW | {"answer": "Dog"}], "row 1, field 'answer': 'Dog' is none of the choices"),
        ([ROW, {"id": "2"}], "row 2, field 'choices': Field required"),
        ([ROW | {"model_prediction": ["Man"]}], "row 1, field 'model_prediction': ['Man'] is not text"),
        (["text"], "row 1 is not a JSON object"),
        ([], "holds no rows"),
    ],
)
def test_rows_that_cannot_be_scored_are_named(tmp_path: Path, rows: list[object], said: str) -> None:
    with pytest.raises(BadConfig) as raised:
        score_file(write(tmp_path, *rows), "mmau")
    assert said in str(raised.value)


@pytest.mark.parametrize("content", ["", "{", "[1", "\x00"])
def test_what_is_not_json_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(content)
    with pytest.raises(BadConfig, match=r"broken\.json"):
        score_file(file, "mmau")


def test_an_extracted_text_that_is_an_option_to_the_letter_is_that_option() -> None:
    notes = ("G", "A#", "D", "E")
    assert read_strictly("D", notes, is_option_text=True) == "D"
    assert read_strictly("D", notes) is None
    assert read_strictly("(D)", notes) == "E"


def test_json_is_one_object_of_integers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, ROW | {"task": "sound"})
    with pytest.raises(SystemExit) as ended:
        main(["score", str(file), "--bench", "mmau", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    counts = {"n": 1, "correct_official": 1, "correct_strict": 1, "unread": 0, "failed": 0, "official_dropped": 0}
    assert printed == counts | {"key": "model_prediction", "by_task": {"sound": counts}, "unscored": [], "rules": None}


UNASKED = [
    {"uid": f"{n}", "opts": ["dog", "cat"], "gold": "AB"[n % 2], "response": ["dog", "cat"][n % 2]} for n in range(8)
]


@pytest.mark.slow
def test_predictions_under_foreign_names_need_no_question(tmp_path: Path) -> None:
    assert score_file(write(tmp_path, *UNASKED), "mmau").correct_strict == 8
    two = [row | {"first question": "Who?", "second question": "Where?"} for row in UNASKED]
    assert score_file(write(tmp_path, *two), "mmau").correct_strict == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "B"}, "'answer' or 'gold' may be the answer; say which with --fields answer=answer"),
        ({"opts": None}, "row 1, has no options"),
        ({"gold": None}, "row 1, has no answer besides a prediction; --fields answer=NAME says which field has it"),
    ],
)
def test_without_a_question_two_readings_are_still_asked_about(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(BadConfig, match=said):
        score_file(write(tmp_path, *(row | change for row in UNASKED)), "mmau")


@pytest.mark.slow
def test_predictions_are_not_scored_against_themselves(tmp_path: Path) -> None:
    file = write(tmp_path, *UNASKED)
    for key in ("gold", "response"):
        with pytest.raises(BadConfig, match=f"'{key}' holds the answers; it cannot be the prediction too"):
            score_file(file, "mmau", key=key, fields=FieldNames(answer=key))
    with pytest.raises(BadConfig, match="row 1, has no answer besides a prediction"):
        score_file(file, "mmau", key="gold")


@pytest.mark.slow
def test_answers_may_have_the_name_of_predictions_if_they_are_named(tmp_path: Path) -> None:
    rows = [{**row, "output": row["gold"], "gold": None} for row in UNASKED]
    file = write(tmp_path, *rows)
    assert score_file(file, "mmau", fields=FieldNames(answer="output")).correct_strict == 8
    with pytest.raises(BadConfig, match="has no answer"):
        score_file(file, "mmau")


@pytest.mark.slow
def test_scoring_starts_no_model_library(tmp_path: Path) -> None:
    file = write(tmp_path, ROW)
    command = [sys.executable, "-X", "importtime", "-m", "eval", "score", str(file), "--bench", "mmau", "--json"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"numpy", "scipy", "torch", "aiohttp", "pandas", "matplotlib"}


def test_names_with_brackets_are_printed_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, ROW | {"task": "[/sound]"}, ROW | {"id": "2", "task": "mix-sound-music-speech"})
    with pytest.raises(SystemExit) as ended:
        main(["score", str(file)])
    table = capsys.readouterr().out
    assert ended.value.code == 0
    assert "[/sound]" in table
    assert "…" not in table


def test_a_file_in_another_benchmarks_form_is_scored_by_its_own_script_and_strictly(tmp_path: Path) -> None:
    shared = {"choice_a": "Ann", "choice_b": "Bob", "choice_c": "", "choice_d": "", "answer_gt": "Bob"}
    rows = [
        {"id": str(number), "audio_path": f"{number}.wav", "question": "Who?", "category": "names", "response": reply}
        | {"task_name": "t", "sub-category": "s"}
        | shared
        for number, reply in enumerate(("B", "The answer is B.", "Bob", "It is Bob, I think", "", "A"))
    ]
    file = tmp_path / "replies.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score = score_file(file, "mmau")
    # "Bob" begins with a B, "It is Bob, I think" holds no letter where the script looks, and leaves its denominator.
    assert (score.key, score.n, score.correct_official, score.official_dropped) == ("response", 6, 3, 1)
    assert (score.correct_strict, score.unread) == (4, 1)
    assert score.by_task.keys() == {"names"}


@pytest.mark.parametrize("odd", [{"modality": ["a", "b"]}, {"modality": 5}, {"sub-category": 5}, {"audio_id": 5}])
def test_fields_that_are_not_needed_may_hold_anything(tmp_path: Path, odd: dict[str, object]) -> None:
    row = {"id": "1", "question": "Who?", "option_a": "Ann", "option_b": "Bob", "answer": "B", "prediction": "B"}
    score = score_file(write(tmp_path, row | odd), "mmau")
    assert (score.n, score.correct_strict, score.failed) == (1, 1, 0)


def test_rows_that_nothing_here_scores_fail_and_the_rest_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pro = {
        "audio_path": ["d/1.wav"],
        "question": "?",
        "category": "sound",
        "length_type": "short",
        "model_output": "Cat",
    }
    rows = [
        pro | {"id": "1", "choices": ["Dog", "Cat"], "answer": "Cat"},
        pro | {"id": "2", "choices": ["Dog", "Cat"], "answer": "A lion"},
        pro | {"id": "3", "choices": [], "answer": "A cat", "category": "open"},
    ]
    file = write(tmp_path, *rows)
    score = score_file(file, "mmau-pro")
    assert (score.n, score.correct_strict, score.failed, score.unread) == (3, 1, 2, 0)
    assert score.unscored[1] == "row 3 has no options, and only a judge scores such answers"
    with pytest.raises(SystemExit) as ended:
        main(["score", str(file), "--bench", "mmau-pro"])
    assert ended.value.code == 0
    said = "2 rows cannot be scored here and failed; row 2 has the answer 'A lion', which is none of its options."
    assert said in capsys.readouterr().out
    with pytest.raises(
        BadConfig, match="row 1, has no options, and only a judge scores such answers: it cannot be scored"
    ):
        score_file(write(tmp_path, rows[2]), "mmau-pro")


def test_a_csv_of_predictions_is_read_by_its_fields(tmp_path: Path) -> None:
    file = tmp_path / "replies.csv"
    file.write_text(
        "file,question,option1,option2,label,prediction\na.wav,Who?,Ann,Bob,B,Bob\nb.wav,Who?,Ann,Bob,A,Bob\n"
    )
    score = score_file(file, "mmau")
    assert (score.key, score.n, score.correct_strict, score.correct_official) == ("prediction", 2, 1, 1)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: {"results": rows},
        lambda rows: {"version": 1, "data": rows},
        lambda rows: {field: [row[field] for row in rows] for field in rows[0]},
        lambda rows: {f"q{number}": row for number, row in enumerate(rows)},
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_predictions_within_an_object_are_read_as_questions_are(
    wrap: Callable[[list[dict[str, object]]], object], indent: int | None, tmp_path: Path
) -> None:
    row = {"question": "What?", "choices": ["dog", "cat"]}
    rows = [row | {"answer": "cat", "prediction": "cat"}, row | {"answer": "dog", "prediction": "cat"}]
    file = tmp_path / "wrapped.json"
    file.write_text(json.dumps(wrap(rows), indent=indent))
    score = score_file(file, "mmau")
    assert (score.key, score.n, score.correct_strict) == ("prediction", 2, 1)


def test_one_row_with_a_list_of_objects_is_a_row(tmp_path: Path) -> None:
    file = write(tmp_path, ROW | {"id": "1", "model_prediction": ROW["answer"], "messages": [{"role": "user"}]})
    assert score_file(file, "mmau").correct_strict == 1
    file.write_text(file.read_text().strip().removeprefix("[").removesuffix("]"))
    assert score_file(file, "mmau").correct_strict == 1


def test_options_that_are_numbers_are_texts(tmp_path: Path) -> None:
    row = {"id": 1, "choices": [1, 2, 2.5], "answer": 2.5, "model_prediction": "2.5"}
    assert score_file(write(tmp_path, row), "mmau").correct_strict == 1


def test_the_rule_of_a_named_benchmark_counts_whatever_the_form(tmp_path: Path) -> None:
    rows = [ROW | {"id": str(number), "model_prediction": reply} for number, reply in enumerate(("A", "no"))]
    assert score_file(write(tmp_path, *rows), "mmau").correct_official == 0
    named = score_file(write(tmp_path, *rows), "mmsu")
    assert (named.correct_official, named.official_dropped) == (1, 1)


@pytest.mark.slow
def test_letters_beside_choices_are_read_and_two_readings_are_told_apart_by_fields(tmp_path: Path) -> None:
    row = {"id": 1, "question": "What?", "choices": ["dog", "cat", "cow"], "prediction": "cat"}
    assert score_file(write(tmp_path, row | {"answer": "B"}), "mmau").correct_strict == 1
    with pytest.raises(BadConfig, match="'index0' or 'index1'"):
        score_file(write(tmp_path, row | {"answer": 1}), "mmau")
    zero, one = (parse_fields([f"answer_form=index{start}"]) for start in (0, 1))
    assert score_file(write(tmp_path, row | {"answer": 1}), "mmau", fields=zero).correct_strict == 1
    assert score_file(write(tmp_path, row | {"answer": 1}), "mmau", fields=one).correct_strict == 0


@pytest.mark.slow
@pytest.mark.parametrize("prompt", [{"text": "Who speaks?"}, 7, "", ["Who", "speaks?"]])
def test_a_question_that_cannot_be_read_is_not_needed(tmp_path: Path, prompt: object) -> None:
    rows = [
        {"uid": number, "prompt": prompt, "options": {"a": "Man", "b": "Woman"}, "gold": "b", "output": reply}
        for number, reply in enumerate(("(b) Woman", "the man"))
    ]
    score = score_file(write(tmp_path, *rows), "mmau", "output")
    assert (score.n, score.correct_strict, score.unread) == (2, 1, 0)


def test_a_file_is_not_a_benchmark_whose_script_scores(tmp_path: Path) -> None:
    with pytest.raises(
        BadConfig, match=r"--bench 'demo/demo.json' is a file; eval score takes the name of a benchmark"
    ):
        score_file(write(tmp_path, ROW), "demo/demo.json")


def test_compressed_predictions(tmp_path: Path) -> None:
    file = tmp_path / "p.csv.gz"
    file.write_bytes(gzip.compress(b"id,choices,answer,model_output\n1,Man|Woman,Man,A\n2,Man|Woman,Man,B\n"))
    assert score_file(file, "mmau").correct_strict == 1
