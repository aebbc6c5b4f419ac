"""Options and answers of a row, in the ways that files write them: lists, letters, places, or inside the question."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import ascii_lowercase
from typing import NamedTuple
from unicodedata import normalize

from eval.benchmarks.fields import AnswerForm, letter_place
from services.json_lines import format_id
from services.questions import OWN_LETTER

MARK = re.compile(r"(?<!\S)(?:[(（]([^\W_])[)）]|([^\W_])[.):、．：])\s*(?=\S)")
"""Of an option inside a text, as in "(a) a dog (b) a cat", "A. a dog B. a cat" or "1) a dog 2) a cat"."""
SEQUENCES = (ascii_lowercase, "123456789")
TEXT_KEYS = ("text", "content", "value", "option", "choice")


class AskedText(NamedTuple):
    """What a row asks."""

    question: str
    options: tuple[str, ...]
    """As published, with the empty ones; none: an open question."""


def read_options(value: object) -> tuple[str, ...]:
    """Return the options that a field holds: a list, an object from letters to texts, or a text that lists them."""
    if isinstance(value, Mapping):
        listed = value.get("text")
        if isinstance(listed, list):  # as in ARC: {"text": [...], "label": [...]}
            return tuple(map(format_text, listed))
        return tuple(format_text(text) for _, text in sorted(value.items()))
    if isinstance(value, list):
        return tuple(map(format_text, value))
    return _split_cell(value) if isinstance(value, str) else ()


def format_text(value: object) -> str:
    """Return the text of a value: numbers and truth values as they are read aloud, an object by its text."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in TEXT_KEYS if key in value), value)
    value = "" if value is None else format_id(value)
    return value if isinstance(value, str) else str(value)


def _split_cell(cell: str) -> tuple[str, ...]:
    """Return the options of one cell; they are written as JSON, as Python, lettered, or with a mark between."""
    if cell.lstrip().startswith(("[", "{")):
        parsed = _parse_literal(cell)
        return read_options(parsed) if isinstance(parsed, list | Mapping) else ()
    if (lettered := split_inline(cell)) and not lettered.question:
        return lettered.options
    separator = next((mark for mark in ("|", ";", "\n") if mark in cell), ",")
    parts = tuple(part.strip() for part in cell.split(separator))
    return parts if len(parts) > 1 else ()


def _parse_literal(cell: str) -> object:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def split_inline(text: str) -> AskedText | None:
    """Split a text that ends in lettered options, such as "What is heard? (a) a dog (b) a cat"; None where none do.

    The letters run from the last A in one style; a mark out of order belongs to an option, as in "(c) J. S. Bach".
    """
    by_style: defaultdict[tuple[bool, bool], list[re.Match[str]]] = defaultdict(list)
    for mark in MARK.finditer(text):
        by_style[bool(mark[1]), _sign(mark).isupper()].append(mark)
    runs = [run for marks in by_style.values() for signs in SEQUENCES if len(run := _find_run(marks, signs)) > 1]
    if not runs:
        return None
    run = max(runs, key=len)
    edges = [*((mark.start(), mark.end()) for mark in run), (len(text), len(text))]
    options = tuple(text[left[1] : right[0]].strip(" \t\r\n,;") for left, right in pairwise(edges))
    return AskedText(text[: edges[0][0]].strip(), options)


def _find_run(marks: Sequence[re.Match[str]], signs: str) -> list[re.Match[str]]:
    """Return the marks that follow each other in order, from the last one with the first sign."""
    starts = [place for place, mark in enumerate(marks) if _sign(mark).lower() == signs[0]]
    run: list[re.Match[str]] = []
    for mark in marks[starts[-1] :] if starts else ():
        if len(run) < len(signs) and _sign(mark).lower() == signs[len(run)]:
            run.append(mark)
    return run


def _sign(mark: re.Match[str]) -> str:
    """Return the letter or digit of a mark; a full-width one is as any other."""
    return normalize("NFKC", mark[1] or mark[2])


def find_answer(answer: object, options: Sequence[str], form: AnswerForm) -> int | None:
    """Return the place of the right option among all published ones, from 0; None where the answer is none of them."""
    if form == "first":
        return 0 if options else None
    if form != "text":
        place = read_integer(answer)
        place = None if place is None else place - (form == "index1")
        return place if place is not None and 0 <= place < len(options) else None
    text = format_text(answer)
    if text in options:
        return options.index(text)
    return _find_lettered(text, options)


def _find_lettered(text: str, options: Sequence[str]) -> int | None:
    """Return the place of an answer that is a letter, carries its letter, or differs in case, spaces or a full stop."""
    bare = [_strip_mark(option) for option in options]
    found = [place for place, option in enumerate(bare) if option == _strip_mark(text)]
    if len(found) == 1 and bare[found[0]]:
        return found[0]
    letter = letter_place(text, len(options))
    if letter is None and found and (marked := OWN_LETTER.fullmatch(text)):  # "(b) yes" where "yes" stands there twice
        letter = letter_place(marked[1] or marked[2] or marked[3], len(options))
    return letter


def _strip_mark(text: str) -> str:
    """Return a text without a letter before it, in small letters and single spaces."""
    marked = OWN_LETTER.fullmatch(text)
    return " ".join((marked[4] if marked else text).casefold().split()).rstrip(".")


def read_integer(value: object) -> int | None:
    """Return an integer that is written as such, as 2.0 or as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if value == int(value) else None
    digits = re.fullmatch(r"\s*(\d{1,3})(?:\.0)?\s*", value) if isinstance(value, str) else None
    return int(digits[1]) if digits else None
