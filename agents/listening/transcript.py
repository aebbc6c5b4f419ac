"""Answers that a transcript holds in itself: a count of words or of one phrase, a sum, or the option that was said.

`agents.listening.tools` uses it for questions about speech only: for any other, words in a recording are not evidence.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Literal, TypeAlias

from agents.listening.classifiers.absent import estimate_asks_for_absent
from agents.listening.classifiers.mention import PLACES, estimate_mention_places
from agents.listening.findings import NUMBERS
from agents.reading.pitches import spell_pitches_like_options
from agents.reading.quantities import match_options
from agents.reading.stems import extract_stems
from agents.reading.word_forms import list_word_forms, respell_alike
from lalm.statements import join_transcript
from services.digest import hash_modules
from services.types import Evidence, Label, Question

SpokenUnit: TypeAlias = Literal["words", "digits"]

CODE = (
    "agents.listening.classifiers.absent",
    "agents.listening.classifiers.mention",
    "agents.listening.classifiers.text_classifier",
    "agents.listening.findings",
    "agents.listening.transcript",
    "agents.reading.clock_phrases",
    "agents.reading.clock_words",
    "agents.reading.numbers",
    "agents.reading.quantities",
    "agents.reading.spelled_numbers",
    "agents.reading.stems",
    "agents.reading.stop_words",
    "agents.reading.word_forms",
    "lalm.statements",
    "services.number_words",
)
"""What decides which answer a transcript holds."""
MIN_SPOKEN = 0.6  # share of an option's words, in their order, from which it counts as spoken
LEAST_ASKED = 0.5  # probability that a question asks for what is not said, or for what is said in a place
FEWEST_ITEMS, MOST_WORDS = 3, 2  # of a list that is said, and of each of its items
UNSAID = 0.85  # probability that an option is not said whose words are not in the transcript
MIN_LEAD = 0.25  # of that share over that of the next option
MIN_SHARED = 2  # stems that a sentence must share with a question that it answers, and more than half of the question's
SAYS = r"(?:says?|said|saying|repeats?|repeated|repeating|utters?|uttered|mentions?|mentioned|pronounces?|pronounced)"
QUOTED = re.compile(r"(?<!\w)[\"“”‘'«]([^\"“”’'»]+)[\"“”’'»](?!\w)")
NAMED = re.compile(
    r"\b(?:words?|phrases?|names?|numbers?|digits?|sentences?|expressions?)\s+((?:(?!(?:is|are|was|were|be|being|does|do|did|can|"
    r"could|has|have|had|in|said|spoken|heard|used|repeated|mentioned|uttered|pronounced|occurs?|appears?)\b)[\w'’-]+\s*){1,6})",
    re.IGNORECASE,
)
AFTER_SAYS = re.compile(
    rf"\b{SAYS}\s+(?:the\s+)?((?:(?!(?:in|during|throughout|within|on|at|by|before|after|while)\s+(?:the|this|that|a|it)\b)"
    r"[\w'’-]+\s*){1,6})",
    re.IGNORECASE,
)
LAST_NUMBER = re.compile(r"\b(?:is|are|was|were|equals?) (?:an? )?(\d+)$")


def split_words(text: str) -> list[str]:
    """Split a text into words in lower case, numbers as digits: "One, oh six" is 1, 0, 6."""
    found = re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.lower())
    return ["0" if word == "oh" else NUMBERS.get(word, word) for word in found]


def find_unit(text: str) -> SpokenUnit:
    """Find what a question counts or adds up: digits where it names them, else words."""
    return "digits" if "digit" in text.lower() else "words"


def count_words(unit: SpokenUnit, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Count the words, or the digits, of the transcript; 0 where it is empty."""
    words = _read_transcript(evidence)
    found = _split_digits(words) if unit == "digits" else words
    return _make_evidence(f"Number of {unit} said", len(found), evidence) if found or not words else ()


