"""Options and answers as files write them."""

import pytest

from eval.benchmarks.fields import AnswerForm
from eval.benchmarks.options import AskedText, find_answer, read_integer, read_options, split_inline


@pytest.mark.parametrize(
    "value",
    [
        ["cat", "dog, wild", "7"],
        ["cat", "dog, wild", 7],
        {"B": "dog, wild", "A": "cat", "C": "7"},
        {"text": ["cat", "dog, wild", "7"], "label": ["A", "B", "C"]},
        [{"label": "A", "text": "cat"}, {"label": "B", "text": "dog, wild"}, {"label": "C", "text": "7"}],
        "['cat', 'dog, wild', '7']",
        '["cat", "dog, wild", 7]',
        "cat|dog, wild|7",
        "cat; dog, wild; 7",
        "(a) cat (b) dog, wild (c) 7",
        "A. cat\nB. dog, wild\nC. 7",
    ],
)
def test_options_in_many_forms(value: object) -> None:
    assert read_options(value) == ("cat", "dog, wild", "7")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Which? (a) a dog (b) a cat", AskedText("Which?", ("a dog", "a cat"))),
        (
            "Which test? (a) DALF (b) BKT (c) J.TEST (d) CILS",
            AskedText("Which test?", ("DALF", "BKT", "J.TEST", "CILS")),
        ),
        ("Who? A. Bach B. J. S. Bach C. Haydn", AskedText("Who?", ("Bach", "J. S. Bach", "Haydn"))),
        ("Choose A for yes. Is it?\nA. yes\nB. no", AskedText("Choose A for yes. Is it?", ("yes", "no"))),
        ("How many? 1) one 2) two 3) three", AskedText("How many?", ("one", "two", "three"))),
        ("这是什么？ Ａ．狗 Ｂ．猫", AskedText("这是什么？", ("狗", "猫"))),
        ("56 or more?\nA.56  B.64  C.68", AskedText("56 or more?", ("56", "64", "68"))),
        ("Who is Dr. B. Smith (a)?", None),
        ("Is it vitamin A. or K?", None),
    ],
)
def test_options_inside_a_question(text: str, asked: AskedText | None) -> None:
    assert split_inline(text) == asked


OPTIONS = ("A dog", "a cat", "Yes, both")


@pytest.mark.parametrize(
    ("answer", "form", "place"),
    [
        ("a cat", "text", 1),
        ("A Cat.", "text", 1),
        ("(b) a cat", "text", 1),
        ("C", "text", 2),
        ("(a)", "text", 0),
        ("a cow", "text", None),
        ("D", "text", None),
        (0, "index0", 0),
        ("2.0", "index0", 2),
        (3, "index1", 2),
        (0, "index1", None),
        (True, "index0", None),
        (3, "index0", None),
    ],
)
def test_an_answer_is_one_of_the_options(answer: object, form: AnswerForm, place: int | None) -> None:
    assert find_answer(answer, OPTIONS, form) == place


def test_a_letter_that_is_an_option_is_meant_as_text() -> None:
    assert find_answer("B", ("D", "C", "B", "A"), "text") == 2


def test_a_lettered_answer_tells_equal_options_apart() -> None:
    assert find_answer("(b) yes", ("(a) yes", "(b) yes"), "text") == 1


def test_integers() -> None:
    assert [read_integer(value) for value in (2, 2.0, "2", " 3.0 ", 2.5, "two", True, None)] == [
        2,
        2,
        2,
        3,
        *[None] * 4,
    ]
