"""Options inside a text: the question and the options that it is split into."""

import pytest

from services.errors import BadRequest
from services.http.option_lines import Split, split_options
from services.questions import LONGEST_TEXT


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("What?\n(A) Rain\n(B) A dog", "What?", ("Rain", "A dog")),
        ("What?\nA. Rain\nB. A dog\nC. 4/4", "What?", ("Rain", "A dog", "4/4")),
        ("What?\r\nA) Rain\r\n\r\n  B)  A dog  \r\n", "What?", ("Rain", "A dog")),
        ("(A) Rain\n(B) A dog\nAnswer with the letter.", "Answer with the letter.", ("Rain", "A dog")),
        ("Listen.\nA: Rain\nB: A dog\nC) not one of them", "Listen.\nC) not one of them", ("Rain", "A dog")),
        ("What?\n(A) Rain", "What?\n(A) Rain", ()),
        ("What?\n(B) Rain\n(C) A dog", "What?\n(B) Rain\n(C) A dog", ()),
        ("What does (A) Rain\nand B. dog mean?", "What does (A) Rain\nand B. dog mean?", ()),
        ("A. Rain\n(B) A dog", "A. Rain\n(B) A dog", ()),
        ("A dog barks.\nB flat is heard.", "A dog barks.\nB flat is heard.", ()),
        ("What? (A) Rain (B) A dog", "What?", ("Rain", "A dog")),
        ("What?\n(A) Rain, (B) A dog; (C) 4/4", "What?", ("Rain", "A dog", "4/4")),
        (
            "What?\n(A) Rain (B) A dog\n(C) Wind (D) Bees\nOne letter.",
            "What?\nOne letter.",
            ("Rain", "A dog", "Wind", "Bees"),
        ),
        ("What? A. Rain B. A dog", "What?", ("Rain", "A dog")),
        ("What? a) Rain b) A dog c) Wind", "What?", ("Rain", "A dog", "Wind")),
        ("What? 1. Rain 2. A dog", "What?", ("Rain", "A dog")),
        ("What? [A] Rain [B] A dog", "What?", ("Rain", "A dog")),
        ("What?\na) Rain b) A dog\nc) Wind d) Bees", "What?", ("Rain", "A dog", "Wind", "Bees")),
        ("What? (A)Rain or (B)a dog", "What?", ("Rain", "a dog")),
        ("什么？A、雨 B、狗", "什么？", ("雨", "狗")),
        ("Who? A. The U.S. B. A man named J. Doe C. None", "Who?", ("The U.S.", "A man named J. Doe", "None")),
        ("Listen. 1. Rain 2. A dog", "Listen. 1. Rain 2. A dog", ()),
        ("Who is it, J. Smith or A. Jones?", "Who is it, J. Smith or A. Jones?", ()),
        ("Is it (A) rain (B) a dog?", "Is it (A) rain (B) a dog?", ()),
        ("Compare (A) rain with (B) wind.", "Compare (A) rain with (B) wind.", ()),
    ],
)
def test_options_are_lines_lettered_from_a_in_one_style(text: str, question: str, options: tuple[str, ...]) -> None:
    assert split_options(text)[:2] == (question, options)


@pytest.mark.parametrize(
    ("text", "options", "marks"),
    [
        ("What?\na) Rain\nb) A dog", ("Rain", "A dog"), ("a", "b")),
        ("What?\n1. 120 BPM\n2. 90 BPM", ("120 BPM", "90 BPM"), ("1", "2")),
        ("Which:\n- (A) Rain\n- (B) A dog", ("Rain", "A dog"), ("A", "B")),
        ("什么？\nＡ．雨\nＢ．狗", ("雨", "狗"), ("A", "B")),
        ("何？\n（ア）雨\n（イ）犬", ("雨", "犬"), ("ア", "イ")),
        ("Что?\nА) Дождь\nБ) Собака", ("Дождь", "Собака"), ("А", "Б")),
    ],
)
def test_marks_come_back_as_the_text_has_them(text: str, options: tuple[str, ...], marks: tuple[str, ...]) -> None:
    assert split_options(text)[1:] == (options, marks)


@pytest.mark.parametrize(
    "text",
    [
        "Do this.\n1. Listen to the clip.\n2. Say what is heard.",
        "How long?\n1.5 s\n2.5 s",
        "What?\na) Rain\n2) A dog",
        "What?\na) Rain\n(b) A dog",
    ],
)
def test_instructions_numbers_and_mixed_marks_are_not_options(text: str) -> None:
    assert split_options(text) == Split(text, ())


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("Listen to it. 1. Dog 2. Cat 3. Cow", "Listen to it.", ("Dog", "Cat", "Cow")),
        ("Listen to it. 1. Dog 2. Cat 3. Cow.\n", "Listen to it.", ("Dog", "Cat", "Cow")),
        ("What is it? Take one. 1) a dog, 2) a cat, or 3) a cow", "What is it? Take one.", ("a dog", "a cat", "a cow")),
        ("Choose! (1) Grand piano (2) Drum kit (3) Violin", "Choose!", ("Grand piano", "Drum kit", "Violin")),
        ("Hör zu.\nWähle eins. a) Hund b) Katze c) Kuh", "Hör zu.\nWähle eins.", ("Hund", "Katze", "Kuh")),
        ("听。 1、狗 2、猫 3、牛", "听。", ("狗", "猫", "牛")),
    ],
)
def test_short_options_in_one_line_that_end_the_text_are_read_behind_a_sentence(
    text: str, question: str, options: tuple[str, ...]
) -> None:
    assert split_options(text)[:2] == (question, options)


@pytest.mark.parametrize(
    "text",
    [
        "It costs 1. 50",
        "The prices are read. 1. 50 2. 60 3. 70",
        "It took 1.5 s. 2.5 s later it ended. 3.5 s are left.",
        "He came on the 1. May 2. June 3. July",
        "She came. 1. May 2. June",
        "Count. 1. 2. 3. 4.",
        "Do this. 1. Transcribe all that is said 2. Translate it into German 3. Count the words",
        "Do this. 1. Listen. 2. Transcribe. 3. Translate.",
        'He says: "Here is the list. 1. Milk 2. Bread 3. Eggs"',
        "He reads the agenda. 1. Budget 2. Hiring 3. Rent\nSay what comes second.",
        "He reads the agenda. 1. Budget 2. Hiring 3. Rent. What comes second?",
        "He reads the agenda. 2. Budget 3. Hiring 4. Rent",
        "the agenda 1. Budget 2. Hiring 3. Rent",
    ],
)
def test_decimals_dates_steps_and_lists_in_a_transcript_are_not_options(text: str) -> None:
    assert split_options(text) == Split(text, ())


def test_two_lists_are_refused() -> None:
    with pytest.raises(BadRequest, match="twice"):
        split_options("A. Rain\nB. Wind\nor\nA. Dog\nB. Cat")


@pytest.mark.timeout(5)
def test_a_long_line_is_read_once() -> None:
    for line in ("(A) x" + " " * 1_000_000 + "y", "A. " * 300_000):
        assert split_options(line) == Split(line, ())


@pytest.mark.timeout(5)
def test_the_longest_line_that_is_split_may_hold_one_mark_thousands_of_times() -> None:
    line = ("A. " * (LONGEST_TEXT // 3)).strip()
    assert split_options(line) == Split(line, ())
