"""Prompts as they are read: question, options, and what could not be read."""

import pytest

from services.errors import BadRequest
from services.http.openai.content import Turn
from services.http.openai.prompt import MOST_CHARACTERS, ClientPrompt, read_prompt
from services.http.options.unread_options import LEFT_OPTIONS, UNREAD_OPTIONS


def read(text: str, *choices: str) -> ClientPrompt:
    return read_prompt(Turn(text, "", ()), choices, None, "messages")


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
