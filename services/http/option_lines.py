"""Parser for options in the text of a question, one a line: `(A) Rain` or `A. Rain`."""

import re
from string import ascii_uppercase
from typing import NamedTuple

from services.errors import BadRequest

LINE = re.compile(r"(?:\(([A-Z])\)|([A-Z])([.):]))\s+(\S.*)")  # of a stripped line, read once from left to right


class Split(NamedTuple):
    """A question and the options that its text held."""

    question: str
    options: tuple[str, ...]
    """Empty: the text holds none."""


class _OptionLine(NamedTuple):
    letter: str
    style: str
    """What marks the letter: `()`, or the sign behind it."""
    text: str


def split_options(text: str) -> Split:
    """Split a text into the question and its options; the question is what stands before and after them.

    Options are two or more lines lettered A, B, C and so on in one style; empty lines between them do not count.
    """
    lines = text.splitlines()
    runs = [run for start in range(len(lines)) if len(run := _run(lines, start)) > 1]
    if not runs:
        return Split(text, ())
    if len(runs) > 1:
        raise BadRequest("The text lists options twice; give them as 'choices'.", param="messages")
    numbers = runs[0]
    options = tuple(option.text for number in numbers if (option := _read(lines[number])))
    rest = lines[: numbers[0]] + lines[numbers[-1] + 1 :]
    return Split("\n".join(rest).strip(), options)


def _run(lines: list[str], start: int) -> list[int]:
    """Return the numbers of the lines that letter options from A on, the first at `start`."""
    numbers: list[int] = []
    style = ""
    for number in range(start, len(lines)):
        option = _read(lines[number])
        if option is None:
            if lines[number].strip() or not numbers:
                break
            continue
        if len(numbers) == len(ascii_uppercase) or option.letter != ascii_uppercase[len(numbers)]:
            break
        if numbers and option.style != style:
            break
        numbers.append(number)
        style = option.style
    return numbers


def _read(line: str) -> _OptionLine | None:
    match = LINE.fullmatch(line.strip())
    if not match:
        return None
    in_brackets, letter, sign, text = match.groups()
    return _OptionLine(in_brackets or letter, sign or "()", text)
