import pytest

from agents.rows.wording import FRAMES
from eval.benchmarks.benchmark import Item
from eval.variation.paraphrase import paraphrase, read_wordings

WORDINGS = read_wordings()


def item(question: str, name: str = "i", audio: str = "a.wav") -> Item:
    return Item(id=name, audio=audio, question=question, choices=("a", "b"), answer="a", task="sound")


@pytest.mark.parametrize("question", ["What is heard?", "Identify the source.", "Was it Bach, or {somebody} else?"])
def test_the_question_stands_in_it_and_options_and_answer_stay(question: str) -> None:
    for seed in range(20):
        put = paraphrase(item(question), WORDINGS, seed)
        assert question[1:] in put.question
        assert put.question != question
        assert put.model_copy(update={"question": question}) == item(question)


def test_only_a_question_that_begins_a_clause_gets_a_small_letter() -> None:
    clauses = {paraphrase(item("Which is it?"), WORDINGS, seed).question for seed in range(60)}
    others = {paraphrase(item("Name it."), WORDINGS, seed).question for seed in range(60)}
    assert any("which is it?" in one for one in clauses)
    assert all("Name it." in one for one in others)
    assert len(clauses) == len(WORDINGS.heard) + len(WORDINGS.heard_clause)
    assert len(others) == len(WORDINGS.heard)


def test_what_is_drawn_depends_on_seed_and_id_alone_and_text_questions_name_no_recording() -> None:
    one, two = (paraphrase(item("Which?", name), WORDINGS, 3).question for name in ("x", "x"))
    assert one == two
    read = {paraphrase(item("Which?", str(number), audio=""), WORDINGS, 0).question for number in range(80)}
    assert len(read) == len(WORDINGS.read) + len(WORDINGS.read_clause)
    assert not any("recording" in one or "hear" in one for one in read)


def test_the_frames_are_not_those_that_the_reader_was_trained_on() -> None:
    trained = {frame for frames in FRAMES.values() for frame in frames}
    ours = {*WORDINGS.heard, *WORDINGS.heard_clause, *WORDINGS.read, *WORDINGS.read_clause}
    assert not trained & ours
