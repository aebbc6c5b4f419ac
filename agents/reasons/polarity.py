"""Polarity (negation scope): does a claim deny what the evidence says, or assert what the evidence denies?

In English a cue such as "no" or "isn't" denies the words behind it, to the end of its clause, a preposition or a
conjunction; with none behind it, those before it (after NegEx, doi:10.1006/jbin.2001.1029). A claim contradicts a
statement where all that it denies is asserted there, or the other way round. Whatever lies between is unclear: a denial
of something else, a cue within the scope of another, "hardly", "silent". Of other languages only the words that deny
are known, so there a claim and its evidence agree where both have such a word or neither has. Opposites without a word
that denies, as loud and soft, are not told.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, TypeAlias

from agents.listening.classifiers.spoken import QUOTATION
from agents.reading.conclusions import holds_denial
from agents.reading.stems import read_stop_words
from agents.reading.word_forms import stem_word
from services.types import Evidence, Value

ENGLISH = "en"

PolarityMatch: TypeAlias = Literal["same", "opposite", "unclear"]

ONLY = frozenset({"only", "just", "merely"})
"""Behind "not" they make it deny nothing."""
CLAUSE_ENDS = re.compile(r"[()\[\]\n–—]|(?<![.,;:!?])[.,;:!?]++(?=\s|\Z)|\s-\s")
WORD = re.compile(r"\w+(?:['’]\w+)?|\d+")
NUMBERED = re.compile(r"\bno\.?\s*(?=\d)", re.IGNORECASE)
AFFIXES = re.compile(r"\Anon-?(?P<clear>\w{4,})\Z|\A(?P<lacking>\w{4,}?)-?less\Z|\Aun(?P<unclear>\w{2,}ed)\Z")
"""The last kind may undo as well as deny: what is unlocked was locked."""


class NegationWords(Value):
    """English words that bear on what a text denies (`negation.json`)."""

    cues: frozenset[str]
    """They deny what follows them, as every word that ends in n't does."""
    hedges: frozenset[str]
    """They deny something, but not what follows them alone."""
    bounds: frozenset[str]
    """Prepositions and conjunctions, at which the scope of a cue ends."""
    limits: frozenset[str]
    """Behind a cue they turn the denial into a limit, as in "no more than" and "nothing but"."""
    empty: frozenset[str]
    """They say nothing by themselves, as the stop words of all prompts."""


@cache
def read_negation_words() -> NegationWords:
    """Read the words, once."""
    return NegationWords.model_validate_json(files("agents.reasons").joinpath("negation.json").read_text("utf-8"))


class Denial(NamedTuple):
    """What a cue denies."""

    stems: frozenset[str]
    is_clear: bool
    """False: how much is denied cannot be told."""


class PolarText(NamedTuple):
    """A text by what it asserts and denies."""

    asserted: frozenset[str]
    """Stems."""
    denials: tuple[Denial, ...]
    hedges: frozenset[str]
    words: frozenset[str]
    """All, in small letters."""


def compare_polarity(claim: str, cited: Sequence[Evidence]) -> PolarityMatch:
    """Compare what a claim denies and asserts, but for what it quotes, with the statements that it cites."""
    if any(" ".join(claim.split()) in " ".join(one.text.split()) for one in cited):
        return "same"
    unquoted, own = QUOTATION.sub(" ", claim), read_polarity(QUOTATION.sub(" ", claim))
    foreign = {one.language for one in cited if one.language not in {None, ENGLISH}}
    if not foreign:
        return _compare(own, [read_polarity(one.text) for one in cited])
    claimed = {holds_denial(unquoted, language or "") for language in foreign} | {bool(own.denials)}
    said = {holds_denial(one.text, one.language or ENGLISH) for one in cited if one.language in foreign}
    return "same" if None not in claimed | said and (True in claimed) == (True in said) else "unclear"


