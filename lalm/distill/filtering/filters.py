"""Quality filters for distilled replies: refusals, leaks of the description, wrong language, near-duplicates."""

import json
import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from importlib.resources import files
from typing import Literal, TypeAlias

from lalm.distill.description import ATTRIBUTES
from services.types import Value

DropReason: TypeAlias = Literal[
    "empty", "truncated", "refusal", "leak", "bracket format", "wrong language", "near-duplicate", "contradiction"
]

# Words for the description that replaces the clip; those of TEXT alone are as often the topic of the speech
WRITTEN = r"(?:(?:audio|clip|seed|sound|given|written|text) )?(?:transcript|transcription|description|caption|prompt)"
SOURCE = rf"(?:{WRITTEN}|metadata|audio file)"
TEXT = rf"(?:{SOURCE}|(?:given |written )?(?:text|information|passage))"
TELLS = (
    "(?:says|states|mentions|indicates|reads|describes|provides|shows|specifies|suggests|implies|notes|provided|given)"
)
LEAK = re.compile(
    rf"\b(?:provided|given|supplied|above|following|this|your) {TEXT}\b"
    rf"|\bthe {TEXT} (?:{TELLS}|(?:does not|doesn't|did not|didn't) \w+)\b"
    rf"|\bthe {SOURCE} (?:is|does)\b"
    rf"|\b{TEXT} (?:that |which )?(?:you|you've|you have|I was|I've been|I have been) "
    r"(?:gave|given|provided?|sent|shared|shown|wrote|written)\b"
    rf"|\b(?:based on|according to|in|from) the {TEXT}\b"
    r"|\baudio clips? between\b|\bpassage of text\b|\bmetadata\b|\bstart_audio\b|\bend_audio\b|\btimestamps?\b",
    re.IGNORECASE,
)
# With "I" or a model as subject any inability to hear is a refusal; others may be persons that the clip is about
CANNOT = (
    r"(?:cannot|can't|can not|(?:un|not )able to|(?:not |im)possible to|not capable of|don't have the ability to)"
    r" (?:\w+ ){0,3}?(?:hear|listen|listening|process|processing|play|access|assist|analy[sz]e|perceive)\b"
)
CLIP = r"(?:audio|recording|clip|sound file|file)s?"
REFUSAL = re.compile(
    rf"\b(?:I|I'm|we|model|assistant|AI) (?:\w+ ){{0,3}}?{CANNOT}"
    rf"|(?:^|[.!?,]\s+){CANNOT}"
    rf"|{CANNOT}(?: to)?(?: an?| any| the| this| your| actual)? {CLIP}\b"
    rf"|\bno {CLIP}(?: {CLIP})?(?: (?:is|was|were|has been|have been))?"
    r" (?:attached|provided|included|given|supplied|uploaded|shared|available)\b"
    rf"|\bI (?:don't|do not|didn't|did not) (?:see|have|receive|find) (?:an?|any|the|your) (?:\w+ )?{CLIP}\b"
    r"|\b(?:as|I'm|I am)(?: only| just)? an? (?:\w+[ -]){0,2}?"
    r"(?:AI|artificial intelligence|language model|text[- ]based|text[- ]only|chatbot)\b"
    r"|\bI'm sorry\b|\bI apologi[sz]e\b|\bI (?:do not|don't) have access\b",
    re.IGNORECASE,
)
CLOCK = r"\d{1,2}:\d\d"
EARLY = r"0\d?:\d\d"  # position in a clip, not a time of day
BRACKETS = re.compile(
    rf"{CLOCK} ?[-–—] ?{CLOCK}|\[ ?{CLOCK}|\( ?{EARLY}|\b{EARLY} (?:to|until|till|through|and) {EARLY}"
    rf"|\([^)]*\b(?:{'|'.join(ATTRIBUTES)}) ?:",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]")
# Stop words of the languages in Latin script that occur in our clips; shared words are repeated in each
STOP_WORDS = {
    language: frozenset(words.split())
    for language, words in json.loads(files("lalm.distill").joinpath("stop_words.json").read_text("utf-8")).items()
}
MIN_LATIN = 0.7  # minimum share of Latin letters in an English reply
ALIKE = 0.9  # similarity ratio from which two replies about a clip are near-duplicates


class BackboneReply(Value):
    """A reply of the backbone, and whether it ended before the token limit."""

    text: str
    is_finished: bool


def find_fault(reply: BackboneReply, *, earlier: Iterable[str], in_english: bool) -> DropReason | None:
    """Return the reason to drop a reply, the simplest first; None to keep it.

    Args:
        reply: to check.
        earlier: kept replies about the same clip.
        in_english: whether the reply has to be in English.
    """
    text = reply.text.strip().replace("’", "'")
    own = _strip_quotes(text)  # speech quoted from the clip is not a refusal
    checks: dict[DropReason, bool] = {
        "empty": not re.search(r"\w", text),
        "truncated": not reply.is_finished,
        "refusal": REFUSAL.search(own) is not None,
        "bracket format": BRACKETS.search(text) is not None,
        "leak": LEAK.search(own) is not None,
        "wrong language": in_english and not is_english(text),
        "near-duplicate": any(_is_near_duplicate(text, other) for other in earlier),
    }
    return next((reason for reason, is_so in checks.items() if is_so), None)


def is_english(text: str) -> bool:
    """Detect English by script and stop words; quotations are ignored."""
    text = _strip_quotes(text)
    letters = [letter for letter in text if letter.isalpha()]
    if letters and sum(letter.isascii() for letter in letters) / len(letters) < MIN_LATIN:
        return False
    words = set(re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text.lower()))
    counts = {language: len(words & common) for language, common in STOP_WORDS.items()}
    return counts["en"] == max(counts.values())


def _strip_quotes(text: str) -> str:
    """Remove quotations, unless the whole reply is one."""
    said = QUOTED.sub(" ", text)
    return said.strip() if re.search(r"\w", said) else text


def _is_near_duplicate(one: str, other: str) -> bool:
    return SequenceMatcher(None, _normalise(one), _normalise(other), autojunk=False).ratio() >= ALIKE


def _normalise(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
