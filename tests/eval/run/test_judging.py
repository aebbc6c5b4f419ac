"""Judges of open answers: what they say counts, what they fail at has failed, and nothing is asked twice."""

import asyncio
import json
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from eval.benchmarks.benchmark import Item
from eval.run import session
from eval.run.judging import judge_replies, score_judges
from eval.run.progress import watch_passes
from eval.run.request import RunRequest
from eval.scoring.judge_protocols import INSTRUCTION, JudgeProtocol
from eval.scoring.scoring import Verdict
from eval.store.judgements import NOT_JUDGED, apply_judgement, read_judgements
from eval.store.records import Prediction, judge_answer
from eval.store.stored import read_predictions
from services import catalog
from services.errors import BadConfig, ModelError
from services.scripted.llm import ScriptedLLM
from services.types import Answer


def answered(name: str, reply: str, reference: str = "a dog barks") -> Prediction:
    item = Item(id=name, question="What is heard?", choices=(), answer=reference, task="sound")
    return judge_answer(
        item, Answer(question_id=name, reply=reply, choice=None, path="text"), None, took_s=0, clock_s=0
    )


def judge(folder: Path, predictions: list[Prediction], *judges: ScriptedLLM) -> None:
    asyncio.run(judge_replies(folder, predictions, judges, concurrency=2))


def knows_dogs(prompt: str) -> str:
    return "Right." if "Reply:\nA dog" in prompt else "wrong"


def test_a_judge_reads_question_reference_and_reply_and_its_word_counts(tmp_path: Path) -> None:
    llm = ScriptedLLM(knows_dogs, name="strict")
    judge(tmp_path, [answered("1", "A dog, twice"), answered("2", "A cat"), answered("3", " ")], llm)
    found = read_judgements(tmp_path, "strict")
    assert {name: one.is_right for name, one in found.items()} == {"1": True, "2": False, "3": False}
    assert found["1"].reply == "Right."
    assert len(llm.prompts) == 2  # a reply without words is wrong
    system, user = llm.prompts[0]
    assert system.content == INSTRUCTION
    assert user.content == "Question: What is heard?\nReference answer: a dog barks\n\nReply:\nA dog, twice"


def test_whoever_watches_is_told_what_each_judge_says_and_fails_at(tmp_path: Path) -> None:
    passes: list[tuple[int, int, str]] = []
    told: list[tuple[str, bool, str | None]] = []

    class Watcher:
        def add(self, prediction: Prediction) -> None:
            """Keep it."""
            told.append((prediction.id, prediction.correct_strict, prediction.failed))

        def say(self, line: str) -> None:
            """Nothing is said."""
            raise AssertionError(line)

    def watch(num: int, finished: Collection[Verdict], title: str) -> AbstractContextManager[Watcher]:
        passes.append((num, len(finished), title))
        return nullcontext(Watcher())

    predictions = [answered("1", "A dog"), answered("2", "A cat")]
    judge(tmp_path, predictions[:1], ScriptedLLM(lambda _: "Right.", name="one"))
    with watch_passes(watch):
        judge(tmp_path, predictions, ScriptedLLM(lambda _: "Both.", name="one"), ScriptedLLM(knows_dogs, name="two"))
    assert passes == [(2, 1, "judge one"), (2, 0, "judge two")]
    assert told == [
        ("2", False, "judge one: says neither right nor wrong nor refusal: 'Both.'"),
        ("1", True, None),
        ("2", False, None),
    ]


def test_what_a_judge_fails_at_has_failed_and_is_judged_again(tmp_path: Path) -> None:
    predictions = [answered("1", "A dog"), answered("2", "A cat")]
    judge(
        tmp_path, predictions, ScriptedLLM(lambda prompt: "right" if "A dog" in prompt else "Both are fine", name="one")
    )
    (score,), kappa = score_judges(tmp_path, ["one"])
    assert (score.n, score.right, score.failed, kappa) == (2, 1, 1, None)
    assert "says neither right nor wrong nor refusal: 'Both are fine'" in str(
        read_judgements(tmp_path, "one")["2"].failed
    )
    repaired = ScriptedLLM(lambda _: "wrong", name="one")
    judge(tmp_path, predictions, repaired)
    assert len(repaired.prompts) == 1
    assert score_judges(tmp_path, ["one"])[0][0].failed == 0


@pytest.mark.parametrize("said", ["refusal", "Refusal.", "**Refusal**", "Verdict: refusal"])
def test_a_refusal_is_a_verdict_of_its_own_and_never_right(tmp_path: Path, said: str) -> None:
    judge(tmp_path, [answered("1", "I cannot listen to audio; a dog barks, perhaps.")], ScriptedLLM(lambda _: said))
    (score,), _ = score_judges(tmp_path, ["scripted"])
    assert (score.n, score.right, score.refused, score.failed) == (1, 0, 1, 0)


