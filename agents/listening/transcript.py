"""What a transcript says about a question on what is said: a count, a sum, or the option that was spoken.

Only questions about what is said call for it (`agents.listening.tools`): for any other, words in a recording are not
evidence.
"""

import re
from difflib import SequenceMatcher

from agents.listening.findings import NUMBERS
from services.types import Evidence, Label, Question

LEAST_SAID = 0.6  # share of an option's words, in their order, of which one may say that it was spoken
LEAD = 0.25  # of that share over the next option's


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, numbers as digits: "One, oh six" is 1, 0, 6."""
    found = re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.lower())
    return ["0" if word == "oh" else NUMBERS.get(word, word) for word in found]


def counted(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Count the words, or the digits, that the recogniser wrote; where it wrote nothing, none is said."""
    words = _transcribed(evidence)
    what = "digits" if "digit" in question.text.lower() else "words"
    found = _digits(words) if what == "digits" else words
    return _stated(f"Number of {what} said", len(found), evidence) if found or not words else ()


def summed(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Add up the digits, or the numbers, that the recogniser wrote."""
    words = _transcribed(evidence)
    numbers = _digits(words) if "digit" in question.text.lower() else [word for word in words if word.isdecimal()]
    return _stated(f"Sum of {', '.join(numbers)}", sum(map(int, numbers)), evidence) if len(numbers) > 1 else ()


def spoken(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Name the option whose words the recogniser wrote, one after the other; nothing where none stands out."""
    said = _transcribed(evidence)
    shares = {choice.text: _share(words_of(choice.text), said) for choice in question.choices}
    first, second = [*sorted(shares.values(), reverse=True), 0.0, 0.0][:2]
    if first < LEAST_SAID or first - second < LEAD:
        return ()
    option = max(shares, key=shares.__getitem__)
    return _stated("Said, of the options", option, evidence)


def _share(option: list[str], said: list[str]) -> float:
    """Return the share of an option's words that are said in its order, words in one run counting for more."""
    if not option:
        return 0.0
    matcher = SequenceMatcher(a=option, b=said, autojunk=False)
    longest = matcher.find_longest_match().size
    return (sum(block.size for block in matcher.get_matching_blocks()) + longest) / (2 * len(option))


def _digits(words: list[str]) -> list[str]:
    """Return the digits, those of a number that was written as one taken apart."""
    return [digit for word in words if word.isdecimal() for digit in word]


def _transcribed(evidence: tuple[Evidence, ...]) -> list[str]:
    return words_of(" ".join(one.text for one in evidence if one.kind == "transcript"))


def _stated(what: str, found: object, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    label = Label(text=str(found))
    statement = Evidence(kind="speaker", source="said", revision="1", text=f"{what}: {label}.", labels=(label,))
    said = [one for one in evidence if one.kind == "transcript"]
    if not said:
        return (statement,)
    own = statement.model_dump(include={"kind", "source", "text"}) | {"labels": statement.labels, "step": None}
    return (said[0].model_copy(update={**own, "end_s": said[-1].end_s, "reliability": "model"}),)
