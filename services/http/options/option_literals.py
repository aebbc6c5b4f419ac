"""Options as programs print a list or a mapping of texts: `['Rain', 'A dog']`, `{"A": "Rain", "B": "A dog"}`.

Prompts of MMAU, MMAR and other audio benchmarks list their options so.
"""

import re
from itertools import islice
from typing import NamedTuple

from services.http.options.answer_words import compile_any, read_answer_words

TEXT = r"(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|“[^”\n]*”)"
MARK = r"['\"]?(?:[A-Za-z]|\d\d?)['\"]?"
LIST = re.compile(rf"(?P<open>[\[(])\s*{TEXT}(?:\s*,\s*{TEXT})+\s*,?\s*[\])]")
MAPPING = re.compile(rf"\{{\s*{MARK}\s*:\s*{TEXT}(?:\s*,\s*{MARK}\s*:\s*{TEXT})+\s*,?\s*\}}")
ITEM = re.compile(rf"(?:({MARK})\s*:\s*)?({TEXT})")
SENTENCE_END = re.compile(r"[.!?。！？؟]\s+|[。！？]|\n")
QUESTION_MARKS = ("?", "？", "؟")
MOST_LISTS = 10
LONGEST_SENTENCE = 300  # characters before a list that may say what it lists
OF_CODE = ("=", '":', "':")  # of a list that has a name


class Literal(NamedTuple):
    """A question and its options."""

    question: str
    options: tuple[str, ...]
    marks: tuple[str, ...]


def find_literal(text: str) -> Literal | None:
    """Find the list of options in a text: the only one that stands behind a question, or behind words for options."""
    lists = [one for pattern in (LIST, MAPPING) for one in islice(pattern.finditer(text), MOST_LISTS)]
    found = [one for one in lists if _lists_options(text, one.start())]
    if len(found) != 1:
        return None
    items = ITEM.findall(found[0][0])
    options = tuple(re.sub(r"\\(.)", r"\1", item[1:-1]) for _, item in items)
    marks = tuple(mark.strip("'\"") for mark, _ in items if mark)
    return Literal(_drop(text, found[0].start(), found[0].end()), options, marks)


def holds_list(text: str) -> bool:
    """Say whether a text holds a list of texts, whatever it lists."""
    return bool(LIST.search(text) or MAPPING.search(text))


def _lists_options(text: str, start: int) -> bool:
    before, words = text[:start].rstrip(), read_answer_words()
    if before.endswith(OF_CODE):
        return False
    return before.endswith(QUESTION_MARKS) or bool(
        compile_any(words.option + words.options_label).search(text[_find_sentence(text, start) : start])
    )


def _find_sentence(text: str, at: int) -> int:
    """Return where the sentence begins that goes on at a place."""
    first = max(0, at - LONGEST_SENTENCE)
    return first + max((end.end() for end in SENTENCE_END.finditer(text[first:at].rstrip())), default=0)


def _drop(text: str, start: int, end: int) -> str:
    """Return a text without a list, and without the sentence that only introduces it."""
    begin = _find_sentence(text, start)
    behind = re.sub(r"\A\s*[.。]", "", text[end:])
    around = (text[:begin].rstrip(), behind.strip())
    if any(around) and not text[:start].rstrip().endswith(QUESTION_MARKS):
        return "\n".join(filter(None, around))
    return (text[:start].rstrip() + behind).strip()
