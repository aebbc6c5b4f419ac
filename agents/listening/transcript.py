"""Answers that a transcript holds in itself: a count of words, a sum of numbers, or the option that was spoken.

`agents.listening.tools` uses it for questions about speech only: for any other, words in a recording are not evidence.
"""

import re
from difflib import SequenceMatcher
from functools import cache

from agents.listening.findings import NUMBERS
from services.digest import hash_modules
from services.types import Evidence, Label, Question

MIN_SPOKEN = 0.6  # share of an option's words, in their order, from which it counts as spoken
MIN_LEAD = 0.25  # of that share over that of the next option


def split_words(text: str) -> list[str]:
    """Split a text into words in lower case, numbers as digits: "One, oh six" is 1, 0, 6."""
    found = re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.lower())
    return ["0" if word == "oh" else NUMBERS.get(word, word) for word in found]


def count_words(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Count the words, or the digits, of the transcript; 0 where it is empty."""
    words = _read_transcript(evidence)
    what = "digits" if "digit" in question.text.lower() else "words"
    found = _split_digits(words) if what == "digits" else words
    return _make_evidence(f"Number of {what} said", len(found), evidence) if found or not words else ()


def sum_numbers(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Add up the digits, or the numbers, of the transcript."""
    words = _read_transcript(evidence)
    numbers = _split_digits(words) if "digit" in question.text.lower() else [word for word in words if word.isdecimal()]
    return _make_evidence(f"Sum of {', '.join(numbers)}", sum(map(int, numbers)), evidence) if len(numbers) > 1 else ()


def find_spoken_option(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Find the option whose words the transcript has in their order; nothing where none stands out."""
    words = _read_transcript(evidence)
    shares = {choice.text: _measure_match(split_words(choice.text), words) for choice in question.choices}
    first, second = [*sorted(shares.values(), reverse=True), 0.0, 0.0][:2]
    if first < MIN_SPOKEN or first - second < MIN_LEAD:
        return ()
    option = max(shares, key=shares.__getitem__)
    return _make_evidence("Said, of the options", option, evidence)


def _measure_match(option: list[str], words: list[str]) -> float:
    """Return the share of an option's words that the transcript has in their order; a run of words counts for more."""
    if not option:
        return 0.0
    matcher = SequenceMatcher(a=option, b=words, autojunk=False)
    longest = matcher.find_longest_match().size
    return (sum(block.size for block in matcher.get_matching_blocks()) + longest) / (2 * len(option))


def _split_digits(words: list[str]) -> list[str]:
    """Split numbers into their digits."""
    return [digit for word in words if word.isdecimal() for digit in word]


def _read_transcript(evidence: tuple[Evidence, ...]) -> list[str]:
    return split_words(" ".join(one.text for one in evidence if one.kind == "transcript"))


def _make_evidence(what: str, found: object, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    label = Label(text=str(found))
    statement = Evidence(
        kind="speaker", source="said", revision=_find_revision(), text=f"{what}: {label}.", labels=(label,)
    )
    transcripts = [one for one in evidence if one.kind == "transcript"]
    if not transcripts:
        return (statement,)
    own = statement.model_dump(include={"kind", "source", "revision", "text"})
    other = {"labels": statement.labels, "step": None, "end_s": transcripts[-1].end_s, "reliability": "model"}
    return (transcripts[0].model_copy(update=own | other),)


@cache
def _find_revision() -> str:
    """Return the digest of what reads transcripts."""
    return hash_modules("agents.listening.transcript", "agents.listening.findings")[:8]
