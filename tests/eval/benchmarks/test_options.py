"""Options and answers as files write them."""

import pytest

from eval.benchmarks.fields import AnswerForm
from eval.benchmarks.options import (
    AskedText,
    find_answer,
    parse_literal,
    read_integer,
    read_labels,
    read_options,
    split_inline,
)


@pytest.mark.parametrize(
    "value",
    [
        ["cat", "dog, wild", "7"],
        ["cat", "dog, wild", 7],
        {"B": "dog, wild", "A": "cat", "C": "7"},
        {"text": ["cat", "dog, wild", "7"], "label": ["A", "B", "C"]},
        [{"label": "A", "text": "cat"}, {"label": "B", "text": "dog, wild"}, {"label": "C", "text": "7"}],
        {"text": ["7", "cat", "dog, wild"], "label": ["C", "A", "B"]},
        [{"label": "B", "text": "dog, wild"}, {"label": "C", "text": "7"}, {"label": "A", "text": "cat"}],
        [{"option": "A", "answer": "cat"}, {"option": "B", "answer": "dog, wild"}, {"option": "C", "answer": 7}],
        [{"A": "cat"}, {"B": "dog, wild"}, {"C": "7"}],
        {"option_2": "dog, wild", "option_1": "cat", "option_3": 7},
        {"second": "cat", "first": "dog, wild", "third": 7},
        [["cat"], ["dog, wild"], ["7"]],
        [["B", "dog, wild"], ["A", "cat"], ["C", 7]],
        "['cat', 'dog, wild', '7']",
        "('cat', 'dog, wild', '7')",
        "['cat' 'dog, wild'\n '7']",
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
        ("What? Option A: dogs Option B: cats", AskedText("What?", ("dogs", "cats"))),
        ("What?\nAnswer 1. dogs\nAnswer 2. cats", AskedText("What?", ("dogs", "cats"))),
        ("Is there no or yes or no (a) no (b) yes", AskedText("Is there no or yes or no", ("no", "yes"))),
        ("Name the genre.\nExample 1: blues\nExample 2: jazz", None),
        ("Speaker A: hello. Speaker B: no. What is meant?", None),
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


def test_numbered_options_stand_in_the_order_of_their_numbers() -> None:
    texts = tuple(f"note {number}" for number in range(1, 13))
    numbered = {str(number): text for number, text in enumerate(texts, start=1)}
    assert read_options(dict(sorted(numbered.items()))) == texts  # as texts, "10" comes before "2"


@pytest.mark.parametrize(
    ("answer", "options", "place"),
    [
        ("Option B", ("dog", "cat"), 1),
        ("choice_b", ("dog", "cat"), 1),
        ("Answer: (b)", ("dog", "cat"), 1),
        ("Option B", ("dog", "option b"), 1),
        ("vitamin B", ("dog", "cat"), None),
        ("B. dog", ("dog", "cat"), None),  # its letter and its text name two options
        ("B. Dog", ("B. dog", "A. cat"), 0),
        ("B", ("B. dog", "A. cat"), 0),
    ],
)
def test_letters_with_words_and_texts_beside_them(answer: str, options: tuple[str, ...], place: int | None) -> None:
    assert find_answer(answer, options, "text") == place


def test_a_letter_is_never_a_text_where_letters_are_meant() -> None:
    assert (find_answer("A", ("C", "A"), "letter"), find_answer("A", ("C", "A"), "text")) == (0, 1)


@pytest.mark.parametrize("value", ["2)", "(2)", "Option 2", "2.0", 2.0])
def test_numbers_as_people_write_them(value: object) -> None:
    assert read_integer(value) == 2


def test_what_follows_the_list_of_options_belongs_to_the_question() -> None:
    asked = split_inline("What is heard?\n[A] a dog\n[B] a cat\nAnswer with the letter.")
    assert asked == AskedText("What is heard?\nAnswer with the letter.", ("a dog", "a cat"))


def test_options_that_hold_lists_are_none() -> None:
    assert read_options([["cat", "dog"], ["cow", "pig"]]) == read_options(["cat", ["cow", "pig"]]) == ()


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("['it\\'s' \"a cat\"]", ["it's", "a cat"]),
        ("[0 1 0]", [0, 1, 0]),
        ("[ 0.5\n  -2. ]", [0.5, -2.0]),
        ("['a', 'b']", ["a", "b"]),
        ("[a b]", None),
    ],
)
def test_arrays_as_numpy_prints_them(cell: str, value: object) -> None:
    assert parse_literal(cell) == value


@pytest.mark.parametrize(
    ("choices", "labels"),
    [
        ({"opt2": "dog", "opt1": "cat"}, ("opt1", "opt2")),
        ([{"id": 7, "text": "cat"}, {"id": 5, "text": "dog"}], ("7", "5")),
        ("{'x': 'cat', 'y': 'dog'}", ("x", "y")),
        (["cat", "dog"], ()),
    ],
)
def test_labels_stand_in_the_order_of_their_options(choices: object, labels: tuple[str, ...]) -> None:
    assert read_labels(choices) == labels
    assert read_options(choices) == ("cat", "dog")


ASKED = AskedText("?", ("cat", "dog", "cow"), labels=("opt1", "opt2", "B"))


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("opt2", "dog"),
        (["opt2", "opt1"], ["dog", "cat"]),
        ("B", "B"),
        ("opt4", "opt4"),
        ([0, 1, 0], ["dog"]),
        ("[1, 0, 1]", ["cat", "cow"]),
        ([False, False, False], []),
        ([0, 1], [0, 1]),
        ([0, 1, 2], [0, 1, 2]),
        ("[laughter]", "[laughter]"),
    ],
)
def test_an_option_is_named_by_its_label_or_a_list_of_flags(value: object, right: object) -> None:
    assert ASKED.name_right(value) == right


def test_letters_and_numbers_of_other_scripts_and_composed_characters() -> None:
    assert [find_answer(text, ("a", "caf\u00e9"), "text") for text in ("\uff22", "cafe\u0301")] == [1, 1]
    assert find_answer("\u2460", ("x", "y"), "index1") == 0
