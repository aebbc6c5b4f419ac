"""Prompts of clients and harnesses: the question, its options, and the form in which the reply is wanted."""

from string import ascii_uppercase
from typing import NamedTuple

from pydantic import JsonValue

from services.errors import BadRequest
from services.http.openai.content import Turn
from services.http.openai.json_example import find_example
from services.http.openai.reply_form import ReplyForm, ReplyKind, find_form
from services.http.options.option_lines import MOST_CHARACTERS, Split, split_options
from services.http.options.unread_options import warn_of_unread_options
from services.questions import check_question
from services.types import Answer, Question


class ClientPrompt(NamedTuple):
    """What a request asks."""

    question: Question
    form: ReplyForm
    marks: tuple[str, ...]
    """The letters or numbers of the options, as the prompt has them."""
    warnings: tuple[str, ...] = ()
    shown: dict[str, JsonValue] | None = None
    """The schema of the JSON that the prompt shows as an example of the reply."""

    def write(self, answer: Answer) -> str:
        """Return the reply: the chosen option in the form that was asked for, or the words of the model."""
        return self.form.write(answer.choice, self.marks) if answer.choice else answer.reply


def read_prompt(turn: Turn, choices: tuple[str, ...], reply: ReplyKind | None, param: str) -> ClientPrompt:
    """Read what a turn asks.

    Args:
        turn: the text and the instructions beside it.
        choices: the options where they came as a field of their own.
        reply: the form of the reply where it came as a field of its own; None: as the text asks for it.
        param: the parameter that holds the text.
    """
    if (num_characters := len(turn.text)) > MOST_CHARACTERS:
        raise BadRequest(f"The text has {num_characters} characters; at most {MOST_CHARACTERS} work.", param=param)
    split = Split(turn.text, choices) if choices else split_options(turn.text)
    text, options = split.question, split.options
    marks = split.marks or tuple(ascii_uppercase[: len(options)])
    warnings = () if choices else warn_of_unread_options(split)
    if len(options) < 2:
        question = check_question(text, options).with_earlier_turns(turn.earlier)
        return ClientPrompt(question, ReplyForm(reply or "text"), marks, warnings)
    shown, told = find_example(text), find_example(turn.instructions[-MOST_CHARACTERS:])
    asked = find_form(shown.text, told.text, options, marks)
    form = asked.form if reply is None else ReplyForm(reply)
    question = check_question(asked.question, options).with_earlier_turns(turn.earlier)
    return ClientPrompt(question, form, marks, warnings, None if reply else shown.schema or told.schema)
