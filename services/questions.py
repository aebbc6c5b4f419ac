"""Validation of questions: `ask` and the HTTP API refuse what cannot be answered.

The items of a benchmark that is asked over HTTP are kept as published: repeated and empty options stay.
"""

import re
from collections.abc import Sequence
from string import ascii_uppercase

from services.errors import AudioCode, BadRequest, TooLarge, TooManyClips
from services.types import Choice, Question

LONGEST_TEXT = 10_000  # characters of a question or an option
MAX_CLIPS = 8  # recordings that one question may be about: each has its share of what an LLM reads


OWN_LETTER = re.compile(
    r"\s*(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Za-z])(?:[.):](?=\s)|\s+[-–—](?=\s)|[、：．]))\s*(\S.*)", re.S
)


LONGER_THAN_A_LETTER = 3  # characters of an option


def find_own_letters(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Return options that carry their letters in their texts, as in "(B) A cat", by these letters and without them.

    Nothing where not all carry one in one style, or the letters are not those of so many options (in any order).
    """
    matches = []
    for choice in choices:
        match = OWN_LETTER.fullmatch(choice.text)
        if match is None:
            return ()
        matches.append(match)
    letters = [(match[1] or match[2] or match[3]).upper() for match in matches]
    styles = {re.sub(r"[A-Za-z]", "A", match[0][: match.start(4)].strip()) for match in matches}
    if len(matches) < 2 or sorted(letters) != list(ascii_uppercase[: len(choices)]):
        return ()
    if len(styles) > 1:
        return ()
    return tuple(Choice(letter=letter, text=match[4]) for letter, match in zip(letters, matches, strict=True))


def read_plain_letter(reply: str, choices: tuple[Choice, ...]) -> Choice | None:
    """Return the option of a reply that is its letter and nothing else; most replies about options are.

    None where some option is as short as a letter, such as a note, and where the options carry letters of their own,
    which may stand in another order.
    """
    letter = reply.strip()
    if len(letter) != 1 or any(len(choice.text) < LONGER_THAN_A_LETTER for choice in choices):
        return None
    found = next((choice for choice in choices if choice.letter == letter), None)
    return None if found is None or find_own_letters(choices) else found


def drop_own_letters(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Return options without the letters that their texts carry, lettered by their places: a prompt shows one."""
    bare = find_own_letters(choices)
    if not bare:
        return choices
    return tuple(Choice(letter=choice.letter, text=one.text) for choice, one in zip(choices, bare, strict=True))


def check_question(text: str, options: tuple[str, ...] = (), *, as_published: bool = False) -> Question:
    """Return the question, with its spaces trimmed; `BadRequest` says what is wrong with it."""
    question = _check_text(text, "question", "The question")
    if len(options) > len(ascii_uppercase):
        raise BadRequest(f"{len(options)} options were given; at most {len(ascii_uppercase)} work.", param="choices")
    choices = options if as_published else _check_options(options)
    if (num_chars := len(question) + sum(map(len, choices))) > LONGEST_TEXT:
        raise BadRequest(f"Question and options have {num_chars} characters; at most {LONGEST_TEXT} work.")
    return Question.ask(question, choices)


def check_num_clips(num: int, *, param: str | None = None) -> None:
    """Raise `TooManyClips` for more recordings than a question may be about."""
    if num > MAX_CLIPS:
        raise TooManyClips(
            f"The question is about {num} recordings; at most {MAX_CLIPS} work. Ask about some of them at a time.",
            param=param,
        )


def check_total_duration(durations_s: Sequence[float], longest_s: float, *, param: str | None = None) -> None:
    """Raise `TooLarge` for recordings of one question that last longer together than one may."""
    if len(durations_s) > 1 and sum(durations_s) > longest_s:
        raise TooLarge(
            f"The first {len(durations_s)} recordings of the question last {sum(durations_s):.1f} s together; at most "
            f"{longest_s:g} s work.",
            code=AudioCode.TOO_LONG,
            param=param,
        )


def _check_options(options: tuple[str, ...]) -> tuple[str, ...]:
    choices = tuple(
        _check_text(option, "choices", f"Option {number}") for number, option in enumerate(options, start=1)
    )
    if len(choices) == 1:
        raise BadRequest(
            f"Only one option was given: {choices[0]!r}. Give at least two, or none for an open question.",
            param="choices",
        )
    for number, choice in enumerate(choices):
        if choice in choices[:number]:
            raise BadRequest(f"Option {choice!r} was given twice; each has to differ.", param="choices")
    return choices


def _check_text(text: str, param: str, name: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise BadRequest(f"{name} has {len(text)} characters; at most {LONGEST_TEXT} work.", param=param)
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BadRequest(f"{name} holds bytes that are not UTF-8; check the terminal's locale.", param=param)
    if not text:
        raise BadRequest(f"{name} is empty; it needs words.", param=param)
    return text
