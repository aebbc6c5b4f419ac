"""Mentions of options in a reply, by text or letter: denied, given as a reason, joined, or a particle ("up", "in")."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from agents.reading.conclusions import is_rejected, match_rivals
from agents.reading.plain_text import DENYING, normalise, strip_article
from services.captioners.music.notes import parse_pitches
from services.types import Choice

NUM_AROUND = 40  # characters that may stand around and between two options: letters, marks, "or"
NEGATION_REACH = 80  # characters before a mention in which a "not" may stand
NEGATED = re.compile(
    r"(?:\b(?:not|never|no(?!\s*[/|]|\s+(?:or|and)\b)|cannot|without(?! doubt)|neither|nor|wrong|incorrect|except"
    r"|rather than|instead of|(?:lack|absence|free|devoid) of|lack(?:s|ing)|unlike|rul(?:e|ed|ing) out"
    r"|(?:any|every)(?:thing|one) but|all but)|n't)"
    r"(?:\s+(?!(?:but|it)\b)(?:\w+|…)){0,6}[^\w.,;!?\n]*\Z"
    rf"|(?:[{''.join(sorted(DENYING))}]|\[ \])[^\w\n]*(?:(?:an?|the)\s+)?\Z"
    r"|\bif (?:it|this|that) (?:were|was|is|had been)\b[^.,;!?\n]*\Z"
    r"|(?:\bnot|n't)\s+(?:think|believe|suppose|say|call|hear)\b(?:(?!\bbut\b)[^.,;!?\n])*\Z",
    re.I,
)
DENIED = re.compile(
    r"\W*\b(?:is|are|was|were|does|can|could|sounds?|seems?)(?:n't|\s+(?:not|wrong|incorrect|false|unlikely|impossible"
    r"|implausible|inconsistent|irrelevant|unrelated|excluded|ruled out|out|too|less|never|no))\b"
    r"|\W*\bwould(?:n't|\s+not|\s+(?:be too|need|require|have|sound|involve|include|feature|show|contain|mean|suggest"
    r"|imply))\b"
    r"|\W*\b(?:if (?:it|this|that|the|there)|unless)\b",
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
LETTER = re.compile(
    r"\(([A-Z])\)"
    r"|\b(?i:option|choice|answer|letter|choose|chose|pick|select|go with|going with)[:\s]\s*[\"'*(]*"
    r"([A-Z])\b(?!['#&/]|-\w)"
)
MARKED = r"[\"'*_`(\[]*([A-Z])[\"'*_`)\].]*"
BEFORE_CHOICE = re.compile(r"\b(?:between|from|of|considered|considering)\s+(?:options? )?\Z", re.I)
LABELLED = re.compile(r"(?<![\w'])(?:[(\[][A-Za-z][)\]]|[A-Za-z][.):])[*_]*\s")
NEGATIVE = re.compile(r"\b(?:no|not|never|neither|without(?! doubt)|none)\b")  # in an option
BARE_LETTER = re.compile(r"(?<![\w'#.&/-])\(?([A-Z])\)?(?![\w'#&/]|-\w)")
IS_RIGHT = re.compile(
    r"\)?\s+(?:is|seems?|looks?|sounds?|must be|has to be) (?:to be )?(?:the )?(?:correct|right|best|answer)\b", re.I
)
ASSERTS = re.compile(
    r"(?:\b(?:is|was|(?:must|should|would|will|has to|have to|got to) be|but|but rather|rather|it's|that's)\s+)"
    r"""(?:(?:the )?(?:option|choice|letter|answer) )?["'*(]*\Z""",
    re.I,
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
    joint = r"(?:,? (?:and|or|vs\.?)(?: then)?|,? then) "
    return re.search(rf"\b(?:{word}{joint}(?:{others})|(?:{others}){joint}{word})\b", text)


def _join(options: Iterable[str]) -> str:
    """Return a pattern of any of these; of nothing where there are none."""
    return "|".join(map(re.escape, options)) or "(?!)"


def find_letters(text: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the options whose letters are named with "option" or "answer" before them, or in brackets.

    Those in a reason count only where there is no other, and those among which the text says that it chooses not at
    all. Letters that it joins to them, or says that it is, are named with them.
    """
    pairs = [
        pair for pair in _compile_joined().finditer(text) if not is_denied(text, pair) and not is_reason(text, pair)
    ]
    weighed = [pair for pair in pairs if BEFORE_CHOICE.search(text, max(0, pair.start() - NUM_AROUND), pair.start())]
    mentions = [
        match
        for match in LETTER.finditer(text)
        if not (is_denied(text, match) or is_word(text, match, 2))
        if not any(pair.start() <= match.start() < pair.end() for pair in weighed)
    ]
    stated = [match for match in mentions if not is_reason(text, match)]
    stated = stated or ([] if _find_bare_mentions(text) else mentions)
    letters = {match[1] or match[2] for match in stated}
    if not letters:
        return ()
    letters |= {letter for pair in pairs if pair not in weighed for letter in pair.groups()}
    said = {match[1] for match in _find_bare_mentions(text) if _is_said(text, match)}
    return tuple(choice for choice in choices if choice.letter in letters | said)


@cache
def _compile_joined() -> re.Pattern[str]:
    """Return a pattern of two letters that a text joins, as in "either B or (C)", in every language."""
    return re.compile(rf"(?<![\w\"'*_`(\[]){MARKED}\s*(?:,|,?\s*(?i:{match_rivals()}|maybe\b))\s*{MARKED}(?![\w#'])")


def find_asserted_letters(text: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Letters that a sentence says it is, as in "not B but C"; all that are left undenied where it says so of any."""
    words = {word for choice in choices for word in strip_article(choice.text).split()}
    if all(len(parse_pitches(choice.text)) == 1 for choice in choices):  # "A" may be the note
        return ()
    mentions = _find_bare_mentions(text)
    if not any(_is_said(text, match) for match in mentions) or any(match[1].casefold() in words for match in mentions):
        return ()
    return find_bare_letters(text, choices)


def _is_said(text: str, mention: re.Match[str]) -> bool:
    """Tell whether a sentence says that a letter is it."""
    before = text[max(0, mention.start() - NUM_AROUND) : mention.start()]
    return bool(ASSERTS.search(before) or IS_RIGHT.match(text, mention.end()))


def find_bare_letters(text: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the options whose letters stand alone, neither denied nor in a reason."""
    letters = {match[1] for match in _find_bare_mentions(text)}
    return tuple(choice for choice in choices if choice.letter in letters)


def _find_bare_mentions(text: str) -> list[re.Match[str]]:
    """Return the capital letters that stand alone, without those that are denied or belong to a reason."""
    return [
        match
        for match in BARE_LETTER.finditer(text)
        if not is_word(text, match, 1) and not is_denied(text, match) and not is_reason(text, match)
    ]


def fold_labels(text: str, choices: Sequence[Choice]) -> str:
    """Return a text that names options by their texts alone, where it had their letters before these: "B) a cat"."""
    if not LABELLED.search(text):
        return text
    texts = [normalise(choice.text) for choice in choices]
    for choice, option in zip(choices, texts, strict=True):
        if (len(option) > 1 or option.isdigit()) and option not in FUNCTION_WORDS and texts.count(option) == 1:
            label = rf"(?<![\w'])(?:[(\[]{choice.letter}[)\]]|{choice.letter}[.):])[*_]*\s+"
            text = re.sub(rf"{label}(?=[*_\"']*{re.escape(option)}(?!\w))", "", text, flags=re.I)
    return text


def mask_negatives(text: str, option: str, options: Iterable[str]) -> str:
    """Return a text without the mentions of other options that hold a negation: "no animal" denies no other one."""
    for other in options:
        if NEGATIVE.search(other) and other not in option and option not in other:
            text = re.sub(rf"(?<!\w){re.escape(other)}(?!\w)", "…", text)
    return text