LETTERS = ["A", "B.", "(C)", "Answer: A", "Option B"]  # of which a judge is shown none: it repeats the reply


@pytest.mark.parametrize(
    ("said", "is_right"),
    [
        ("Correct.", True),
        ("INCORRECT", False),
        ('{"verdict": "correct"}', True),
        ("Incorrect. The correct answer is a dog.", False),
    ],
)
def test_correct_and_incorrect_are_right_and_wrong(tmp_path: Path, said: str, *, is_right: bool) -> None:
    judge(tmp_path, [answered("1", "A dog")], ScriptedLLM(lambda _: said, name="one"))
    assert read_judgements(tmp_path, "one")["1"].is_right is is_right


HALF = ["Partially right", "The reply is mostly correct.", "half-right", "This is not correct."]


@pytest.mark.parametrize("said", [*LETTERS, *HALF, "The right answer is a dog; the reply says a cat."])
def test_letters_and_the_right_answer_itself_are_not_verdicts(tmp_path: Path, said: str) -> None:
    judge(tmp_path, [answered("1", "A dog")], ScriptedLLM(lambda _: said, name="one"))
    assert read_judgements(tmp_path, "one")["1"].is_right is None


@pytest.mark.parametrize("said", ["", "   ", "The reply deserves credit.", '{"score": 3}', "right and wrong", "��"])
def test_prose_nothing_and_garbage_are_not_verdicts(tmp_path: Path, said: str) -> None:
    judge(tmp_path, [answered("1", "A dog")], ScriptedLLM(lambda _: said))
    (score,), _ = score_judges(tmp_path, ["scripted"])
    assert (score.n, score.right, score.failed) == (1, 0, 1)


def test_a_judge_that_is_down_fails_at_its_replies_and_loses_none(tmp_path: Path) -> None:
    def fail_once(prompt: str) -> str:
        if "A cat" in prompt:
            raise ModelError("The server answered 500.")
        return "right"

    judge(tmp_path, [answered("1", "A dog"), answered("2", "A cat")], ScriptedLLM(fail_once))
    found = read_judgements(tmp_path, "scripted")
    assert (found["1"].is_right, found["2"].is_right, found["2"].failed) == (True, None, "The server answered 500.")


def test_ctrl_c_while_judging_keeps_what_is_judged(tmp_path: Path) -> None:
    def interrupt(prompt: str) -> str:
        if "A cow" in prompt:
            raise KeyboardInterrupt
        return "right"

    predictions = [answered("1", "A dog"), answered("2", "A cow"), answered("3", "A cat")]
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(judge_replies(tmp_path, predictions, [ScriptedLLM(interrupt)], concurrency=1))
    assert read_judgements(tmp_path, "scripted").keys() == {"1"}
    repaired = ScriptedLLM(lambda _: "wrong")
    judge(tmp_path, predictions, repaired)
    assert len(repaired.prompts) == 2
    assert {name: one.is_right for name, one in read_judgements(tmp_path, "scripted").items()} == {
        "1": True,
        "2": False,
        "3": False,
    }


def test_a_changed_reply_is_judged_anew(tmp_path: Path) -> None:
    judge(tmp_path, [answered("1", "A dog")], ScriptedLLM(knows_dogs, name="one"))
    judge(tmp_path, [answered("1", "A cat")], ScriptedLLM(knows_dogs, name="one"))
    assert read_judgements(tmp_path, "one")["1"].is_right is False


def test_two_judges_agree_beyond_chance(tmp_path: Path) -> None:
    predictions = [answered(str(number), f"A {('dog', 'cat')[number % 2]} {number}") for number in range(4)]
    judge(tmp_path, predictions, ScriptedLLM(knows_dogs, name="one"), ScriptedLLM(knows_dogs, name="two"))
    scores, kappa = score_judges(tmp_path, ["one", "two"])
    assert [score.right for score in scores] == [2, 2]
    assert kappa == 1.0


def asked_as(protocol: JudgeProtocol, reply: str, described: str = "") -> Prediction:
    return answered("1", reply, "a dog").model_copy(update={"judged_by": protocol, "described": described})


@pytest.mark.parametrize(
    ("said", "is_right"),
    [("It takes it apart.\nResult: YES", True), ("**Result:** no", None), ("Result: <NO>", False), ("Yes", None)],
)
def test_a_judge_of_reasoning_is_read_by_its_result(tmp_path: Path, said: str, *, is_right: bool | None) -> None:
    llm = ScriptedLLM(lambda _: said)
    judge(tmp_path, [asked_as("reasoning", "First, count the words.")], llm)
    assert read_judgements(tmp_path, "scripted")["1"].is_right is is_right
    assert "a dog" not in llm.prompts[0][1].content  # the reference is not shown


