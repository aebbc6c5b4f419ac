"""Conclusions in many languages, such as "Antwort: B", "La respuesta es C" or "答えはCです", and words that deny.

The words are data (`conclusions.json`); English has a pattern of its own. A conclusion stands at the start of a
sentence with nothing before it but words that are listed, so that "die falsche Antwort" is none.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from agents.reading.marks import ANSWER_NAMES, match_any
from agents.reading.plain_text import EAST_ASIAN
from services.types import Value

AROUND = r"""[\s*_"'`(]*"""
STARTS = r"""(?:\A|[.!?;,:\n*#>("'।،。！-])[^\S\n]*+"""  # each scan ends at the next start
ENGLISH = re.compile(
    r"(?:\b(?:(?<!wrong )(?<!incorrect )answer(?: to (?:the|this) question)?|ans(?=\s*[:=])"
    r"|(?:correct|best|right|final|my|selected|chosen) (?:option|choice)|selected(?=\s*:))"
    r"""[*_"'`]*\s*(?:(?:is|was|would be|should be|must be|seems to be)\b[*_]*:?|[:=]|[-–—]\s|[*_]*\n)"""
    r")",
    re.I,
)
HEADS = ("prediction", "verdict", "guess", "decision", "selection", "choice", "assistant")
CORRECTION = re.compile(
    r"\bwait(?=\s*[,.:;!?…–—-]|\s+(?:no|that|let|actually|maybe|a (?:second|moment|minute))\b)"
    r"|\bactually,?(?=\s+(?:no\b|not\b|it\b|the\b|i\b|\(?(?-i:[A-Z])\b))|\bscratch that\b"
    r"|\bcorrection(?=\s*:)|\bon second thoughts?\b|\blet me (?:re\w+|correct|think again)\b|\bhold on\b"
    r"|\b(?:no|sorry), i mean(?:t)?\b"
    r"|(?<![\w'])\(?(?-i:[A-Z])\)?[*\"']*\?\s*(?:no|nope)\b",  # "A? No, B"
    re.I,
)
"""Takes back what was said before (a repair)."""
SUPERSEDED = (  # these words in this order within a sentence
    re.compile(r"\b(?:first|initially|originally)\b", re.I),
    re.compile(r"\b(?:thought|believed|assumed|guessed|suspected|considered)\b", re.I),
    re.compile(r"\b(?=but|however)", re.I),
)
HEADING = re.compile(
    rf"^[^\S\n]*[*_#>-]*[^\S\n]*(?:(?:final|my|the|best|model|assistant) )*"
    rf"(?:{match_any((*ANSWER_NAMES, *HEADS))})[*_]*\s*[:=]",
    re.I | re.M,
)
NEXT_CLAUSE = "because|since|as|i|we|you|he|she|it|they|there|the|this|that|these|those"  # after "no" no noun
WORD_END = rf"(?=[^\S\n]*(?:[.,;:!?|)*\]✓✔✅✗✘❌–—-]|\n|\Z)|\s+(?:{NEXT_CLAUSE})\b)"
TICKS, CROSSES = "✅✓✔☑", "❌✗✘✖🚫⛔☐≠"
CHECKBOX = re.compile(r"^([^\S\n]*+(?:[-*+][^\S\n]*+)?)\[([ xX])\](?=[^\S\n])", re.M)
MARKED_ITEM = re.compile(rf"([{TICKS}{CROSSES}])\ufe0f?[^\S\n]*([^\n{TICKS}{CROSSES}]+)")
NO_WORDS = r"no|wrong|incorrect|false|unlikely|impossible|eliminated|rejected|excluded|ruled out|0(?:\.0+)?\s?%"
REJECTED = rf"(?:(?:{NO_WORDS}){WORD_END}|not(?=[^\S\n]*(?:[.;!?\n]|\Z)))|[{CROSSES}]"
ACCEPTED = rf"(?:yes|correct|right|true){WORD_END}|[{TICKS}]"
VERDICT = re.compile(
    rf"[^\S\n]*[\"'`)\]*_.?,:|=(–—-]*[^\S\n]*[*_(–—-]*[^\S\n]*(?:(?P<no>{REJECTED})|(?P<yes>{ACCEPTED}))", re.I
)
VERDICT_WORDS = frozenset(
    {"yes", "no", "not", "correct", "incorrect", "right", "wrong", "true", "false", "unlikely", "impossible"}
)
YES_OR_NO = frozenset({"yes", "no", "not"})
ALSO_DENY = {"es": ("no", "nada", "nadie"), "pt": ("ninguém", "nada"), "it": ("nessuno", "niente")}
"""Words that deny in their language, and where it is not known may be words of another one."""
NUM_SURE = 40  # characters at the end in which certainty may be told
HOW_SURE = re.compile(
    r"[\s*_(\[,;–—-]*(?:\b(?:confidence|certainty|probability)\b\W*(?:(?:very )?(?:high|medium|low)\b|[\d.]+\s?%?)"
    r"|(?<=\()[\d.]+\s?%)\W*\Z",
    re.I,
)
NUM_LEADING = 6  # words that may stand before the noun
NUM_BEFORE = 6  # characters before a conclusion of a language without spaces in which a denial may stand


class Wording(Value):
    """Words of one language, each as it is written within a sentence."""

    spaced: bool = True
    """Whether there are spaces between words."""
    before: tuple[str, ...]
    """May stand before the noun."""
    noun: tuple[str, ...]
    """Answer, option, solution."""
    after: tuple[str, ...]
    """Adjectives that may follow the noun."""
    copula: tuple[str, ...]
    """Is; empty where the language leaves it out."""
    option: tuple[str, ...]
    """May stand between the copula and the letter."""
    tail: tuple[str, ...]
    """May follow the letter."""
    choose: tuple[str, ...]
    """I choose."""
    denial: tuple[str, ...]
    """Not, none, wrong: a sentence that holds one is not read by what it mentions."""
    joint: tuple[str, ...]
    """Or, and: options that one joins are both named."""


@cache
def load_wordings() -> dict[str, Wording]:
    """Return the words by language, an ISO 639-1 code."""
    words = json.loads(Path(__file__).with_name("conclusions.json").read_text(encoding="utf-8"))
    return {language: Wording.model_validate(one) for language, one in words.items()}


def find_headings(text: str) -> list[int]:
    """Return the places behind words that head an answer at the start of a line, as in "Prediction: B"."""
    return [heading.end() for heading in HEADING.finditer(text)]


def find_conclusions(text: str) -> list[int]:
    """Return the places where what is concluded begins, in order."""
    found = [match.end() for pattern in (ENGLISH, *_compile_spaced()) for match in pattern.finditer(text)]
    for pattern, denial in _compile_unspaced():
        found += [
            match.end()
            for match in pattern.finditer(text)
            if not denial.search(text[max(0, match.start() - NUM_BEFORE) : match.start()])
        ]
    return sorted(found)


def drop_superseded(sentence: str) -> str:
    """Return a sentence without what was thought at first: "first I thought of a dog, but it is a cat"."""
    places: list[int] = []
    for words in SUPERSEDED:
        found = words.search(sentence, places[-1] if places else 0)
        if found is None:
            return sentence
        places.append(found.start())
    return sentence[: places[0]] + sentence[places[-1] :]


def drop_certainty(text: str) -> str:
    """Return a text without what it says of its own certainty at its end: "B (90%)", "Confidence: high"."""
    return text if text.count("%") > 1 else text[:-NUM_SURE] + HOW_SURE.sub("", text[-NUM_SURE:], count=1)


def is_rejected(text: str, place: int) -> bool:
    """Tell whether a verdict against an option stands behind its name, as in "A: wrong"."""
    verdict = VERDICT.match(text, place)
    return bool(verdict and verdict["no"])


def find_verdicts(text: str, options: Sequence[tuple[str, str]]) -> dict[str, bool]:
    """Return letter -> verdict of a text that goes through the options, as in "A: wrong. B: correct." or "A - no".

    A plain yes or no may answer whether something is heard, which is not what was asked: where not all of three or more
    options have one, none is right. Nor is any where words are the verdicts on options that are such words themselves.
    """
    text = _put_marks_behind(text)
    holds_verdicts = not VERDICT_WORDS.isdisjoint(option.casefold() for _, option in options)
    found: dict[str, bool] = {}
    is_clear = True
    for letter, option in options:
        text_of = rf"(?i:{re.escape(option)})" if option else "(?!)"
        name = rf"(?:{text_of}|[(\[]?{letter}\b[)\].:]*\s*{text_of}?)"
        for one in re.finditer(
            rf"(?:\A|[\n.;,!|{TICKS}{CROSSES}])[^\S\n]*[*_>-]*[^\S\n]*(?:(?i:option)\s+)?{name}", text
        ):
            verdict = VERDICT.match(text, one.end())
            if verdict:
                word = (verdict["no"] or verdict["yes"]).casefold()
                is_clear = is_clear and not (holds_verdicts and word.isalpha()) and word not in YES_OR_NO
                found[letter] = bool(verdict["yes"]) and found.get(letter, True)
    is_certain = is_clear or (len(found) == len(options) > 2 and not holds_verdicts)
    return found if is_certain else dict.fromkeys(found, False)


def _put_marks_behind(text: str) -> str:
    """Return a text whose items follow a tick or a cross each, or a box that is ticked or not, with these behind."""
    ticked = CHECKBOX.sub(lambda box: box[1] + ("❌" if box[2] == " " else "✅"), text)
    items = re.sub(r"^[^\S\n]*[-*+][^\S\n]+(?=[" + TICKS + CROSSES + "])", "", ticked, flags=re.M).strip()
    if items[:1] not in TICKS + CROSSES or not items:
        return text
    return MARKED_ITEM.sub(r"\2 \1\n", items)


def drop_tail(conclusion: str) -> str:
    """Return a conclusion without the verb that follows its letter, as in "Cです"."""
    return _compile_tails().sub(r"\1", conclusion, count=1)


def is_denied_somewhere(text: str) -> bool:
    """Tell whether a text holds a denial in a language other than English."""
    return bool(_compile_denials().search(text))


def is_denied_next(text: str) -> bool:
    """Tell whether a text begins with a denial in another language than English, after one word at most."""
    return bool(_compile_denied_next().match(text))


def holds_denial(text: str, language: str) -> bool | None:
    """Tell whether a text of one language other than English holds a denial; None where its words are not known."""
    pattern = _compile_denials_of(language)
    return bool(pattern.search(text)) if pattern else None


@cache
def _compile_denials_of(language: str) -> re.Pattern[str] | None:
    words = load_wordings().get(language)
    if words is None:
        return None
    denial = match_any((*words.denial, *ALSO_DENY.get(language, ())))
    return re.compile(rf"(?<!\w)(?:{denial})(?!\w)" if words.spaced else denial, re.I)


@cache
def _compile_spaced() -> list[re.Pattern[str]]:
    return [re.compile(STARTS + _build_pattern(one, r"\s+"), re.I) for one in load_wordings().values() if one.spaced]


@cache
def _compile_unspaced() -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    denials = [word for one in load_wordings().values() if not one.spaced for word in one.denial]
    return [
        (re.compile(_build_pattern(one, r"\s*")), re.compile(match_any(denials)))
        for one in load_wordings().values()
        if not one.spaced
    ]


def _build_pattern(one: Wording, space: str) -> str:
    joined = match_any(tail for tail in one.tail if tail.startswith("'")) or "(?!)"
    letter = rf"(?={AROUND}(?-i:[A-Z])(?:(?![A-Za-z0-9'])|{joined}))"
    copulas = [word for word in one.copula if word]
    silent = rf"|{space}{letter}" if len(copulas) < len(one.copula) or one.tail else ""
    is_word = rf"|{space}(?:{match_any(copulas)})(?=\W|[A-Z])\s*:?" if copulas else ""
    if not one.spaced:
        is_word = rf"|\s*(?:{match_any(copulas)})\s*:?" if copulas else ""
    noun = rf"(?:(?:{match_any(one.before)}){space}){{0,{NUM_LEADING}}}" if one.before else ""
    noun += rf"(?:{match_any(one.noun)})" + (rf"(?:{space}(?:{match_any(one.after)}))*" if one.after else "")
    option = (
        rf"(?:{AROUND}(?:{match_any(one.option)}){space}(?={AROUND}(?-i:[A-Z])(?![^\W_])))?"
        if one.spaced
        else (rf"(?:{AROUND}(?:{match_any(one.option)})\s*)?")
    )
    concluded = rf"""{noun}[*_"'`]*+(?:\s*(?:[:=]|[–—]\s){is_word}{silent}|\s*\n)"""
    chosen = (
        rf"|(?:{match_any(one.choose)}){space}(?:(?:{match_any(one.option)}){space})?{letter}" if one.choose else ""
    )
    return rf"(?:{concluded}{option}{chosen})"


@cache
def _compile_tails() -> re.Pattern[str]:
    tails = [tail for one in load_wordings().values() for tail in one.tail]
    return re.compile(rf"""\A({AROUND}[A-Z][*_"'`)]*)\s*(?:{match_any(tails)})(?=\s*(?:\Z|[.。!！?？,，、;।\n]))""")


@cache
def _compile_denied_next() -> re.Pattern[str]:
    return re.compile(
        rf"[^\w.,;!?\n]*(?:\w+[^\w.,;!?\n]+|[{EAST_ASIAN}]{{1,4}}?)?(?:{_compile_denials().pattern})", re.I
    )


@cache
def match_joints(shortest: int = 1) -> str:
    """Return a pattern of "or" and "and" in every language, as words of so many letters where there are spaces."""
    words = {word for one in load_wordings().values() if one.spaced for word in one.joint}
    spaced = match_any(word for word in words if len(word) >= shortest)
    unspaced = match_any({word for one in load_wordings().values() if not one.spaced for word in one.joint})
    return rf"(?:(?<!\w)(?:or|and|{spaced})(?!\w)|{unspaced})"


@cache
def match_rivals() -> str:
    """Return a pattern of what stands between two options that are both named: a word that joins them, or a sign."""
    return rf"(?:\b(?:or (?:perhaps|maybe|possibly)|and/or|vs\b\.?|versus)|{match_joints()}|[/&|<>]|<?(?:--?|==?)>)"


@cache
def _compile_denials() -> re.Pattern[str]:
    spaced = match_any(word for one in load_wordings().values() if one.spaced for word in one.denial)
    unspaced = match_any(word for one in load_wordings().values() if not one.spaced for word in one.denial)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)|{unspaced}", re.I)
