"""Parser for options in the text of a question: `(A) Rain` or `A. Rain` a line, or `A. Rain B. A dog` in one.

What marks them may be letters or numbers of many alphabets and styles (`option_marks`).
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from string import ascii_uppercase
from typing import NamedTuple

from services.errors import BadRequest
from services.http.options.beside_options import (
    asks_to_choose,
    drop_full_stop,
    drop_options_label,
    find_answer_line,
    is_lettered,
    split_request,
)
from services.http.options.option_literals import find_literal
from services.http.options.option_marks import ALPHABETS, CIRCLES, MarkedLine, fold_mark, read_circle, read_mark
from services.questions import LONGEST_TEXT

INLINE = "".join(sorted({mark for mark in chain(*ALPHABETS) if len(mark) == 1 and not mark.isdecimal()}))
MARK = re.compile(
    r"(?<![^\s？：。！；，、/|])(?:\*\*|__)?"
    rf"(?:[(（](?P<round>[{INLINE}]|\d\d?)[)）]|[\[【](?P<square>[{INLINE}]|\d\d?)[\]】]"
    rf"|(?P<bare>[{INLINE}]|\d\d?)(?:(?P<sign>[.):])(?=\*\*|__|\s|[^\W\d])|(?P<wide>[、：．）])"
    rf"|\s?(?P<joint>[=＝→])|\s(?P<dash>[-–—])(?=\s)))"
    rf"(?:\*\*|__)?\s*(?=\S)|（(?P<wide_round>[{INLINE}]|\d\d?)）\s*(?=\S)|(?P<circle>[{CIRCLES}])\ufe0f?\s*(?=\S)"
)
"""Of an option that may share its line with others: at the begin, after a space or after a full-width sign."""
INTRODUCTIONS = ("?", ":", "？", "：", "؟")  # ends of a line that options of any mark may follow
JOINTS = "=＝→-–—"
"""Signs behind a mark that stand in formulas and sentences too: options so marked follow a question or a colon only."""
IN_BRACKETS = re.compile(rf"(.*[{re.escape(''.join(INTRODUCTIONS))}]\s*)[(（]([^()（）]*)[)）][.。]?\s*")
"""Options that share a pair of brackets behind a question."""
BETWEEN = re.compile(r"[\s,;，；/|]+(?:or[\s,;]*)?$")
"""What separates an option from the next in its line, and belongs to neither."""
SEPARATOR = re.compile(r"[,;，；/|]\s*\Z")
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
FOLLOWING = {
    number: dict(pairwise(alphabet)) for number, alphabet in enumerate(ALPHABETS) if max(map(len, alphabet)) < 3
}
"""Number of an alphabet -> its marks, each with the next one."""
MOST_CHARACTERS = 2 * LONGEST_TEXT  # of a text that is split: a question, and what is said beside it
MOST_LINES = 20  # of an option that goes on over several
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
    is_whole: bool = True
    """Whether no line beside the options is marked as they are, which may be an option that could not be read."""
    num_examples: int = 0
    """How many questions that are answered already stood before this one; they are left out."""


class _Run(NamedTuple):
    """Lines that list options."""

    starts: tuple[int, ...]
    """The number of the line at which each option begins."""
    end: int
    """The number of the line behind the last option."""


def split_options(text: str) -> Split:
    """Split a text into the question and its options; the question is what stands before and after them.

    Options are two or more lines marked A, B, C and so on in one style, or by numbers or letters of other alphabets;
    empty lines between them do not count, and what stands between two of them goes on with the first. Marked by single
    letters or numbers they may share a line. What is marked otherwise than by capital letters may be a list of
    instructions: it lists options behind a question, a colon or a request to choose only, or where it is three or more
    options of a few words in one line that ends the text. A list of texts in brackets is read too, as programs write
    it. A text that is too long to be asked is left as it is.

    Of several lists the only one marked by capital letters holds the options; the others are statements to judge, or
    steps. Questions that are answered already, each with its options, are examples before the one that is asked.
    """
    if len(text) > MOST_CHARACTERS:
        return Split(text, ())
    lines = [part for line in BREAK.sub("\n", text).splitlines() for part in _split_line(line)]
    runs = list(_find_runs(lines))
    if not runs:
        literal = find_literal(text)
        return Split(*literal) if literal else _split_short_list(text) or Split(text, ())
    lines, (starts, end), num_examples = _find_asked(lines, runs)
    blocks = [lines[first:last] for first, last in pairwise((*starts, end))]
    marked = [one for block in blocks if (one := read_mark("\n".join(block[:1]).strip()))]
    texts = ["\n".join([one.text, *block[1:]]).strip() for one, block in zip(marked, blocks, strict=True)]
    rest = lines[: starts[0]] + lines[end:]
    return Split(
        "\n".join(rest).strip(),
        tuple(_drop_separators(texts)),
        tuple(one.mark for one in marked),
        is_whole=not any(_looks_alike(line, marked) for line in rest),
        num_examples=num_examples,
    )


class _AskedOptions(NamedTuple):
    lines: list[str]
    run: _Run
    """Where the options are in these lines."""
    num_examples: int = 0


def _find_asked(lines: list[str], runs: list[_Run]) -> _AskedOptions:
    """Return the list that holds the options, with the lines of its question."""
    if len(runs) == 1:
        return _AskedOptions(lines, runs[0])
    lettered = [run for run in runs if is_lettered(lines[run.starts[0]])]
    if len(lettered) == 1:
        return _AskedOptions(lines, lettered[0])
    answers = [find_answer_line(lines, run.end) for run in runs]
    if None in answers[:-1] or answers[-1] is not None:
        raise BadRequest("The text lists options twice; give them as 'choices'.", param="messages")
    start = (answers[-2] or 0) + 1
    last = runs[-1]
    run = _Run(tuple(place - start for place in last.starts), last.end - start)
    return _AskedOptions(lines[start:], run, len(runs) - 1)


def _drop_separators(texts: list[str]) -> list[str]:
    """Return options without the sign that separates each from the next, where all but the last end with one."""
    if not all(map(SEPARATOR.search, texts[:-1])):
        return texts
    return [SEPARATOR.sub("", one) for one in texts]


def _looks_alike(line: str, options: Sequence[MarkedLine]) -> bool:
    """Say whether a line is marked as options are and near them in the alphabet, or as the next in another style."""
    one = read_mark(line.strip())
    if one is None:
        return False
    allowed = range(len(options) + 2) if one.style == options[0].style else (len(options),)
    return any(options[0].place_in(alphabet) == 0 and one.place_in(alphabet) in allowed for alphabet in ALPHABETS)


def _find_runs(lines: list[str]) -> Iterator[_Run]:
    """Yield each list of options."""
    end = 0
    for start in range(len(lines)):
        run = _run(lines, start) if start >= end else None
        if run and len(run.starts) > 1:
            end = run.end
            yield run


class _InlineMark(NamedTuple):
    mark: str
    style: str
    """The signs around the mark."""
    start: int
    end: int


def _split_line(line: str) -> list[str]:
    """Split a line that lists several options into what stands before them, and each of them."""
    line = _open_brackets(line)
    marks = _find_longest_run(list(_find_marks(line))) if len(line) <= LONGEST_TEXT else []
    if len(marks) < 2 or any(sign in line[marks[-1].end :] for sign in ("?", "？")):  # a sentence goes on
        return [line]
    before = drop_options_label(line[: marks[0].start].strip())
    ends = ENDS if marks[0].mark in ascii_uppercase and marks[0].style not in JOINTS else INTRODUCTIONS
    if before and not (before.endswith(ends) and _is_first(marks[0])):
        return [line]
    edges = [mark.start for mark in marks] + [len(line)]
    options = [BETWEEN.sub("", line[start:end]) for start, end in pairwise(edges)]
    last, told = split_request(options[-1])
    if not any(split_request(one).told for one in options[:-1]):
        options[-1:] = [drop_full_stop(last, options[:-1]), told]
    return [part for part in (before, *options) if part]


def _open_brackets(line: str) -> str:
    """Return a line without the brackets around all of its options, such as `Which? (A = man, B = woman)`."""
    found = IN_BRACKETS.fullmatch(line) if len(line) <= LONGEST_TEXT else None
    if found is None:
        return line
    marks = _find_longest_run(list(_find_marks(found[2])))
    return found[1] + found[2] if len(marks) > 1 and _is_first(marks[0]) and not marks[0].start else line


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
        mark = match["round"] or match["wide_round"] or match["square"] or match["bare"]
        style = "()" if match["round"] or match["wide_round"] else "[]" if match["square"] else ""
        style = style or match["sign"] or match["wide"] or match["joint"] or match["dash"] or "circled"
        mark = fold_mark(mark) if mark else read_circle(match["circle"])
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
        for following in FOLLOWING.values():
            if first.mark not in following:
                continue
            run = [start]
            while (after := _find_next(places, marks[run[-1]], run[-1], following)) is not None:
                run.append(after)
            best = run if len(run) > len(best) else best
    return [marks[number] for number in best]


def _find_next(
    places: Mapping[tuple[str, str], Sequence[int]], one: _InlineMark, at: int, following: Mapping[str, str]
) -> int | None:
    """Return where the mark that follows `one`, which is at `at`, comes next in the same style."""
    later = places.get((one.style, following.get(one.mark, "")), ())
    place = bisect_right(later, at)
    return later[place] if place < len(later) else None


def _is_first(one: _InlineMark) -> bool:
    return any(one.mark == alphabet[0] for alphabet in ALPHABETS)


def _run(lines: list[str], start: int) -> _Run | None:
    """Return the lines that list options from the first mark of an alphabet on, which is at `start`."""
    first = read_mark(lines[start].strip())
    if first is None:
        return None
    alphabets = [one for one in ALPHABETS if first.place_in(one) == 0]
    runs = [_follow(lines, start, first, alphabet) for alphabet in alphabets if _may_begin(lines[:start], alphabet)]
    return max(runs, key=lambda run: len(run.starts), default=None)


def _may_begin(before: list[str], alphabet: tuple[str, ...]) -> bool:
    """Say whether options may begin behind these lines."""
    last = next((line.strip() for line in reversed(before) if line.strip()), "")
    return alphabet == ALPHABETS[0] or last.endswith(INTRODUCTIONS) or asks_to_choose(last)


def _follow(lines: list[str], start: int, first: MarkedLine, alphabet: tuple[str, ...]) -> _Run:
    starts = [start]
    while (found := _find_following(lines, starts[-1], len(starts), first.style, alphabet)) is not None:
        starts.append(found)
    end = starts[-1] + 1
    depth = _measure_indent(lines[starts[-1]])
    while end < len(lines) and lines[end].strip() and _measure_indent(lines[end]) > depth:
        end += 1
    return _Run(tuple(starts), end)


def _find_following(lines: list[str], at: int, place: int, style: str, alphabet: tuple[str, ...]) -> int | None:
    """Return the line that marks option number `place`; in between, the option at line `at` may go on."""
    num_between = 0
    for number in range(at + 1, len(lines)):
        line = lines[number].strip()
        option = read_mark(line) if line else None
        here = option.place_in(alphabet) if option and option.style == style else None
        if here is not None:
            return number if here == place else None
        num_between += bool(line)
        if num_between > MOST_LINES:
            return None
    return None


def _measure_indent(line: str) -> int:
    return len(line) - len(line.lstrip())
