"""Sets of options that a reply names."""

from time import process_time

import pytest

from eval.scoring.exact_sets import read_set, read_set_officially

OPTIONS = ("A dog barking", "A cat", "Rain; light", "Wind")


@pytest.mark.parametrize(
    ("reply", "places"),
    [
        ("A, C", "02"),
        ("AC", "02"),
        ("A and B", "01"),
        ("(A)(B)", "01"),
        ("The correct answers are: A, B and D.", "013"),
        ("答案：A、C", "02"),
        ("Option A, option B", "01"),
        ("A. A dog barking\nB. A cat", "01"),
        ("- a dog barking\n- wind.", "03"),
        ("1. A dog barking\n2. Wind", "03"),
        ("Here they are:\nA\nD", "03"),
        ("A dog barking; Wind", "03"),
        ("Rain; light\nWind", "23"),
        ("A dog barking and a cat", "01"),
        ("**A**", "0"),
        ("A dog barking\nA dog barking", "0"),
        ("I heard this:\nWind", "3"),
        ("AD.", "03"),
        ("B. a cat", "1"),
    ],
)
def test_a_set_is_read_from_letters_texts_or_both(reply: str, places: str) -> None:
    assert read_set(reply, OPTIONS) == {OPTIONS[int(place)] for place in places}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "None of them",
        "Not A",
        "A) A cat",
        "It is not a cat",
        "A\nZ",
        "a dog barking, not wind",
        "E",
        "CA",
        "Z. Wind",
        "Wind\nA) A cat",
        "🐶" * 1000,
    ],
)
def test_what_names_none_or_contradicts_itself_is_unread(reply: str) -> None:
    assert read_set(reply, OPTIONS) is None


def test_the_official_script_reads_texts_only_and_never_one_with_a_semicolon() -> None:
    assert read_set_officially("A dog barking.\nWind", OPTIONS) == {"A dog barking", "Wind"}
    assert read_set_officially("A, D", OPTIONS) == frozenset()
    assert read_set_officially("Rain; light", OPTIONS) == frozenset()
    assert read_set_officially("a dog barking", OPTIONS) == frozenset()


def test_options_that_are_letters_or_have_their_own_or_hold_another_are_read_as_they_are_written() -> None:
    assert read_set("B", ("D", "B", "A")) == {"B"}  # the text of the second option, the letter of none other
    assert read_set("A", ("D", "B", "A")) == {"A"}
    assert read_set("A. A. Rain", ("A. Rain", "B. Wind")) == {"A. Rain"}
    assert read_set("A. Rain", ("A. Rain", "B. Wind")) == read_set("A) Rain", ("A. Rain", "B. Wind")) == {"A. Rain"}
    assert read_set("a cat and rain", ("cat", "a cat", "rain")) == {"a cat", "rain"}


@pytest.mark.slow
def test_a_long_reply_takes_no_time() -> None:
    assert read_set("A, " * 20_000 + "and so on", OPTIONS) is None


@pytest.mark.slow
def test_a_run_of_signs_takes_no_time() -> None:
    started = process_time()
    assert read_set("." * 40_000 + "x", OPTIONS) is None
    assert read_set_officially("." * 40_000 + "x", OPTIONS) == frozenset()
    assert process_time() - started < 2
