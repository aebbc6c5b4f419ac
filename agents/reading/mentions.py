"""Mentions of options in a reply: denied, given as a reason, or a particle ("up", "no", "in") that only joins words."""

import re
from collections.abc import Iterable, Sequence

from agents.reading.conclusions import is_rejected

NEGATION_REACH = 80  # characters before a mention in which a "not" may stand
NEGATED = re.compile(
    r"(?:\b(?:not|never|no(?!\s+(?:or|and)\b)|cannot|without|neither|nor|wrong|incorrect|except|rather than|instead of"
    r"|rul(?:e|ed|ing) out|(?:any|every)(?:thing|one) but|all but)|n't)"
    r"(?:\s+(?!(?:but|it)\b)(?:\w+|…)){0,6}[^\w.,;!?\n]*\Z"
    r"|(?:\bnot|n't)\s+(?:think|believe|suppose|say|call|hear)\b(?:(?!\bbut\b)[^.,;!?\n])*\Z",
    re.I,
)
DENIED = re.compile(
    r"\W*\b(?:is|are|was|were|does|can|could|sounds?|seems?)(?:n't|\s+(?:not|wrong|incorrect|false|unlikely|impossible"
    r"|implausible|inconsistent|irrelevant|unrelated|excluded|ruled out|out|too|less|never|no))\b"
    r"|\W*\bwould(?:n't|\s+not|\s+(?:need|require|have|sound|involve|include|feature|show|contain|mean|suggest|imply))\b",
    re.I,
)
"""Behind a mention; "would need" and the like say what would be heard if it were right, so that it is not."""
REASON = re.compile(r"\b(?:because|since|given that|as(?=\s+(?:(?:the )?(?:option|choice) )?\(?[A-Z]\b))\s", re.I)
ARTICLE_OR_PRONOUN = re.compile(  # after "A" or "I"
    r"\s+(?!(?:but|because|since|and|or|not|rather|instead|is|was|must|has|it|so)\b)[a-z…]"
)
FUNCTION_WORDS = frozenset(
    [
        "an",
        "the",
        "no",
        "not",
        "none",
        "one",
        "in",
        "out",
        "on",
        "off",
        "up",
        "down",
        "over",
        "under",
        "is",
        "or",
        "and",
        "to",
        "of",
        "at",
    ]
)
END = r"(?=\W*(?:[.!?;]|\Z)|\s+(?:or|and)\b)"


def is_reason(text: str, mention: re.Match[str]) -> bool:
    """Tell whether a mention stands in a clause that says why."""
    before = text[max(0, mention.start() - NEGATION_REACH) : mention.start()]
    clause = re.split(r"[.!?\n;]", before)[-1]
    return any(re.search(r"\w", clause[: why.start()]) for why in REASON.finditer(clause))


def is_denied(text: str, mention: re.Match[str]) -> bool:
    """Tell whether a mention is denied, before or behind it."""
    before = text[max(0, mention.start() - NEGATION_REACH) : mention.start()]
    return bool(NEGATED.search(before)) or is_denied_behind(text, mention.end())


def is_denied_behind(text: str, place: int) -> bool:
    """Tell whether what stands behind a mention denies it: "is wrong", ": no"."""
    return bool(DENIED.match(text, place)) or is_rejected(text, place)


def is_word(text: str, mention: re.Match[str], group: int) -> bool:
    """Tell whether a capital letter that stands alone is an article or a pronoun, as in "A dog" or "I hear"."""
    return mention[group] in {"A", "I"} and bool(ARTICLE_OR_PRONOUN.match(text, mention.end()))


def find_crossing(text: str, options: Sequence[str]) -> frozenset[str]:
    """Return the options whose mentions overlap without one holding the other: "heavy rain and thunder"."""
    spans = [
        (found.start(), found.end(), option)
        for option in options
        if option
        for found in re.finditer(rf"(?<!\w){re.escape(option)}(?!\w)", text)
    ]
    crossing = [(a, b) for a in spans for b in spans if a[0] < b[0] < a[1] < b[1]]
    return frozenset(span[2] for pair in crossing for span in pair)


def compile_particle(option: str, options: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of a function word as an answer: "it is up", "up, not down", "not down but up"."""
    word, others = re.escape(option), _join(other for other in options if other != option)
    return re.compile(
        rf"(?:\b(?:is|be|or|and|either|both)\s){word}{END}"
        rf"|\b{word}(?=,? (?:and )?(?:not|rather than|instead of) (?:{others})\W*(?:[.!?;]|\Z))"
        rf"|\bnot (?:{others}),? but (?:rather )?{word}{END}"
    )


def find_joined(text: str, option: str, options: Sequence[str]) -> re.Match[str] | None:
    """Return where a text joins a function word with another option: "up and down", "up, then down"."""
    word, others = re.escape(option), _join(other for other in options if other != option)
    joint = r"(?:,? (?:and|or)(?: then)?|,? then) "
    return re.search(rf"\b(?:{word}{joint}(?:{others})|(?:{others}){joint}{word})\b", text)


def _join(options: Iterable[str]) -> str:
    """Return a pattern of any of these; of nothing where there are none."""
    return "|".join(map(re.escape, options)) or "(?!)"