def test_reply_and_reference_are_scored_in_both_orders(tmp_path: Path) -> None:
    llm = ScriptedLLM(lambda prompt: "8 5" if "assistant 1:\na dog" in prompt else "7 9\n")
    judge(tmp_path, [asked_as("two scores", "A hound barks", described="A dog barks twice")], llm)
    assert all("The recording: A dog barks twice" in prompt[1].content for prompt in llm.prompts)
    found = read_judgements(tmp_path, "scripted")["1"]
    assert (found.scores, found.is_right) == (((8, 5), (9, 7)), False)
    (score,), _ = score_judges(tmp_path, ["scripted"])
    assert (score.mean_score, score.mean_reference_score, score.right) == (6, 8.5, 0)


def test_a_reply_that_scores_higher_in_the_mean_of_both_orders_wins_and_a_tie_does_not(tmp_path: Path) -> None:
    for better, is_right in ((9, True), (8, False)):
        folder = tmp_path / str(better)
        folder.mkdir()
        scores = iter([f"7 {better}", "7 8"])
        judge(folder, [asked_as("two scores", "A hound", "x")], ScriptedLLM(lambda _, scores=scores: next(scores)))
        assert read_judgements(folder, "scripted")["1"].is_right is is_right


@pytest.mark.parametrize("said", ["8", "8 11", "0 5", "8.5 9", "Assistant 1: 8", "8 9 10", "", f"8 {'9' * 5000}"])
def test_what_is_not_two_scores_has_failed(tmp_path: Path, said: str) -> None:
    judge(tmp_path, [asked_as("two scores", "A hound", "x")], ScriptedLLM(lambda _: said))
    assert "gives no two whole numbers from 1 to 10" in str(read_judgements(tmp_path, "scripted")["1"].failed)


def test_of_several_references_one_is_enough_and_the_judge_reads_what_is_asked_in_the_recording(tmp_path: Path) -> None:
    llm = ScriptedLLM(lambda _: "right")
    judge(tmp_path, [asked_as("one of several", "A hound", described="What does A value?")], llm)
    found = read_judgements(tmp_path, "scripted")["1"]
    assert (found.is_right, found.protocol, found.prompt_version) == (True, "one of several", 1)
    ((instruction, case),) = llm.prompts
    assert "a reply that says one of them" in instruction.content
    assert case.content == "Question: What does A value?\nReference answer: a dog\n\nReply:\nA hound"


ROWS = [
    {"id": "open", "question": "What barks?", "answer": "a dog"},
    {"id": "closed", "question": "What barks?", "options": ["a dog", "a cat"], "answer": "a dog"},
]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    def reply(prompt: str) -> str:
        if "Reference answer:" in prompt:
            return "right" if "Reply:\na dog" in prompt else "wrong"
        return "a dog"

    monkeypatch.setitem(catalog.LLMS, "reader", lambda url: ScriptedLLM(reply, name="reader"))
    file = tmp_path / "mixed.json"
    file.write_text(json.dumps(ROWS))
    return str(file)


def run(bench: str, **fields: object) -> session.Outcome:
    shared = {"path": "text", "bench": bench, "llm": "reader", "concurrency": 2, "out": Path(bench).parent / "run"}
    return session.run(RunRequest.model_validate(shared | fields))


@pytest.mark.slow
def test_a_run_with_a_judge_scores_its_open_questions(bench: str) -> None:
    outcome = run(bench, judges=("reader",))
    assert (outcome.summary.n, outcome.summary.correct_strict, outcome.summary.failed) == (2, 2, 0)
    assert [(one.judge, one.n, one.right) for one in outcome.summary.judges] == [("reader", 1, 1)]
    kept = {one.id: one.correct_strict for one in read_predictions(outcome.folder)}
    assert kept == {"open": True, "closed": True}
    again = run(bench, judges=("reader",))
    assert again.summary.correct_strict == 2


@pytest.mark.slow
def test_each_judge_may_have_a_server_of_its_own(bench: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str | None] = []

    def open_judge(url: str | None) -> ScriptedLLM:
        urls.append(url)
        return ScriptedLLM(lambda _: "right", name=f"judge {len(urls)}")

    for name in ("hosted", "served"):
        monkeypatch.setitem(catalog.LLMS, name, open_judge)
    outcome = run(bench, judges=("hosted", "served=http://one.example/v1"))
    assert urls == [None, "http://one.example/v1"]
    assert [one.judge for one in outcome.summary.judges] == ["judge 1", "judge 2"]


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        (("one=http://a/v1", "one=http://b/v1"), "Two judges are called 'one'"),
        (("=http://a/v1",), "'=http://a/v1' names no model"),
    ],
)
def test_judges_that_cannot_be_told_apart_are_refused_before_anything_is_asked(
    bench: str, judges: tuple[str, ...], said: str
) -> None:
    out = Path(bench).parent / "run"
    with pytest.raises(BadConfig, match=said):
        session.run(RunRequest(path="text", llm="reader", bench=bench, concurrency=2, out=out, judges=judges))
    assert not out.exists()


