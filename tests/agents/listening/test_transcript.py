"""What a transcript says about questions on what is said."""

import pytest

from agents.listening.findings import compute_vote, find_supported
from agents.listening.transcript import (
    SpokenUnit,
    answers,
    count_phrase,
    count_words,
    find_phrase,
    find_spoken_option,
    find_unit,
    split_words,
    sum_numbers,
)
from services.types import Evidence, Question


def heard(*lines: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(kind="transcript", source="asr", revision="1", text=line, start_s=i, end_s=i + 1.0)
        for i, line in enumerate(lines)
    )


def test_numbers_are_told_as_digits() -> None:
    assert split_words("One, oh SIX; 42 don't") == ["1", "0", "6", "42", "don't"]


@pytest.mark.parametrize(
    ("lines", "options", "letter"),
    [
        (("Sunday.",), ("Tuesday", "Sunday", "Monday"), "B"),
        (("Press 6 to play", "the next message."), ("Recently", "Next", "Playback"), "B"),
        (("One, one, five, zero.",), ("0 1 1 5", "1 1 5 0", "1 1 5 2"), "B"),
        (("You have entered an invalid option.",), ("You have an option", "You have entered an invalid option."), "B"),
        (("Their cat.",), ("The", "Cat"), "B"),
        (("It is point seven five.",), ("7.5", "0.75"), "B"),
        (("The note is D flat.",), ("D", "Db"), "B"),
        (("The note is D flat.",), ("C", "D", "E"), None),
        (("He plays in C sharp minor.",), ("C minor", "D♭ minor"), "B"),
        (("Bye.",), ("Five", "Eight"), None),
        (("The cat and the dog.",), ("Cat", "Dog"), None),
        ((), ("Cat", "Dog"), None),
    ],
)
def test_the_option_whose_words_were_said_in_order_is_named(
    lines: tuple[str, ...], options: tuple[str, ...], letter: str | None
) -> None:
    question = Question.ask("What is said?", options)
    found = find_spoken_option(question, heard(*lines))
    assert [find_supported(one, question) for one in found] == ([frozenset({letter})] if letter else [])


def test_digits_are_added_up_and_counted_however_they_are_written() -> None:
    digits = Question.ask("What is the sum of the digits?", ("16", "18"))
    (found,) = sum_numbers("digits", heard("Seven, three,", "and 6."))
    assert found.text == "Sum of 7, 3, 6: 16."
    assert find_supported(found, digits) == {"A"}
    assert (found.start_s, found.end_s, found.source, found.reliability) == (0.0, 2.0, "said", "model")
    assert sum_numbers("digits", heard("Seven.")) == ()
    assert sum_numbers("words", heard("20 and ten"))[0].text == ("Sum of 20, 10: 30.")
    assert count_words("digits", heard("my number is 736"))[0].text == "Number of digits said: 3."
    assert count_words("words", heard("my number is 736"))[0].text == "Number of words said: 4."
    assert count_words("digits", heard("hello")) == ()


@pytest.mark.parametrize("lines", [(), ("",)])
@pytest.mark.parametrize("what", ["words", "digits"])
def test_where_nothing_is_said_no_words_are_counted(what: SpokenUnit, lines: tuple[str, ...]) -> None:
    question = Question.ask(f"How many {what} are said?", ("0", "3"))
    (found,) = count_words(find_unit(question.text), heard(*lines))
    assert find_unit(question.text) == what
    assert found.text == f"Number of {what} said: 0."
    assert find_supported(found, question) == {"A"}


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("How many times does the speaker say no?", "no"),
        ("How often does the voice repeat the word 'stop'?", "stop"),
        ("How many times is the number five said?", "five"),
        ("How often does she mention Anna in the recording?", "Anna"),
        ("How often is the phrase good morning used?", "good morning"),
        ("How many times does the dog bark?", None),
    ],
)
def test_the_words_that_a_question_counts_are_found(question: str, phrase: str | None) -> None:
    assert find_phrase(question) == phrase


def test_a_phrase_is_counted_and_one_that_is_not_said_finds_nothing() -> None:
    said = heard("No. No, no!", "Good morning. No, good morning.")
    for question, text in (
        ("How many times does he say no?", "Number of times that 'no' is said: 4."),
        ("How many times do they say good morning?", "Number of times that 'good morning' is said: 2."),
    ):
        (found,) = count_phrase(find_phrase(question) or "", said)
        assert found.text == text
    assert count_phrase("stop", said) == count_phrase("!", said) == ()


def test_what_is_said_answers_a_question_about_the_same_and_no_other() -> None:
    said = heard("The meeting will start at 9.30 in room 12.", "I forgot to bring the violin.")
    options = ("Nine thirty", "Ten", "Noon")
    assert answers(Question.ask("When does the meeting start?", options), said)
    assert not answers(Question.ask("When does the alarm ring?", options), said)
    assert not answers(Question.ask("Which instrument plays?", ("Violin", "Drum")), said)
    assert not answers(Question.ask("When does the meeting start?", ("Eight", "Noon")), said)
    (found,) = find_spoken_option(Question.ask("When does the meeting start?", options), said)
    assert found.labels[0].text == "Nine thirty"


@pytest.mark.parametrize(
    ("asked", "options", "line", "text"),
    [
        ("Which topping is not mentioned?", ("Cheese", "Ham", "Corn"), "Cheese and ham, please.", "not said: Corn."),
        ("Which word is spoken third?", ("Hat", "Nose", "Shoe"), "Pat, umbrella, shoe, nose.", "Said third: Shoe."),
        (
            "Which city is mentioned last?",
            ("Paris", "Rome", "Oslo"),
            "To Rome, then we saw Paris.",
            "Said last: Paris.",
        ),
        ("What is the second number said?", ("Five", "Three", "Nine"), "Three nine five", "Said second: Nine."),
    ],
)
def test_the_option_in_the_place_that_is_asked_for_or_the_one_left_out_is_named(
    asked: str, options: tuple[str, ...], line: str, text: str
) -> None:
    (told,) = find_spoken_option(Question.ask(asked, options), heard(line))
    assert told.text.endswith(text)


def test_what_is_left_out_is_named_only_where_all_others_are_said() -> None:
    question = Question.ask("Which topping is not mentioned?", ("Cheese", "Ham", "Corn", "Leek"))
    assert find_spoken_option(question, heard("Cheese and ham, please.")) == ()


def test_a_finding_of_what_is_left_out_speaks_for_it_though_the_question_denies() -> None:
    question = Question.ask("Which topping is not mentioned?", ("Cheese", "Ham", "Corn"))
    (told,) = find_spoken_option(question, heard("Cheese and ham, please."))
    vote = compute_vote(told, question)
    assert vote is not None
    assert max(vote.probabilities, key=lambda letter: vote.probabilities[letter]) == "C"
