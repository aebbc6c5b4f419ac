"""Language identification among options: the languages that a question names, weighed by what the recogniser heard.

Names are read in any language that the recogniser tells, as Unicode CLDR (by Babel) has them.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from services.asr.languages import read_languages
from services.types import Evidence, Label

TEMPERATURE = 2.0
"""Of the recogniser's probabilities, which are too sure: fitted by `benchmarks/ears/languages_fit.py`."""
UNHEARD = 1e-4  # probability of a language that is not among the candidates: the recogniser keeps none that has less
MOST_TOLD, LEAST_SHARE = 2, 10.0  # languages that are told, and how much less likely than the first the next may be
LONGEST_NAME = 3  # words
WORD = re.compile(r"\w+")
CLDR_CODES = {"jw": "jv", "no": "nb", "tl": "fil"}
"""Whisper's code -> that of CLDR, where they differ."""
BROADER = {"cmn": "zh", "nb": "no", "fil": "tl", "jv": "jw"}
"""Code of CLDR -> Whisper's code of the language that it belongs to; a code with a region or a script needs none."""
ALIASES = {
    "castilian": "es",
    "farsi": "fa",
    "haitian": "ht",
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldovan": "ro",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}
"""Name -> code of other English names, most of them Whisper's (openai/whisper, tokenizer.py)."""


class WeighedLanguage(NamedTuple):
    """An option that names a language, and the probability that it is spoken."""

    text: str
    probability: float


def name_languages(options: Sequence[str]) -> Mapping[str, str]:
    """Return option -> ISO 639 code of those that name one language; empty where they name fewer than two.

    Names in other languages than English are looked up only where those in English do not suffice.
    """
    return _name(options, _read_english()) or _name(options, _read_all())


def _name(options: Sequence[str], names: Mapping[str, str]) -> Mapping[str, str]:
    found = {option: _find_names(WORD.findall(option.casefold()), names) for option in options}
    named = {option: next(iter(codes)) for option, codes in found.items() if len(codes) == 1}
    return named if 1 < len(set(named.values())) == len(named) else {}


def weigh_languages(
    statement: Evidence, options: Sequence[str], *, temperature: float = TEMPERATURE
) -> tuple[WeighedLanguage, ...]:
    """Weigh the options that name a language by what the recogniser heard, the likeliest first.

    Args:
        statement: on the language of a recording, with its candidates.
        options: those of the question.
        temperature: of the probabilities.

    Returns:
        Nothing where they do not name two languages, or none of those was heard.
    """
    names = read_languages()
    heard = {one.text: one.probability for one in statement.candidates}
    named = {option: heard.get(names[code]) for option, code in name_languages(options).items()}
    if not any(named.values()):
        return ()
    powers = {option: (known or UNHEARD) ** (1 / temperature) for option, known in named.items()}
    weighed = (WeighedLanguage(option, power / sum(powers.values())) for option, power in powers.items())
    return tuple(sorted(weighed, key=lambda one: -one.probability))


def state_languages(statement: Evidence, options: Sequence[str]) -> Evidence | None:
    """State which of the languages asked about is spoken; None where that cannot be told."""
    weighed = weigh_languages(statement, options)
    if not weighed:
        return None
    best = weighed[0].probability
    told = [one for one in weighed[:MOST_TOLD] if one.probability >= best / LEAST_SHARE]
    labels = tuple(Label.round_to_label(one.text.strip(), one.probability) for one in told)
    text = f"Of the languages asked about, most like: {', else '.join(map(str, labels))}."
    update = {"text": text, "labels": labels, "candidates": (), "language": None, "confidence": round(best, 2)}
    return statement.model_copy(update=update)


def _find_names(words: Sequence[str], names: Mapping[str, str]) -> frozenset[str]:
    """Return the codes of the names in a text; a longer name hides those within it, as in "Haitian Creole"."""
    found, start = set[str](), 0
    while start < len(words):
        for size in range(min(LONGEST_NAME, len(words) - start), 0, -1):
            if code := names.get(" ".join(words[start : start + size])):
                found.add(code)
                start += size - 1
                break
        start += 1
    return frozenset(found)


@cache
def _read_english() -> Mapping[str, str]:
    """Return name -> code, in English: Whisper's names and CLDR's."""
    ours = {_normalise(name): code for code, name in read_languages().items()}
    return _read_locale("en") | ALIASES | ours


@cache
def _read_all() -> Mapping[str, str]:
    """Return name -> code, in each language that Whisper knows; where two languages share a name, it names neither."""
    names: dict[str, str | None] = {}
    for locale in read_languages():
        for name, code in _read_locale(CLDR_CODES.get(locale, locale)).items():
            names[name] = code if names.get(name, code) == code else None
    return {name: code for name, code in names.items() if code}


def _read_locale(locale: str) -> dict[str, str]:
    from babel import Locale  # only a question about languages needs it

    known, found = read_languages(), dict[str, str]()
    for code, name in sorted(Locale.parse(locale).languages.items(), key=lambda one: -len(one[0])):
        language = code.split("_")[0]
        language = BROADER.get(language, language)
        if language in known:
            found[_normalise(name)] = language  # the shortest code comes last: the language itself, not a variant
    return found


def _normalise(name: str) -> str:
    return " ".join(WORD.findall(name.casefold()))
