"""Parser for options in the text of a question: `(A) Rain` or `A. Rain` a line, or `A. Rain B. A dog` in one.

What marks them may be letters or numbers of many alphabets and styles (`option_marks`).
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from string import ascii_uppercase
from typing import NamedTuple

from services.errors import BadRequest
from services.http.option_marks import ALPHABETS, MarkedLine, read_mark
from services.questions import LONGEST_TEXT

MARK = re.compile(
    r"(?<![^\s？：。！；，])(?:[(（](?P<round>[A-Za-z]|\d\d?)[)）]\s*|\[(?P<square>[A-Za-z]|\d\d?)\]\s*"
    r"|(?P<bare>[A-Za-z]|\d\d?)(?:(?P<sign>[.):])\s+|(?P<wide>[、：．）])\s*))(?=\S)"
)
"""Of an option that may share its line with others: at the begin, after a space or after a full-width sign."""
BETWEEN = re.compile(r"[\s,;，；]+(?:or[\s,;]*)?$")
"""What separates an option from the next in its line, and belongs to neither."""
FOLLOWING = {mark: following for alphabet in ALPHABETS[:3] for mark, following in pairwise(alphabet)}
"""Latin letter or number -> the next one."""
INTRODUCTIONS = ("?", ":", "？", "：", "؟")  # ends of a line that options of any mark may follow
ENDS = (*INTRODUCTIONS, ".", "!", "。", "！")  # of a sentence that options may follow in the same line
LEAST_SHORT = 3  # two numbers in a row stand in many a sentence
IN_WORD = r"[^\s.!?:;。！？：；\"“”«»„]"
SHORT = re.compile(rf"(?=.{{1,40}}$)(?!\d){IN_WORD}+(?:\s+{IN_WORD}+){{0,2}}")
"""An option of one to three words that begins with no digit; a step of an instruction has more words."""
QUOTES = re.compile('["“”«»„]')


class Split(NamedTuple):
    """A question and the options that its text held."""

    question: str
    options: tuple[str, ...]
    """Empty: the text holds none."""
    marks: tuple[str, ...] = ()
    """The letter or number of each option, as the text has it."""


def split_options(text: str) -> Split:
    """Split a text into the question and its options; the question is what stands before and after them.

    Options are two or more lines marked A, B, C and so on in one style, or by numbers or letters of other alphabets;
    empty lines between them do not count. Those that are marked by Latin letters or numbers may share a line. What is
    marked otherwise than by capital letters may be a list of instructions: it lists options behind a question or a
    colon only, or where it is three or more options of a few words in one line that ends the text.
    """
    lines = [part for line in text.splitlines() for part in _split_line(line)]
    runs = list(_find_runs(lines))
    if not runs:
        return _split_short_list(text) or Split(text, ())
    if len(runs) > 1:
        raise BadRequest("The text lists options twice; give them as 'choices'.", param="messages")
    numbers = runs[0]
    options = [option for number in numbers if (option := read_mark(lines[number].strip()))]
    rest = lines[: numbers[0]] + lines[numbers[-1] + 1 :]
    return Split("\n".join(rest).strip(), tuple(one.text for one in options), tuple(one.mark for one in options))


def _find_runs(lines: list[str]) -> Iterator[list[int]]:
    """Yield the numbers of the lines of each list of options."""
    end = 0
    for start in range(len(lines)):
        run = _run(lines, start) if start >= end else []
        if len(run) > 1:
            end = run[-1] + 1
            yield run


class _InlineMark(NamedTuple):
    mark: str
    style: str
    """The signs around the mark."""
    start: int
    end: int


def _split_line(line: str) -> list[str]:
    """Split a line that lists several options into what stands before them, and each of them."""
    marks = _find_longest_run(list(_find_marks(line))) if len(line) <= LONGEST_TEXT else []
    if len(marks) < 2 or any(sign in line[marks[-1].end :] for sign in ("?", "？")):  # a sentence goes on
        return [line]
    before = line[: marks[0].start].strip()
    ends = ENDS if marks[0].mark in ascii_uppercase else INTRODUCTIONS
    if before and not (before.endswith(ends) and _is_first(marks[0])):
        return [line]
    edges = [mark.start for mark in marks] + [len(line)]
    options = [BETWEEN.sub("", line[start:end]) for start, end in pairwise(edges)]
    return [before, *options] if before else options


def _split_short_list(text: str) -> Split | None:
    """Split off the short options that end a text behind a sentence, such as `Listen. 1. Dog 2. Cat 3. Cow`.

    Steps to take are sentences and numbers in a transcript stand in quotes or go on; neither is split, nor decimals.
    """
    body = text.rstrip()
    line = body[body.rfind("\n") + 1 :]
    marks = _find_longest_run(list(_find_marks(line))) if len(line) <= LONGEST_TEXT else []
    if len(marks) < LEAST_SHORT or not _is_first(marks[0]):
        return None
    before = body[: len(body) - len(line) + marks[0].start].rstrip()
    edges = [mark.end for mark in marks], [mark.start for mark in marks[1:]] + [len(line)]
    options = tuple(BETWEEN.sub("", line[start:end]).strip() for start, end in zip(*edges, strict=True))
    options = (*options[:-1], options[-1].removesuffix("."))
    if not before.endswith(ENDS) or len(QUOTES.findall(before)) % 2 or not all(map(SHORT.fullmatch, options)):
        return None
    return Split(before, options, tuple(one.mark for one in marks))


def _find_marks(line: str) -> Iterator[_InlineMark]:
    for match in MARK.finditer(line):
        mark = match["round"] or match["square"] or match["bare"]
        style = "()" if match["round"] else "[]" if match["square"] else match["sign"] or match["wide"]
        yield _InlineMark(mark, style, match.start(), match.end())


def _find_longest_run(marks: list[_InlineMark]) -> list[_InlineMark]:
    """Return the most marks of one style that follow one another; others, such as initials, lie within options.

    A run that begins with another mark than the first goes on with the options of the line before: it begins the line.
    """
    places: dict[tuple[str, str], list[int]] = {}
    for number, mark in enumerate(marks):
        places.setdefault((mark.style, mark.mark), []).append(number)
    best: list[int] = []
    for start, first in enumerate(marks):
        if start and not _is_first(first):
            continue
        run = [start]
        while (following := _find_next(places, marks[run[-1]], run[-1])) is not None:
            run.append(following)
        best = run if len(run) > len(best) else best
    return [marks[number] for number in best]


def _find_next(places: Mapping[tuple[str, str], Sequence[int]], one: _InlineMark, at: int) -> int | None:
    """Return where the mark that follows `one`, which is at `at`, comes next in the same style."""
    later = places.get((one.style, FOLLOWING.get(one.mark, "")), ())
    place = bisect_right(later, at)
    return later[place] if place < len(later) else None


def _is_first(one: _InlineMark) -> bool:
    return any(one.mark == alphabet[0] for alphabet in ALPHABETS)


def _run(lines: list[str], start: int) -> list[int]:
    """Return the numbers of the lines that mark options from the first mark of an alphabet on, the first at `start`."""
    first = read_mark(lines[start].strip())
    if first is None:
        return []
    alphabets = [one for one in ALPHABETS if first.place_in(one) == 0]
    runs = [_follow(lines, start, first, alphabet) for alphabet in alphabets if _may_begin(lines[:start], alphabet)]
    return max(runs, key=len, default=[])


def _may_begin(before: list[str], alphabet: tuple[str, ...]) -> bool:
    """Say whether options may begin behind these lines."""
    last = next((line.strip() for line in reversed(before) if line.strip()), "")
    return alphabet == ALPHABETS[0] or last.endswith(INTRODUCTIONS)


def _follow(lines: list[str], start: int, first: MarkedLine, alphabet: tuple[str, ...]) -> list[int]:
    numbers = [start]
    for number in range(start + 1, len(lines)):
        line = lines[number].strip()
        if not line:
            continue
        option = read_mark(line)
        if option is None or option.style != first.style or option.place_in(alphabet) != len(numbers):
            break
        numbers.append(number)
    return numbers
