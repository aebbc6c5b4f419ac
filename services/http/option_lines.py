"""Parser for options in the text of a question: `(A) Rain` or `A. Rain` a line, or `(A) Rain (B) A dog` in one."""

import re
from itertools import pairwise
from string import ascii_uppercase
from typing import NamedTuple

from services.errors import BadRequest

LINE = re.compile(r"(?:\(([A-Z])\)|([A-Z])([.):]))\s+(\S.*)")  # of a stripped line, read once from left to right


MARK = re.compile(r"(?<!\S)\(([A-Z])\)\s+(?=\S)")  # of an option that may share its line with others
ENDS = ("?", ":", ".", "!")  # of a sentence that options may follow in the same line


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
    Letters in brackets may share a line.
    """
    lines = [part for line in text.splitlines() for part in _split_line(line)]
    runs = [run for start in range(len(lines)) if len(run := _run(lines, start)) > 1]
    if not runs:
        return Split(text, ())
    if len(runs) > 1:
        raise BadRequest("The text lists options twice; give them as 'choices'.", param="messages")
    numbers = runs[0]
    options = tuple(option.text for number in numbers if (option := _read(lines[number])))
    rest = lines[: numbers[0]] + lines[numbers[-1] + 1 :]
    return Split("\n".join(rest).strip(), options)


def _split_line(line: str) -> list[str]:
    """Split a line that lists several options into what stands before them, and each of them."""
    marks = list(MARK.finditer(line))
    letters = "".join(mark[1] for mark in marks)
    if len(marks) < 2 or letters not in ascii_uppercase or "?" in line[marks[-1].end() :]:  # a sentence goes on
        return [line]
    before = line[: marks[0].start()].strip()
    if before and not (before.endswith(ENDS) and letters[0] == "A"):
        return [line]
    edges = [mark.start() for mark in marks] + [len(line)]
    options = [line[start:end].rstrip(" \t,;") for start, end in pairwise(edges)]
    return [before, *options] if before else options


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
