"""MMAU-Pro's instructions: rules about the form of a reply, as its own script verifies them.

Behaviour as evaluate_aif_sample of evaluate_mmau_pro_comprehensive.py (sonalkum/MMAUPro @ 960e93a). What it gets wrong,
and our strict verdict does not: a required or forbidden word counts inside another ("art" in "start"), and beginnings
and ends are compared without digits and signs, so that a phrase of signs alone is always there.
"""

import re
from collections.abc import Mapping

from eval.scoring.instructions import Check, Instruction, InstructionRule, count_sentences, list_words


def _count_whole(reply: str, word: str) -> int:
    return len(re.findall(rf"\b{re.escape(word.lower())}\b", reply.lower()))


def _count_capitals(reply: str) -> int:
    return sum(word.isupper() for word in reply.split())


def _count_words(reply: str) -> int:
    return len(reply.split())


def _count_parts(reply: str, splitter: str) -> int:
    return sum(bool(part.strip()) for part in re.split(rf"\s*{re.escape(splitter)}\s*", reply.strip()))


def _keep_letters(text: str, others: str = "") -> str:
    return re.sub(rf"[^a-zA-Z{others}]", "", text).lower()


def _has_two(reply: str, _: Instruction) -> bool:
    parts = [part.lower().strip() for part in reply.split("******")]
    return len(parts) == 2 and parts[0] != parts[1]


def _is_quoted(reply: str, _: Instruction) -> bool:
    bare = reply.strip()
    return bare.startswith('"') and bare.endswith('"')


def _require(num: int | None) -> int:
    assert num is not None
    return num


def _is_within(num: int, one: Instruction) -> bool:
    return _require(one.num_min) <= num <= _require(one.num_max)


N, RANGE = ("num",), ("num_min", "num_max")
MMAU_PRO: Mapping[str, InstructionRule] = {
    "Include Keywords": InstructionRule(
        lambda reply, one: all(word.lower() in reply.lower() for word in list_words(one.keywords)), ("keywords",)
    ),
    "Keyword Frequency": InstructionRule(
        lambda reply, one: _count_whole(reply, one.keyword or "") == one.num, ("keyword", "num")
    ),
    "Forbidden Words": InstructionRule(
        lambda reply, one: not any(word.lower() in reply.lower() for word in list_words(one.forbidden_words)),
        ("forbidden_words",),
    ),
    "Number Paragraphs": InstructionRule(lambda reply, one: _count_parts(reply, "***") == one.num, N),
    "Number Words (at least)": InstructionRule(lambda reply, one: _count_words(reply) >= _require(one.num), N),
    "Number Words (at most)": InstructionRule(lambda reply, one: _count_words(reply) <= _require(one.num), N),
    "Number Words (range)": InstructionRule(lambda reply, one: _is_within(_count_words(reply), one), RANGE),
    "Number Sentences (at least)": InstructionRule(lambda reply, one: count_sentences(reply) >= _require(one.num), N),
    "Number Sentences (at most)": InstructionRule(lambda reply, one: count_sentences(reply) <= _require(one.num), N),
    "Number Sentences (range)": InstructionRule(lambda reply, one: _is_within(count_sentences(reply), one), RANGE),
    "Postscript": InstructionRule(
        lambda reply, one: _keep_letters(one.postscript_marker or "") in _keep_letters(reply), ("postscript_marker",)
    ),
    "Number Placeholder": InstructionRule(
        lambda reply, one: len(re.findall(r"\[[^\]]+\]", reply)) >= _require(one.num), N
    ),
    "Number Bullets": InstructionRule(lambda reply, one: len(re.findall(r"(?:^|\n)\s*\*\s+", reply)) == one.num, N),
    "Title": InstructionRule(lambda reply, _: bool(re.search(r"<<[^>]+>>", reply))),
    "Minimum Number Highlighted Section": InstructionRule(
        lambda reply, one: len(re.findall(r"\*([^*]+)\*", reply)) >= _require(one.num), N
    ),
    "Multiple Sections": InstructionRule(
        lambda reply, one: _count_parts(reply, one.section_splitter or "") == one.num, ("section_splitter", "num")
    ),
    "Repeat Prompt": InstructionRule(
        lambda reply, one: reply.strip().lower().startswith((one.prompt or "").strip().lower()), ("prompt",)
    ),
    "Two Responses": InstructionRule(_has_two),
    "All Uppercase": InstructionRule(lambda reply, _: reply.isupper()),
    "All Lowercase": InstructionRule(lambda reply, _: reply.islower()),
    "All-capital Words (at least)": InstructionRule(lambda reply, one: _count_capitals(reply) >= _require(one.num), N),
    "All-capital Words (at most)": InstructionRule(lambda reply, one: _count_capitals(reply) <= _require(one.num), N),
    "All-capital Words (range)": InstructionRule(lambda reply, one: _is_within(_count_capitals(reply), one), RANGE),
    "Start Checker": InstructionRule(
        lambda reply, one: _keep_letters(reply, " ").startswith(_keep_letters(one.start_phrase or "", " ")),
        ("start_phrase",),
    ),
    "End Checker": InstructionRule(
        lambda reply, one: _keep_letters(reply, " ").endswith(_keep_letters(one.end_phrase or "", " ")),
        ("end_phrase",),
    ),
    "Quotation": InstructionRule(_is_quoted),
    "No Commas": InstructionRule(lambda reply, _: "," not in reply),
}


def _strip_marks(text: str) -> str:
    """Return a text in small letters and single spaces, without quotes and signs around it."""
    return " ".join(text.casefold().split()).strip(" \"'*.!?,;:")


MMAU_PRO_STRICTER: Mapping[str, Check] = {
    "Include Keywords": lambda reply, one: all(_count_whole(reply, word) for word in list_words(one.keywords)),
    "Forbidden Words": lambda reply, one: (
        not any(_count_whole(reply, word) for word in list_words(one.forbidden_words))
    ),
    "Start Checker": lambda reply, one: _strip_marks(reply).startswith(_strip_marks(one.start_phrase or "")),
    "End Checker": lambda reply, one: _strip_marks(reply).endswith(_strip_marks(one.end_phrase or "")),
    "Quotation": lambda reply, _: len(reply.strip()) > 1 and reply.strip()[0] == reply.strip()[-1] == '"',
}
"""What our strict verdict asks instead."""
