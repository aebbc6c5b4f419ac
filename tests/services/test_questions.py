"""What is refused before any model is asked."""

import pytest

from services.errors import BadRequest
from services.questions import check_question


def test_a_question_keeps_its_words_and_names_its_options() -> None:
    question = check_question("  What is heard? ", ("Rain ", "A dog"))
    assert question.text == "What is heard?"
    assert [(choice.letter, choice.text) for choice in question.choices] == [("A", "Rain"), ("B", "A dog")]
    assert check_question("Describe the clip.").choices == ()


def test_options_that_differ_only_in_case_differ() -> None:
    assert len(check_question("Which chord?", ("CM7", "Cm7")).choices) == 2


@pytest.mark.parametrize(
    ("text", "options", "message", "param"),
    [
        ("", (), "The question is empty; it needs words.", "question"),
        (" \n", ("a", "b"), "The question is empty; it needs words.", "question"),
        ("x" * 10_001, (), "The question has 10001 characters; at most 10000 work.", "question"),
        (
            "What?",
            ("Rain",),
            "Only one option was given: 'Rain'. Give at least two, or none for an open question.",
            "choices",
        ),
        ("What?", ("Rain", " "), "Option 2 is empty; it needs words.", "choices"),
        ("What?", ("Rain", "Wind", "Rain "), "Option 'Rain' was given twice; each has to differ.", "choices"),
        ("What?", tuple(map(str, range(27))), "27 options were given; at most 26 work.", "choices"),
    ],
)
def test_what_cannot_be_answered_is_refused(text: str, options: tuple[str, ...], message: str, param: str) -> None:
    with pytest.raises(BadRequest) as error:
        check_question(text, options)
    assert (str(error.value), error.value.param) == (message, param)


@pytest.mark.slow
@pytest.mark.timeout(5)
def test_very_many_options_are_counted_and_not_compared() -> None:
    with pytest.raises(BadRequest, match="500000 options were given; at most 26 work"):
        check_question("Which?", tuple(map(str, range(500_000))))


def test_bytes_that_are_not_utf_8_are_named() -> None:
    for question, options in (("What\udcff?", ()), ("What?", ("a dog", "a c\udc80t"))):
        with pytest.raises(BadRequest, match="bytes that are not UTF-8"):
            check_question(question, options)
