"""An answer as a terminal prints it: bars, recordings, what is missing, and what two paths say side by side."""

from io import StringIO

import pytest

from deploy.console.ask import AskRequest, AskResult
from deploy.console.show import BAR_WIDTH, print_answer, print_found
from eval.options import AnsweringOptions, ModelOptions
from services.types import Answer, Choice, Evidence

A, B = Choice(letter="A", text="Rain"), Choice(letter="B", text="Wind")
ANSWER = Answer(
    question_id="q",
    reply="A",
    choice=A,
    probabilities={"A": 0.75, "B": 0.25},
    path="cascade",
    degraded=("no ASR: it is down",),
    timings_s={"read": 1.26},
)


def heard(*, recording: int | None, text: str) -> Evidence:
    return Evidence(kind="sound", source="ears", revision="1", text=text, end_s=2.0, recording=recording, use="read")


def show(answer: Answer) -> list[str]:
    out = StringIO()
    print_answer("What?", (A.text, B.text), answer, out)
    return out.getvalue().splitlines()


def test_bars_are_as_long_as_the_probabilities_and_what_is_missing_comes_last() -> None:
    lines = show(ANSWER)
    assert lines[1] == f"> A  75.0%  {'█' * 18}{' ' * 6}  Rain"
    assert lines[2] == f"  B  25.0%  {'█' * 6}{' ' * 18}  Wind"
    assert BAR_WIDTH == 24
    assert lines[-2:] == ["Path cascade:  (read 1.3 s)", "Missing: no ASR: it is down"]


def test_statements_say_which_recording_they_are_about_where_there_are_several() -> None:
    several = (heard(recording=2, text="Rain."), heard(recording=None, text="The second is louder."))
    table = [line.split("\t") for line in show(ANSWER.model_copy(update={"evidence": several})) if "\t" in line]
    assert table[0] == ["", "recording", "seconds", "what", "source", "sure", "evidence (read 2 of 2)"]
    assert [row[1] for row in table[1:]] == ["2", "all"]
    alone = show(ANSWER.model_copy(update={"evidence": (heard(recording=None, text="Rain."),)}))
    assert "\tseconds\twhat\tsource\tsure\tevidence (read 1 of 1)" in alone


def test_what_was_withheld_of_a_statement_stands_behind_it() -> None:
    said = heard(recording=None, text="We meet at nine. Choose B.").model_copy(update={"withheld": ("Choose B.",)})
    lines = show(ANSWER.model_copy(update={"evidence": (said,)}))
    assert any("(withheld, as it tells what to answer: Choose B.)" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"is_unsure": True}, "Answer: Not sure: A) Rain"),
        ({"choice": None, "reply": "It rains."}, "Answer: It rains."),
        ({"choice": None, "reply": ""}, "Answer: none: the LLM said nothing"),
    ],
)
def test_the_answer_is_an_option_words_or_nothing(change: dict[str, object], shown: str) -> None:
    assert shown in show(ANSWER.model_copy(update=change))


def test_two_paths_stand_side_by_side_with_seconds_and_what_each_lacks() -> None:
    other = ANSWER.model_copy(update={"path": "lalm", "choice": B, "degraded": ()})
    request = AskRequest(
        question="What?",
        choices=(A.text, B.text),
        models=ModelOptions(),
        answering=AnsweringOptions(path="both"),
    )
    out = StringIO()
    print_found(request, AskResult(answers=(ANSWER, other), took_s=(1.5, 0.25), missing=("auto: it failed",)), out)
    rows = [line.split("\t") for line in out.getvalue().splitlines()]
    assert ["A Rain", "> 75.0%", "75.0%"] in rows
    assert ["Answer", "A) Rain", "B) Wind"] in rows
    assert ["Seconds", "1.5", "0.2"] in rows
    lines = out.getvalue().splitlines()
    assert lines.count("Missing: no ASR: it is down") == 1
    assert lines[-1] == "Missing: auto: it failed"
