"""Validation of questions: `ask` and the HTTP API refuse what cannot be answered.

The items of a benchmark that is asked over HTTP are kept as published: repeated and empty options stay.
"""

from string import ascii_uppercase

from services.errors import BadRequest
from services.types import Question

LONGEST_TEXT = 10_000  # characters of a question or an option


def check_question(text: str, options: tuple[str, ...] = (), *, as_published: bool = False) -> Question:
    """Return the question, with its spaces trimmed; `BadRequest` says what is wrong with it."""
    question = _text(text, "question", "The question")
    if len(options) > len(ascii_uppercase):
        raise BadRequest(f"{len(options)} options were given; at most {len(ascii_uppercase)} work.", param="choices")
    choices = options if as_published else _differing(options)
    if (num_chars := len(question) + sum(map(len, choices))) > LONGEST_TEXT:
        raise BadRequest(f"Question and options have {num_chars} characters; at most {LONGEST_TEXT} work.")
    return Question.ask(question, choices)


def _differing(options: tuple[str, ...]) -> tuple[str, ...]:
    choices = tuple(_text(option, "choices", f"Option {number}") for number, option in enumerate(options, start=1))
    if len(choices) == 1:
        raise BadRequest(
            f"Only one option was given: {choices[0]!r}. Give at least two, or none for an open question.",
            param="choices",
        )
    for number, choice in enumerate(choices):
        if choice in choices[:number]:
            raise BadRequest(f"Option {choice!r} was given twice; each has to differ.", param="choices")
    return choices


def _text(text: str, param: str, name: str) -> str:
    text = text.strip()
    if not text:
        raise BadRequest(f"{name} is empty; it needs words.", param=param)
    if len(text) > LONGEST_TEXT:
        raise BadRequest(f"{name} has {len(text)} characters; at most {LONGEST_TEXT} work.", param=param)
    return text