def sum_numbers(unit: SpokenUnit, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Add up the digits, or the numbers that are words, of the transcript."""
    words = _read_transcript(evidence)
    numbers = _split_digits(words) if unit == "digits" else [word for word in words if word.isdecimal()]
    return _make_evidence(f"Sum of {', '.join(numbers)}", sum(map(int, numbers)), evidence) if len(numbers) > 1 else ()


def count_phrase(phrase: str, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Count how often a word or several are said; nothing where they are not."""
    words, wanted = _read_transcript(evidence), split_words(phrase)
    found = len(find_runs(words, wanted))
    return _make_evidence(f"Number of times that {' '.join(wanted)!r} is said", found, evidence) if found else ()


def find_phrase(text: str) -> str | None:
    """Find the words whose occurrences a question counts: quoted, named as a word, or after "say"."""
    for pattern in (QUOTED, NAMED, AFTER_SAYS):
        if found := pattern.search(text):
            return found[1].strip()
    return None


def find_spoken_phrase(text: str, evidence: tuple[Evidence, ...]) -> str | None:
    """Find the words that a question names, or the number that ends it ("are seven?"); None where they are not said."""
    words = _read_transcript(evidence)
    last = LAST_NUMBER.search(" ".join(split_words(text)))
    phrases = (phrase for phrase in (find_phrase(text), last and last[1]) if phrase)
    return next((phrase for phrase in phrases if find_runs(words, split_words(phrase))), None)


def find_runs(words: list[str], phrase: list[str]) -> list[int]:
    """Find the places of the runs of words that are a phrase, without overlaps."""
    found: list[int] = []
    place = 0
    while phrase and place + len(phrase) <= len(words):
        is_here = words[place : place + len(phrase)] == phrase
        found += [place] if is_here else []
        place += len(phrase) if is_here else 1
    return found


def answers(question: Question, evidence: tuple[Evidence, ...]) -> bool:
    """Say whether something was said that answers a question: a sentence about the same that names one option."""
    asked = extract_stems(question.text)
    language = _find_language(evidence)
    for sentence in re.split(r"(?<=[.!?])\s+", join_transcript(evidence)):
        num_shared = len(asked & extract_stems(sentence))
        if num_shared >= MIN_SHARED and 2 * num_shared > len(asked) and _find_said(question, sentence, language):
            return True
    return False


def find_spoken_option(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Find the option that was said, in the place that the question asks for; or the one that was not said.

    Nothing where none stands out.
    """
    said = find_mentions([choice.text for choice in question.choices], join_transcript(evidence))
    if len(said) > 1 and estimate_asks_for_absent(question.text) >= LEAST_ASKED:
        unsaid = [choice.text for choice in question.choices if choice.text not in said]
        return _state_unsaid(unsaid[0], evidence) if len(unsaid) == 1 else ()
    if (placed := _find_in_order(question, said, evidence)) is not None:
        return _make_evidence(*placed, evidence)
    option = _find_said(question, join_transcript(evidence), _find_language(evidence))
    return _make_evidence("Said, of the options", option, evidence) if option else ()


def find_mentions(options: Sequence[str], said: str) -> dict[str, int]:
    """Find the options all of whose words are said in a row, and at which word each first is."""
    words = split_words(said)
    places = ((option, find_runs(words, _drop_article(split_words(option)))) for option in options)
    return {option: found[0] for option, found in places if found}


def _state_unsaid(option: str, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """State the only option that is not said; its word may have been misheard."""
    (told,) = _make_evidence("Of the options, the only one that is not said", option, evidence)
    return (told.model_copy(update={"kind": "absence", "labels": (Label(text=option, probability=UNSAID),)}),)


def _drop_article(words: list[str]) -> list[str]:
    return words[1:] if words[:1] and words[0] in {"a", "an", "the"} else words


def _find_in_order(
    question: Question, said: Mapping[str, int], evidence: tuple[Evidence, ...]
) -> tuple[str, str] | None:
    """Find the option that is said first, second, third or last, where a question surely asks for one of them."""
    places = estimate_mention_places(question.text)
    place = max(places, key=lambda one: places[one])
    items = _split_list(join_transcript(evidence)) or sorted(said, key=said.__getitem__)
    if places[place] < LEAST_ASKED or len(said) < 2 or PLACES[place] >= len(items):
        return None
    meant = find_mentions([choice.text for choice in question.choices], items[PLACES[place]])
    return (f"Said {place}", next(iter(meant))) if len(meant) == 1 else None


def _split_list(said: str) -> list[str]:
    """Split what is said into the items of a list; empty where it is none, but sentences."""
    items = [item.strip() for item in re.split(r"[,;.:!?…]+", said) if item.strip()]
    return items if len(items) >= FEWEST_ITEMS and all(len(item.split()) <= MOST_WORDS for item in items) else []


def _find_said(question: Question, said: str, language: str | None) -> str | None:
    """Find the option whose quantities, in any spelling, or whose words in their order and in any form a text has."""
    if len(letters := match_options(said, question, language)) == 1:
        return next(choice.text for choice in question.choices if choice.letter in letters)
    if (spelled := spell_pitches_like_options(said, question.choices)) != said:  # word forms have no sharp
        whole = (rf"(?<!\w){re.escape(choice.text)}(?![\w#])" for choice in question.choices)
        named = [choice.text for choice, one in zip(question.choices, whole, strict=True) if re.search(one, spelled)]
        return named[0] if len(named) == 1 else None
    options = {choice.text: list_word_forms(choice.text, language) for choice in question.choices}
    words = respell_alike(list_word_forms(said, language), {word for option in options.values() for word in option})
    shares = {text: _measure_match(option, words) for text, option in options.items()}
    first, second = [*sorted(shares.values(), reverse=True), 0.0, 0.0][:2]
    if first < MIN_SPOKEN or first - second < MIN_LEAD:
        return None
    return max(shares, key=shares.__getitem__)


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
    return split_words(join_transcript(evidence))


def _find_language(evidence: tuple[Evidence, ...]) -> str | None:
    """Find the language of the transcript; None where it is not told."""
    return next((one.language for one in evidence if one.kind == "transcript"), None)


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
    return hash_modules(*CODE)[:8]
