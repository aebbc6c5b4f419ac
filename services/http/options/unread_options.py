"""Options in the text of a question that cannot be read: what seems to list some is warned of."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from services.http.options.answer_words import make_pattern_of_any, read_answer_words
from services.http.options.option_lines import Split
from services.http.options.option_literals import holds_list
from services.http.options.option_marks import ALPHABETS, CIRCLES, HALF_WIDTH, INVISIBLE, fold_mark, read_circle

TOKEN = re.compile(
    rf"(?:(?<=\s)|\A)[(\[*_`\"'“]{{0,3}}([^\W\d_]|\d{{1,2}})(?:[)\].:、*_`\"'”]{{1,3}}(?!\d)|\s?[=＝→](?=\s?[^\W\d]))|([{CIRCLES}])"
)
FIRST = re.compile(r"\W*([^\W\d_]|\d{1,2})(?!\w)")
BULLET = re.compile(r"[-*•·▪●○◦‣]\s+\S")
UNREAD_OPTIONS = (
    "The question looks as if it listed options, but none could be read, so it was answered as an open question; "
    "give them as 'choices', or each on a line of its own, as '(A) …'."
)
LEFT_OPTIONS = (
    "The question looks as if it listed more options than the {num} that were read: other lines are marked like them; "
    "give all as 'choices'."
)

EXAMPLES_LEFT_OUT = (
    "Questions that are answered already, as examples before the one that is asked, are left out: {num}."
)


def warn_of_unread_options(split: Split) -> tuple[str, ...]:
    """Return warnings where a text from which options were split seems to list others, or held examples."""
    examples = (EXAMPLES_LEFT_OUT.format(num=split.num_examples),) if split.num_examples else ()
    if split.options:
        return examples if split.is_whole else (*examples, LEFT_OPTIONS.format(num=len(split.options)))
    return (UNREAD_OPTIONS,) if _seems_to_list_options(split.question) else ()


def _seems_to_list_options(text: str) -> bool:
    """Say whether a text looks as if it listed options: under a heading, as a list, or one mark after the other."""
    lines = [line.strip().lstrip(INVISIBLE) for line in text.splitlines() if line.strip()]
    heading = re.compile(rf"{make_pattern_of_any(read_answer_words().options_label)}\s?[:：]", re.IGNORECASE)
    return (
        any(heading.search(line) for line in lines)
        or sum(bool(BULLET.match(line)) for line in lines) > 1
        or holds_list(text)
        or _have_a_row([mark for line in lines if (mark := _read_first(line))])
        or _have_a_row([mark for line in lines for mark in _list_inside(line)])
    )


def _read_first(line: str) -> str | None:
    """Return the letter or number that a line begins with, whatever signs are around it."""
    found = FIRST.match(line.translate(HALF_WIDTH).replace("\ufe0f", "").replace("\u20e3", " "))
    return found[1] if found else read_circle(line[0]) if re.match(rf"[{CIRCLES}]", line) else None


def _list_inside(line: str) -> Iterator[str]:
    for found in TOKEN.finditer(line.translate(HALF_WIDTH)):
        yield found[1] or read_circle(found[2])


def _have_a_row(marks: Sequence[str]) -> bool:
    """Say whether two marks follow one another that do so in an alphabet too."""
    rows = {pair for alphabet in ALPHABETS for pair in pairwise(alphabet)}
    return any(pair in rows for pair in pairwise(map(fold_mark, marks)))
