"""What prompts write beside options: requests behind the last one in its line, and answers of solved examples."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from services.http.options.answer_words import compile_any, make_pattern_of_any, read_answer_words
from services.http.options.option_marks import ALPHABETS, read_mark

SENTENCE_END = re.compile(r"(?<=[.!?][\"'”’)])\s+|(?<=[.!?])\s+|(?<=[。！？])\s*(?=\S)")
FULL_STOP = re.compile(r"(?<=[^\W\d_]{2})\.\Z|。\Z")  # behind a word, not as in "U.S."
LONGEST_ANSWER = 200  # characters of a line that answers an example
LEAST_WORDS = 2  # of a request


class Requested(NamedTuple):
    """The last option of a line, and what is requested behind it."""

    option: str
    told: str
    """Empty: nothing."""


def split_request(option: str) -> Requested:
    """Split off the sentences behind an option from the first on that says how to answer."""
    for end in SENTENCE_END.finditer(option):
        sentence = option[end.end() :]
        if _is_request(sentence):
            return Requested(option[: end.start()].rstrip(), sentence)
    return Requested(option, "")


def _is_request(text: str) -> bool:
    begins = _compile_request().match(text)
    return bool(begins) and (len(text.split()) >= LEAST_WORDS or not text.isascii())


def drop_full_stop(option: str, others: Sequence[str]) -> str:
    """Return the last option of a line without the full stop that ends the line, where no other option has one."""
    return option if any(map(FULL_STOP.search, others)) else FULL_STOP.sub("", option)


def drop_options_label(text: str) -> str:
    """Return what stands before options in their line without "Options:", where a sentence ends before that."""
    label = make_pattern_of_any(read_answer_words().options_label)
    found = re.search(rf"(?<=[.!?。！？؟:：])\s*{label}\s?[:：]\Z", text, re.IGNORECASE)
    return text[: found.start()] if found else text


def asks_to_choose(line: str) -> bool:
    """Say whether the last sentence of a line asks to take one of what follows."""
    last = SENTENCE_END.split(line.strip())[-1]
    return bool(compile_any(read_answer_words().choose).search(last))


def is_lettered(line: str) -> bool:
    """Say whether a line begins with the mark of a first option as most lists have it, a capital A."""
    mark = read_mark(line.strip())
    return mark is not None and mark.place_in(ALPHABETS[0]) == 0


def find_answer_line(lines: Sequence[str], start: int) -> int | None:
    """Return the line behind options that answers their question, as in an example; None where none does."""
    number = next((number for number in range(start, len(lines)) if lines[number].strip()), None)
    if number is None or len(lines[number]) > LONGEST_ANSWER:
        return None
    letter = compile_any(read_answer_words().letter)
    is_template = letter.search(lines[number]) or "$" in lines[number] or "<" in lines[number]
    return None if is_template or not _compile_answer().match(lines[number]) else number


@cache
def _compile_request() -> re.Pattern[str]:
    """Compile the beginning of a sentence that says how to answer, whatever politeness is before it."""
    return re.compile(rf"(?:[^\W\d_]{{1,10}},?\s+)?{make_pattern_of_any(read_answer_words().ask)}", re.IGNORECASE)


@cache
def _compile_answer() -> re.Pattern[str]:
    """Compile the beginning of an answer with its label: "Answer: B", "The answer is (B)", "Assistant: B"."""
    words = read_answer_words()
    return re.compile(
        rf"\W{{0,5}}{make_pattern_of_any(words.replier)}\W{{0,3}}[:：>\]]\W{{0,4}}\w|\W{{0,5}}(?:[^\W\d_]{{1,10}}\s){{0,2}}(?:{make_pattern_of_any(words.answer)}|A\b)"
        rf"\W{{0,4}}(?:[:：]|{make_pattern_of_any(words.copula)})\W{{0,4}}\w",
        re.IGNORECASE,
    )
