"""Which replies of a backbone are not worth learning, and why."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

from services.types import Value

Reason: TypeAlias = Literal[
    "empty", "truncated", "refusal", "leak", "bracket format", "wrong language", "near-duplicate"
]

TEXT = r"(?:text|transcript|transcription|description|caption|metadata|information|passage|audio file)"
LEAK = re.compile(
    rf"\b(?:provided|given|supplied|above|following|this|your) {TEXT}\b"
    rf"|\bthe {TEXT} (?:says|states|mentions|indicates|reads|describes|provides|shows|is|does|provided|given)\b"
    rf"|\b(?:based on|according to|in|from) the {TEXT}\b"
    r"|\baudio clips? between\b|\bpassage of text\b|\bmetadata\b|\bstart_audio\b|\bend_audio\b|\btimestamps?\b",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"\b(?:cannot|can't|can not|unable to|don't have the ability to|not able to|am not capable of)"
    r" (?:\w+ ){0,3}?(?:hear|listen|process|play|access|assist|analy[sz]e|perceive)"
    r"|\bas an? (?:ai|artificial intelligence|language model|text-based)\b"
    r"|\bI'm sorry\b|\bI apologi[sz]e\b|\bI do not have access\b",
    re.IGNORECASE,
)
NAMES = r"(?:Gender|Sound|Language|Speaker|Age|Kind|Tempo|Music|Accent|Meter|Title)"
BRACKETS = re.compile(rf"\[?\d\d:\d\d ?[-–] ?\d\d:\d\d\]?|\([^)]*\b{NAMES}: ", re.IGNORECASE)
ENGLISH = "the is are was it in on of and to with that this for by at or not yes from they he she you"
# Common words of the other languages in Latin script that our clips hold, none of them English
OTHERS = (
    "el la los las un una de del que y en es por con para le les des une du et est il lo gli che di e og er det som"
)
MIN_LATIN = 0.7  # share of Latin letters in an English reply; a quoted title may be in others
ALIKE = 0.9  # ratio of matching characters above which two replies about a clip say the same


class Reply(Value):
    """What a backbone said, and whether it came to an end."""

    text: str
    is_finished: bool


def fault(reply: Reply, *, earlier: Iterable[str], in_english: bool) -> Reason | None:
    """Return why a reply is dropped, the plainest reason first; None for one that is kept.

    Args:
        reply: to judge.
        earlier: replies about the same clip that are kept.
        in_english: whether an English reply was asked for.
    """
    text = reply.text.strip()
    checks: dict[Reason, bool] = {
        "empty": not re.search(r"\w", text),
        "truncated": not reply.is_finished,
        "refusal": REFUSAL.search(text) is not None,
        "bracket format": BRACKETS.search(text) is not None,
        "leak": LEAK.search(text) is not None,
        "wrong language": in_english and not is_english(text),
        "near-duplicate": any(_alike(text, other) for other in earlier),
    }
    return next((reason for reason, is_so in checks.items() if is_so), None)


def is_english(text: str) -> bool:
    """Tell by script and by the commonest words of English and of others; what is quoted does not count."""
    text = re.sub(r"[\"“„«][^\"”“»]*[\"”“»]", " ", text)
    letters = [letter for letter in text if letter.isalpha()]
    if letters and sum(letter.isascii() for letter in letters) / len(letters) < MIN_LATIN:
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    english, others = (sum(word in common.split() for word in words) for common in (ENGLISH, OTHERS))
    return others <= english


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, _bare(one), _bare(other), autojunk=False).ratio() >= ALIKE


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
