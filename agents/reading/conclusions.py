"""Conclusions in many languages, such as "Antwort: B", "La respuesta es C" or "答えはCです", and words that deny.

The words are data (`conclusions.json`); English has a pattern of its own. A conclusion stands at the start of a
sentence with nothing before it but words that are listed, so that "die falsche Antwort" is none.
"""

import json
import re
from functools import cache
from pathlib import Path

from agents.reading.marks import match_any
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
ALSO_DENY = {"es": ("no", "nada", "nadie"), "pt": ("ninguém", "nada"), "it": ("nessuno", "niente")}
"""Words that deny in their language, and where it is not known may be words of another one."""
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


@cache
def load_wordings() -> dict[str, Wording]:
    """Return the words by language, an ISO 639-1 code."""
    words = json.loads(Path(__file__).with_name("conclusions.json").read_text(encoding="utf-8"))
    return {language: Wording.model_validate(one) for language, one in words.items()}


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


def drop_tail(conclusion: str) -> str:
    """Return a conclusion without the verb that follows its letter, as in "Cです"."""
    return _compile_tails().sub(r"\1", conclusion, count=1)


def is_denied_somewhere(text: str) -> bool:
    """Tell whether a text holds a denial in a language other than English."""
    return bool(_compile_denials().search(text))


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
    letter = rf"(?={AROUND}(?-i:[A-Z])(?![A-Za-z0-9']))"
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
    concluded = rf"""{noun}[*_"'`]*+(?:\s*[:=]{is_word}{silent}|\s*\n)"""
    chosen = (
        rf"|(?:{match_any(one.choose)}){space}(?:(?:{match_any(one.option)}){space})?{letter}" if one.choose else ""
    )
    return rf"(?:{concluded}{option}{chosen})"


@cache
def _compile_tails() -> re.Pattern[str]:
    tails = [tail for one in load_wordings().values() for tail in one.tail]
    return re.compile(rf"""\A({AROUND}[A-Z][*_"'`)]*)\s*(?:{match_any(tails)})(?=\s*(?:\Z|[.。!！?？,，、;।\n]))""")


@cache
def _compile_denials() -> re.Pattern[str]:
    spaced = match_any(word for one in load_wordings().values() if one.spaced for word in one.denial)
    unspaced = match_any(word for one in load_wordings().values() if not one.spaced for word in one.denial)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)|{unspaced}", re.I)