def _compare(claim: PolarText, said: Sequence[PolarText]) -> PolarityMatch:
    asserted = frozenset[str]().union(*(one.asserted for one in said))
    denied = frozenset[str]().union(*(denial.stems for one in said for denial in one.denials))
    affixed = tuple(_find_affixed(claim, said))
    affixed_there = tuple(denial for one in said for denial in _find_affixed(one, [claim]))
    theirs = (*(denial for one in said for denial in one.denials), *affixed_there)
    if any(_denies_all(own, asserted - denied) for own in (*claim.denials, *affixed)):
        return "opposite"
    if any(_denies_all(other, claim.asserted) and not other.stems <= asserted for other in theirs):
        return "opposite"
    is_matched = all(own.is_clear and own.stems & denied for own in claim.denials)
    has_same_hedges = claim.hedges <= frozenset[str]().union(*(one.words for one in said))
    is_beside = any(other.stems & claim.asserted for other in theirs) and not claim.asserted & asserted
    is_undone = not all(one.is_clear for one in (*affixed, *affixed_there))
    return "same" if is_matched and has_same_hedges and not is_beside and not is_undone else "unclear"


def read_polarity(text: str) -> PolarText:
    """Read what an English text asserts and denies."""
    asserted, denials, hedges = set[str](), list[Denial](), set[str]()
    clauses = CLAUSE_ENDS.split(NUMBERED.sub("number ", text.lower().replace("’", "'")))
    for words in (WORD.findall(clause) for clause in clauses):
        found = tuple(_find_denials(words))
        denials += [one for one, _ in found]
        inside = {place for _, places in found for place in places}
        hedges |= read_negation_words().hedges.intersection(words)
        asserted |= _find_stems(word for place, word in enumerate(words) if place not in inside and not _is_cue(word))
    every = frozenset(WORD.findall(text.lower()))
    return PolarText(frozenset(asserted), tuple(denials), frozenset(hedges), every)


def _find_denials(words: Sequence[str]) -> Iterator[tuple[Denial, range]]:
    """Yield what each cue of a clause denies, with the places of these words."""
    limits, reached = read_negation_words().limits, 0
    for place, word in enumerate(words):
        behind = words[place + 1 : place + 2]
        if not _is_cue(word) or (word == "not" and ONLY.intersection(behind)):
            continue
        scope = range(place + 1, _find_end(words, place + 1))
        holds_cue = any(_is_cue(words[one]) for one in scope)
        is_clear = place >= reached and not holds_cue and not limits.intersection(behind)
        reached = max(reached, scope.stop)
        if not _find_stems(words[one] for one in scope):
            scope = range(place)
        stems = _find_stems(words[one] for one in scope if not _is_cue(words[one]))
        if stems or not is_clear:
            yield Denial(stems, is_clear), scope


def _find_end(words: Sequence[str], start: int) -> int:
    """Return where a scope ends; a preposition right behind its cue belongs to it, as in "lack of"."""
    ends = read_negation_words().bounds | {"nor"}
    bounds = (place for place in range(start, len(words)) if words[place] in ends and place > start)
    return next(bounds, len(words))


def _is_cue(word: str) -> bool:
    return word in read_negation_words().cues or word.endswith("n't")


def _find_stems(words: Iterable[str]) -> frozenset[str]:
    known = read_negation_words()
    empty = known.empty | known.bounds | read_stop_words()
    return frozenset(stem_word(word, ENGLISH) for word in words if word not in empty)


def _find_affixed(text: PolarText, others: Sequence[PolarText]) -> Iterator[Denial]:
    """Yield what the affixes of words deny that others hold without them, as "unaccompanied" does "accompanied"."""
    known = frozenset[str]().union(*(one.words for one in others)) - text.words - read_stop_words()
    for found in filter(None, map(AFFIXES.match, text.words)):
        stem = found["clear"] or found["lacking"] or found["unclear"]
        if stem in known:
            yield Denial(_find_stems((stem,)), is_clear=found["unclear"] is None)


def _denies_all(denial: Denial, asserted: frozenset[str]) -> bool:
    """Say whether all that is denied is asserted elsewhere."""
    return denial.is_clear and bool(denial.stems) and denial.stems <= asserted
