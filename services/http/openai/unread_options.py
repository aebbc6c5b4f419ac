"""Options in the text of a question that cannot be read: what seems to list some is warned of."""

import re
from collections.abc import Sequence

from services.http.openai.answer_words import make_pattern_of_any, read_answer_words
from services.http.option_marks import read_mark

IN_LINE = re.compile(r"(?:(?<=\s)|\A)[(\[]?(?:[A-Za-z]|\d{1,2})[.)\]:]\s")
BULLET = re.compile(r"[-*•·▪●○◦‣]\s+\S")
UNREAD_OPTIONS = (
    "The question looks as if it listed options, but none could be read, so it was answered as an open question; "
    "give them as 'choices', or each on a line of its own, as '(A) …'."
)


def warn_of_unread_options(text: str) -> tuple[str, ...]:
    """Return a warning where a text in which no options were read seems to list some; else nothing."""
    return (UNREAD_OPTIONS,) if _seems_to_list_options(text) else ()


def _seems_to_list_options(text: str) -> bool:
    """Say whether a text looks as if it listed options: under a heading, as a list, or one mark after the other."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    heading = re.compile(rf"{make_pattern_of_any(read_answer_words().options_label)}\s?[:：]", re.IGNORECASE)
    return (
        any(heading.search(line) for line in lines)
        or sum(bool(BULLET.match(line)) for line in lines) > 1
        or len(_list_marks(lines)) > 1
    )


def _list_marks(lines: Sequence[str]) -> set[str]:
    """Return the different marks that lines begin with, or hold."""
    begun = {marked.mark for line in lines if (marked := read_mark(line)) and len(marked.mark) == 1}
    return begun | {re.sub(r"\W", "", mark) for line in lines for mark in IN_LINE.findall(line)}