@pytest.mark.slow
def test_without_a_judge_an_open_question_has_failed_and_says_what_helps(bench: str) -> None:
    outcome = run(bench)
    assert (outcome.summary.correct_strict, outcome.summary.failed, outcome.summary.unread) == (1, 1, 0)
    failed = {one.id: one.failed for one in read_predictions(outcome.folder)}
    assert "name a judge for its answer with --judge" in str(failed["open"])
    # Asked again with a judge, it is scored.
    assert run(bench, judges=("reader",), retry_failed=True).summary.correct_strict == 2


@pytest.mark.slow
def test_an_open_answer_that_no_judge_has_seen_is_neither_right_nor_wrong(bench: str) -> None:
    folder = run(bench, judges=("reader",)).folder
    for name in ("judgements.jsonl", "judges.json"):
        (folder / name).unlink()
    assert {one.id: one.failed for one in read_predictions(folder)} == {"open": NOT_JUDGED, "closed": None}


@pytest.mark.slow
def test_a_file_of_open_questions_only_needs_a_judge(bench: str) -> None:
    Path(bench).write_text(json.dumps(ROWS[:1]))
    with pytest.raises(BadConfig, match="cannot be asked: its first question has no options; name a judge"):
        run(bench)
    assert run(bench, judges=("reader",)).summary.correct_strict == 1


def chosen(name: str, reply: str, *, judged_by: JudgeProtocol = "one option") -> Prediction:
    item = Item(
        id=name, question="What is felt?", choices=("happy", "sad"), answer="happy", task="mood", judged_by=judged_by
    )
    said = Answer(question_id=name, reply=reply, choice=None, path="text")
    return judge_answer(item, said, None, took_s=0, clock_s=0)


def test_a_judge_of_replies_with_options_decides_the_official_score_alone(tmp_path: Path) -> None:
    told = {"Happiness": "Explanation: a form of it\nJudgement: Correct", "happy and sad": "Judgement: incorrect"}
    llm = ScriptedLLM(lambda prompt: told.get(prompt.rpartition("Reply:\n")[2], "It is fine."), name="one")
    predictions = [
        *(chosen("1", "Happiness"), chosen("2", "happy and sad"), chosen("3", "happy")),
        chosen("4", "happy", judged_by="reference"),
    ]
    judge(tmp_path, predictions, llm)
    found = read_judgements(tmp_path, "one")
    applied = [apply_judgement(one, found) for one in predictions]
    assert [(one.correct_official, one.correct_strict) for one in applied] == [
        *((True, False), (False, False), (False, False)),
        (predictions[3].correct_official, predictions[3].correct_strict),
    ]
    assert applied[2].failed == "judge one: says neither Judgement: correct nor incorrect: 'It is fine.'"
    assert len(llm.prompts) == 3
    assert "Question: What is felt? (a) happy (b) sad\nReference answer: (a) happy" in llm.prompts[0][1].content
    assert apply_judgement(predictions[0], {}) == predictions[0], "words decide where there is no judge"


RATED = "CORRECTNESS: {} - x\nRELEVANCE: {} - x\nCOMPLETENESS: {} - x\n**CLARITY: {}** - x\nOVERALL: {} - x"


@pytest.mark.parametrize(
    ("said", "overall", "is_right"),
    [
        (RATED.format(5, 4, 4, 5, 4.5), 4.5, True),
        (RATED.format(4, 4, 4, 4, 4), 4, True),
        (RATED.format(4, 4, 4, 4, 4).replace(":", "**:"), 4, True),
        (RATED.format(5, 4, 3, 3, 3.75), 3.75, False),
        (RATED.format(5, 5, 5, 5, 3), 5, True),  # the script computes the mean anew for an overall score of 3
        (RATED.format(5, 5, 5, 5, "good"), 5, True),
        (RATED.format(5, 5, 5, 9, 4), None, None),
        ("CORRECTNESS: 5\nOVERALL: 5", None, None),
        ("OVERALL: 5", None, None),
        ("good", None, None),
    ],
)
def test_four_criteria_are_rated_and_their_mean_decides(
    tmp_path: Path, said: str, overall: float | None, *, is_right: bool | None
) -> None:
    prediction = answered("1", "A dog").model_copy(update={"judged_by": "four criteria"})
    judge(tmp_path, [prediction], ScriptedLLM(lambda _: said, name="one"))
    found = read_judgements(tmp_path, "one")["1"]
    assert (found.overall, found.is_right) == (overall, is_right)
    (score,), _ = score_judges(tmp_path, ["one"])
    assert (score.mean_overall, score.failed) == (overall, int(is_right is None))
