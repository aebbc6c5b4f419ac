"""Benchmarks whose replies rules score: rows of our own in each shape, right and malformed, from file to verdict."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import find, named
from eval.benchmarks.benchmark import NO_REFERENCE, Item
from eval.benchmarks.fields import parse_fields
from eval.store.records import judge_answer
from services.environment import Settings
from services.errors import BadConfig
from services.types import Answer

INSTRUCTED = {
    "id": 7,
    "audio_filepath": "a/1.wav",
    "textual_audio": "It rains.",
    "instruction": "What is said?\nDo not use commas.",
    "dataset": "Ours",
    "metric": "accuracy",
    "instruction_id_list": ["punctuation:no_comma"],
    "kwargs": [{}],
    "label": "It rains",
}
MULTI = {
    "id": "1",
    "audio_path_1": "./a/1.wav",
    "audio_path_2": "./a/2.wav",
    "question": "谁？",
    "chosens": ["甲", "乙", "丙"],
    "answer": ["甲", "丙"],
    "category": "人物",
}
PRO = {
    "id": "p1",
    "audio_path": ["data/1.wav"],
    "question": "Describe it in at least 3 words.",
    "choices": None,
    "answer": None,
    "category": "instruction following",
    "length_type": "short",
    "task_identifier": "Number Words (at least)",
    "kwargs": {"N": 3, "keyword": None},
}
SPOKEN = "What burns?\nA. wood\nB. water\nC. stone\nD. sand"


def write(file: Path, *rows: dict[str, Any]) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def reply(item: Item, text: str) -> tuple[bool, bool]:
    """Return the strict and the official verdict on a reply."""
    said = Answer(question_id=item.id, reply=text, choice=None, path="text")
    judged = judge_answer(item, said, None, took_s=0, clock_s=0, rule="voicebench")
    return judged.correct_strict, judged.correct_official


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(named, "read_settings", lambda: Settings(home=tmp_path))
    return tmp_path / "benchmarks"


def test_several_right_options_are_asked_for_and_all_are_needed(tmp_path: Path) -> None:
    benchmark = find(write(tmp_path / "MDAR-multi.jsonl", MULTI))
    assert benchmark.declared == "mdar-multi"
    (item,) = benchmark.items
    assert (item.rule, item.answers, item.audio) == ("exact set", ("甲", "丙"), ("./a/1.wav", "./a/2.wav"))
    asked = item.to_question()
    assert asked.choices == ()
    assert "(A) 甲\n(B) 乙\n(C) 丙" in asked.text
    assert "each on a line of its own" in asked.text
    assert reply(item, "甲\n丙") == (True, True)
    assert reply(item, "A、C") == (True, False)
    assert reply(item, "甲") == (False, False)


def test_letters_with_commas_are_several_answers_where_a_set_is_asked_for(tmp_path: Path) -> None:
    row = {"id": 1, "question": "Which?", "choices": ["dog", "cat", "rain"], "answer": "A,C", "task": "sound"}
    file = write(tmp_path / "q.jsonl", row, row | {"id": 2, "answer": "B"}, row | {"id": 3, "answer": '["cat"]'})
    items = find(file, fields=parse_fields(("rule=exact set",))).items
    assert [item.answers for item in items] == [("dog", "rain"), ("cat",), ("cat",)]
    with pytest.raises(BadConfig, match=r"row 1, field 'answer': 'A, D' is, or holds, what is none of the choices"):
        find(write(tmp_path / "bad.jsonl", row | {"answer": "A, D"}), fields=parse_fields(("rule=exact set",)))
    (withheld,) = find(
        write(tmp_path / "w.jsonl", row | {"answer": None}), fields=parse_fields(("rule=exact set",))
    ).items
    assert (withheld.answer, withheld.rule) == (None, "exact set")


def test_instructions_are_read_from_any_file_that_has_them(tmp_path: Path) -> None:
    row = {"key": 1, "prompt": "Hi", "instruction_id_list": ["length_constraints:number_words"]}
    row |= {"kwargs": [{"num_words": 2.0, "relation": "at least", "keyword": None}]}
    benchmark = find(write(tmp_path / "ifeval.jsonl", row))
    assert benchmark.describe_fields() == (
        "ifeval is read by its fields: question = prompt, instructions = instruction_id_list, arguments = kwargs, "
        "answer = none (scored by ifeval)."
    )
    (item,) = benchmark.items
    assert reply(item, "two words") == (True, True)
    assert reply(item, "one") == (False, False)


@pytest.mark.slow
def test_speech_ifeval_and_its_creative_rows_without_labels(tmp_path: Path) -> None:
    unlabelled = {key: value for key, value in INSTRUCTED.items() if key != "label"}
    for row in (INSTRUCTED, unlabelled):
        benchmark = find(write(tmp_path / "closed_ended_questions.jsonl", row))
        assert benchmark.declared == "speech-ifeval"
        (item,) = benchmark.items
        assert (item.rule, item.task, item.category) == ("speech-ifeval", "closed_ended_questions", "Ours")
        assert reply(item, "It rains") == (True, True)
        assert reply(item, "Yes, it rains") == (False, False)
        assert not benchmark.is_withheld


def test_speech_ifeval_by_name_takes_its_two_files_of_rules_only(home: Path) -> None:
    folder = home / "speech-ifeval" / "data" / "eval_data"
    write(folder / "closed_ended_questions.jsonl", INSTRUCTED)
    write(folder / "creative_writing.jsonl", INSTRUCTED | {"id": 8})
    write(folder / "closed_ended_questions-woprompt.jsonl", {"id": 9})
    write(folder / "chain-of-thought.jsonl", {"id": 10})
    benchmark = find("speech-ifeval")
    assert [(item.id, item.task) for item in benchmark.items] == [
        ("7", "closed_ended_questions"),
        ("8", "creative_writing"),
    ]
    assert benchmark.audio_root == home / "speech-ifeval" / "audios"


def test_chain_of_thought_is_for_a_judge_of_reasoning(home: Path) -> None:
    row = {"audio_filepath": "a/1.wav", "textual_audio": "It rains.", "instruction": "How many?", "dataset": "Ours"}
    write(home / "speech-ifeval-cot" / "data" / "eval_data" / "chain-of-thought.jsonl", row, row)
    benchmark = find("speech-ifeval-cot")
    with pytest.raises(BadConfig, match="name a judge for its answer with --judge"):
        benchmark.require_askable()
    first, second = benchmark.include_open().items
    assert (first.id, second.id, first.judged_by, first.is_open) == ("cot-1", "cot-2", "reasoning", True)
    assert not first.unsupported


CHAT = {
    "path": "1.wav",
    "question": "What is going on?",
    "answer_gt": "A dog barks at a cat.",
    "task_name": "sound_QA",
    "dataset_name": "ours",
    "uniq_id": 3,
    "meta_info": "A dog barks; a cat hisses.",
}


def test_air_bench_chat_tells_the_judge_alone_what_is_heard(home: Path, tmp_path: Path) -> None:
    file = home / "air-bench-chat" / "Chat_meta.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps([CHAT]))
    by_shape = tmp_path / "mine.json"
    by_shape.write_text(json.dumps([CHAT]))
    for name in ("air-bench-chat", str(by_shape)):
        benchmark = find(name).include_open()
        (item,) = benchmark.items
        assert (benchmark.declared, item.judged_by, item.described) == (
            "air-bench-chat",
            "two scores",
            CHAT["meta_info"],
        )
        assert (item.audio, item.answer) == (("sound_QA_ours/1.wav",), CHAT["answer_gt"])
        assert "hisses" not in item.to_question().text
    file.write_text(json.dumps([CHAT, CHAT | {"uniq_id": 4, "meta_info": None}]))
    with pytest.raises(BadConfig, match=r"Chat_meta\.json', row 2, field 'meta_info': is empty; the judge needs it"):
        find("air-bench-chat")


def test_mmau_pro_scores_its_instructions_and_leaves_its_other_items_as_they_were(tmp_path: Path) -> None:
    closed = PRO | {"id": "p2", "choices": ["dog", "cat"], "answer": "cat", "category": "sound"}
    closed |= {"task_identifier": None, "kwargs": None}
    opened = closed | {"id": "p3", "choices": None, "answer": "It is a cat", "category": "open"}
    benchmark = find(write(tmp_path / "test.jsonl", PRO, closed, opened))
    assert benchmark.declared == "mmau-pro"
    assert [(item.rule, bool(item.unsupported)) for item in benchmark.items] == [
        ("mmau-pro", False),
        (None, False),
        (None, True),
    ]
    assert reply(benchmark.items[0], "a dog barks") == (True, True)
    assert reply(benchmark.items[0], "a dog") == (False, False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"instruction_id_list": ["punctuation:none"]},
            "'punctuation:none' is not an instruction that can be verified",
        ),
        ({"kwargs": []}, r"field 'kwargs': \[\] is not one object for each of"),
        ({"kwargs": ["x"]}, "'x' is not an object of arguments"),
        ({"kwargs": [{"num_wrds": 3}]}, "'num_wrds' of 'punctuation:no_comma'"),
        ({"instruction_id_list": ["length_constraints:number_words"]}, "lacks its argument 'num_words'"),
        (
            {"instruction_id_list": ["length_constraints:number_words"], "kwargs": [{"num_words": "many"}]},
            "'num_words' of 'length_constraints:number_words'",
        ),
        ({"instruction_id_list": 5}, "'name' of 5"),
    ],
)
def test_a_malformed_instruction_names_file_row_and_field(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = write(tmp_path / "closed.jsonl", INSTRUCTED, INSTRUCTED | {"id": 8} | change)
    with pytest.raises(BadConfig, match=rf"closed\.jsonl', row 2, field 'kwargs': .*{said}|row 2, {said}"):
        find(file)


def test_transcripts_are_scored_by_their_errors(tmp_path: Path) -> None:
    pytest.importorskip("jiwer")
    row = {"id": "1", "audio": "1.wav", "instruction": "Write what is said.", "text": "It rains again"}
    file = write(tmp_path / "asr.jsonl", row, row | {"id": "2"})
    fields = parse_fields(("rule=word error rate", "answer=text", "question=instruction"))
    benchmark = find(file, fields=fields)
    assert "answer = text (scored by word error rate)" in benchmark.describe_fields()
    assert reply(benchmark.items[0], "it rains, again") == (True, True)
    assert reply(benchmark.items[0], "it rains") == (False, False)
    with pytest.raises(BadConfig, match="row 1, field 'text': is empty; a transcript needs words"):
        find(write(tmp_path / "empty.jsonl", row | {"text": " "}), fields=fields)


def test_voicebench_asks_what_is_spoken_and_reads_its_options(home: Path) -> None:
    write(home / "voicebench" / "openbookqa" / "test.jsonl", {"prompt": SPOKEN, "reference": "A", "audio": "1.wav"})
    told = {"prompt": "Reply in at least two words.", "audio": "2.wav", "key": 1}
    told |= {"instruction_id_list": ["length_constraints:number_words"]}
    told |= {"kwargs": [{"num_words": 2, "relation": "at least"}]}
    write(home / "voicebench" / "ifeval" / "test.jsonl", told)
    write(home / "voicebench" / "sd-qa" / "usa.jsonl", {"prompt": "Who?", "reference": "Ann", "audio": "3.wav"})
    write(home / "voicebench" / "commoneval" / "test.jsonl", {"prompt": "Tell me more.", "audio": "4.wav"})
    benchmark = find("voicebench")
    opened, instructed, spoken, without = (
        next(item for item in benchmark.items if item.task == task)
        for task in ("sd-qa", "ifeval", "openbookqa", "commoneval")
    )
    assert (spoken.rule, spoken.choices, spoken.answer) == ("named option", ("wood", "water", "stone", "sand"), "wood")
    assert spoken.to_question().text == "A question with options is spoken in the recording. Which option is right?"
    assert spoken.to_question(hears=False).text == SPOKEN
    assert spoken.to_question().choices == ()
    assert reply(spoken, "The answer is A.") == (True, True)
    assert reply(spoken, "It is wood") == (True, False)
    assert reply(spoken, "The answer is B.") == (False, False)
    assert instructed.rule == "ifeval"
    assert reply(instructed, "two words") == (True, True)
    assert (opened.rule, opened.answer, opened.is_open) == (None, "Ann", True)
    assert without.unsupported == NO_REFERENCE
    assert not any(item.unsupported for item in benchmark.include_open().items[:1] if item.answer)


def test_voicebench_rows_without_options_are_refused_by_row(home: Path) -> None:
    write(home / "voicebench" / "mmsu" / "law.jsonl", {"prompt": "Which?", "reference": "A", "audio": "1.wav"})
    with pytest.raises(BadConfig, match=r"row 1, field 'prompt': lists no options, as in"):
        find("voicebench")


def test_big_bench_audio_is_asked_by_its_recordings(home: Path) -> None:
    row = {"id": 3, "category": "navigate", "official_answer": "Yes", "file_name": "data/3.mp3"}
    write(home / "big-bench-audio" / "metadata.jsonl", row, row | {"id": 4, "transcript": "Do you return?"})
    first, second = find("big-bench-audio").include_open().items
    assert first.question == "Answer the question provided in the audio."
    assert (first.answer, first.task) == ("Yes", "navigate")
    assert (first.audio, first.unsupported, first.spoken) == (("data/3.mp3",), "", "")
    assert second.to_question(hears=False).text == "Do you return?"


def test_dynamic_superb_takes_few_labels_for_options(home: Path) -> None:
    rows = [
        {"audio": f"{n}.wav", "file": f"{n}.wav", "instruction": "Yes or no: music?", "label": ("Yes", "No")[n % 2]}
        for n in range(8)
    ]
    write(home / "dynamic-superb" / "MusicDetection" / "data" / "test-0.jsonl", *rows)
    texts = [row | {"audio2": "x.wav", "label": f"text {n}"} for n, row in enumerate(rows)]
    write(home / "dynamic-superb" / "Captions" / "data" / "test-0.jsonl", *texts)
    (home / "dynamic-superb" / "MusicDetection" / "data" / "test-0.jsonl").rename(
        home / "dynamic-superb" / "MusicDetection" / "test-0.jsonl"
    )
    (home / "dynamic-superb" / "Captions" / "data" / "test-0.jsonl").rename(
        home / "dynamic-superb" / "Captions" / "test-0.jsonl"
    )
    items = find("dynamic-superb").items
    assert {item.choices for item in items if item.task == "MusicDetection"} == {("No", "Yes")}
    captions = [item for item in items if item.task == "Captions"]
    assert captions[0].is_open
    assert captions[0].audio == ("0.wav", "x.wav")


def test_audiobench_rows_have_lettered_options_in_one_text(home: Path) -> None:
    row = {"context": "1.wav", "instruction": "Who speaks?", "choices": "(A) Man (B) Woman", "answer": "(B) Woman"}
    write(home / "audiobench" / "MMAU-mini" / "test.jsonl", row)
    benchmark = find("audiobench")
    (item,) = benchmark.items
    assert (item.id, item.choices, item.answer) == ("MMAU-mini-test-1", ("Man", "Woman"), "Woman")
    assert benchmark.official_rule == "audiobench"
