"""Prompts as they are read: question, options, and what could not be read."""

import pytest

from services.errors import BadRequest
from services.http.openai.content import Turn
from services.http.openai.prompt import MOST_CHARACTERS, ClientPrompt, read_prompt
from services.http.options.unread_options import EXAMPLES_LEFT_OUT, LEFT_OPTIONS, UNREAD_OPTIONS


def read(text: str, *choices: str) -> ClientPrompt:
    return read_prompt(Turn(text, "", ()), choices, None, "messages")


def write_b(asked: ClientPrompt) -> str:
    """Return the reply that chooses option B."""
    return asked.form.write(asked.question.choices[1], asked.marks)


@pytest.mark.parametrize(
    "text",
    [
        "What is heard?\nOptions: Rain; a dog; wind",
        "Was ist zu hören?\nOptionen: Regen / Hund",
        "What is heard?\n- Rain\n- A dog",
        "What is heard?\nA. Rain\n(B) A dog",
        "Is it a) rain b) a dog?",
        "What is heard?\nA Rain\nB Wind\nC Bees",
        "What is heard?\nA.\nRain\nB.\nA dog",
        "What is heard? Answer as in ['Rain', 'A dog'].",
    ],
)
def test_options_that_cannot_be_read_are_said_to_be(text: str) -> None:
    asked = read(text)
    assert (asked.question.choices, asked.warnings) == ((), (UNREAD_OPTIONS,))
    assert read(text, "Rain", "A dog").warnings == ()


@pytest.mark.parametrize(
    "text", ["What is heard?", "Is it 3:30 or 4:30?", "Dr. A. Smith speaks.", "Say what is heard, e.g. a dog."]
)
def test_open_questions_are_not_suspected(text: str) -> None:
    assert read(text).warnings == ()


def test_options_beside_those_that_were_read_are_said_to_be_left() -> None:
    asked = read("What is heard?\nA. Rain\nB. A dog\nD. Wind")
    assert (len(asked.question.choices), asked.warnings) == (2, (LEFT_OPTIONS.format(num=2),))


def test_options_of_a_field_are_lettered_from_a() -> None:
    asked = read("What is heard? Answer with the letter.", "Rain", "A dog")
    assert (asked.question.text, asked.marks, asked.form.kind) == ("What is heard?", ("A", "B"), "letter")


def test_a_text_beyond_all_questions_is_not_searched_for_options() -> None:
    with pytest.raises(BadRequest, match=f"at most {MOST_CHARACTERS}"):
        read("(A) x\n" * MOST_CHARACTERS)


@pytest.mark.parametrize(
    ("text", "question", "options", "num_examples"),
    [
        (
            "Questions with answers.\n\nQuestion: What animal is heard?\nA. Dog\nB. Cat\nAnswer: B\n\n"
            "Question: What is heard?\nA. Rain\nB. Wind\nAnswer:",
            *("What is heard?", ("Rain", "Wind"), 1),
        ),
        (
            "Q: Which sound?\n(A) Rain\n(B) Dog\nA: (A)\n\nQ: Who?\n(A) A man\n(B) A woman\nA: (B)\n\n"
            "Q: Which instrument?\n(A) Flute\n(B) Drum\nA:",
            *("Which instrument?", ("Flute", "Drum"), 2),
        ),
        (
            "What is heard? A. Rain B. Dog\nThe answer is (B).\n\nWhich instrument? A. Piano B. Drum\nThe answer is",
            *("Which instrument?", ("Piano", "Drum"), 1),
        ),
    ],
)
def test_solved_examples_are_left_out_and_said_to_be(
    text: str, question: str, options: tuple[str, ...], num_examples: int
) -> None:
    asked = read(text)
    assert asked.question.text == question
    assert tuple(choice.text for choice in asked.question.choices) == options
    assert (asked.form.kind, asked.warnings) == ("letter", (EXAMPLES_LEFT_OUT.format(num=num_examples),))


@pytest.mark.parametrize(
    "text",
    [
        "Q1: What is heard?\nA. Rain\nB. Dog\nQ2: Who speaks?\nA. A man\nB. A woman",
        "What is heard?\nA. Rain\nB. Dog\nAnswer: B\nWho speaks?\nA. A man\nB. A woman\nAnswer: A",
        "What is heard?\nA. Rain\nB. Dog\nAnswer: $LETTER\nWho speaks?\nA. A man\nB. A woman",
    ],
)
def test_two_questions_of_which_none_is_the_one_that_is_asked_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="lists options twice"):
        read(text)


def test_statements_and_steps_beside_lettered_options_belong_to_the_question() -> None:
    statements = "Two statements:\n1. It rains.\n2. A dog barks.\nWhich is true?"
    asked = read(f"{statements}\nA. Only 1\nB. Only 2\nC. Both")
    assert (asked.question.text, len(asked.question.choices), asked.warnings) == (statements, 3, ())
    asked = read("What is heard?\n(A) Rain\n(B) Dog\n\nAnswer as follows:\n1. Reasoning: ...\n2. Answer: <letter>")
    assert (len(asked.question.choices), write_b(asked)) == (2, "Answer: B")


@pytest.mark.parametrize(
    ("text", "question", "last", "reply"),
    [
        ("Was hört man? a) Regen b) Wind. Antworte nur mit dem Buchstaben.", "Was hört man?", "Wind", "b"),
        ("What is heard? [A] Rain, [B] Dog. Output only the letter.", "What is heard?", "Dog", "B"),
        ("Qu'entend-on ? A. Pluie B. Vent. Répondez par la lettre uniquement.", "Qu'entend-on ?", "Vent", "B"),
        ("问题：听到什么？选项：A. 雨；B. 狗。请直接给出选项字母。", "听到什么？", "狗", "B"),
        ("Who is it? A. A man named J. Doe. B. The U.S. Army.", "Who is it?", "The U.S. Army.", "The U.S. Army."),
        ("Which? A) He waits B) He leaves. He is tired.", "Which?", "He leaves. He is tired", "He leaves. He is tired"),
    ],
)
def test_a_request_behind_the_last_option_of_a_line_is_no_part_of_it(
    text: str, question: str, last: str, reply: str
) -> None:
    asked = read(text)
    assert (asked.question.text, asked.question.choices[-1].text) == (question, last)
    assert write_b(asked) == reply


@pytest.mark.parametrize(
    ("text", "question", "reply"),
    [
        ("### Question\nWhat?\n\n### Options\n- **A)** Rain\n- **B)** Dog\n\n### Answer", "What?", "B"),
        ("**Question:** \nWhat?\n**Options**\nA. Rain\nB. Dog\n**Answer:**", "What?", "B"),
        ("What?\n<options>\nA. Rain\nB. Dog\n</options>", "What?", "Dog"),
        ("What?\nI. Rain\nII. Dog\nOnly reply with the Roman numeral.", "What?", "II"),
        ("무엇이 들립니까?\n① 비\n② 개\n정답 번호만 쓰세요.", "무엇이 들립니까?", "2"),
        ("音を選んでください。\n1. 雨\n2. 犬\n番号で答えてください。", "音を選んでください。", "2"),
        ("Select the correct option.\n1. Rain\n2. Dog", "Select the correct option.", "Dog"),
    ],
)
def test_headings_numerals_and_requests_to_choose_are_read(text: str, question: str, reply: str) -> None:
    asked = read(text)
    assert (asked.question.text, write_b(asked)) == (question, reply)
