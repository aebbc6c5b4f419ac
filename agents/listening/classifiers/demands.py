"""Spoken demands: sentences that tell whoever answers a question about the recording what to answer.

A linear classifier over hashed n-grams (`agents.listening.classifiers.text_classifier`) tells them from ordinary
speech, a sentence at a time. `python -m benchmarks.demands.fit` fits it, on wordings of our own and on sentences by
others.
"""

import re
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple, TypeAlias

from agents.reading.stems import extract_stems
from services.types import Evidence

FILE = "demands.safetensors"
DEMAND, ORDINARY = "demand", "ordinary"
WORD = re.compile(r"\w+")
CLAUSE = re.compile(r"[^,;:，；：、]+[,;:，；：、]*\s*")
MIN_CLAUSE_WORDS = 5  # a shorter clause may be the option that a demand names
SENTENCE = re.compile(r"\S.*?(?:(?<![.!?…])[.!?…]++[\"'”’»)]*+(?=\s|\Z)|[。！？]+[」』”’]*|\Z)", re.DOTALL)

Stems: TypeAlias = frozenset[str]


class Span(NamedTuple):
    """Characters of a text."""

    start: int
    end: int


class Thresholds(NamedTuple):
    """Probabilities from which a sentence is withheld."""

    demand: float
    beside: float
    """Beside a demand, to which it may belong, as "It is a violin" does to "Choose that"."""


ASKED, UNASKED = Thresholds(0.45, 0.1), Thresholds(0.2, 0.03)
"""Where a question surely asks what is said, and where it may: the less likely that is, the less a sentence is missed.
0.45 takes 0.2 % of 9,552 sentences by others, held out, for demands, and 0.2 takes 1.8 %.
"""


class Redacted(NamedTuple):
    """A statement about speech without the sentences that tell what to answer."""

    kept: Evidence | None
    """None: nothing of it is left."""
    withheld: tuple[str, ...]


def redact(said: Sequence[Evidence], asked: Stems = frozenset(), least: Thresholds = ASKED) -> tuple[Redacted, ...]:
    """Take the demands out of transcripts, which belong together where they are of one recording, by one source.

    A sentence may begin in one of them and end in the next.
    """
    found: list[Redacted] = []
    for _, group in groupby(said, key=lambda one: (one.recording, one.source)):
        together = tuple(group)
        demands = find_demands(" ".join(one.text for one in together), asked, least)
        found += _redact_together(together, demands)
    return tuple(found)


def _redact_together(said: tuple[Evidence, ...], demands: Sequence[Span]) -> list[Redacted]:
    redacted, start = [], 0
    for one in said:
        inside = [Span(max(0, span.start - start), min(len(one.text), span.end - start)) for span in demands]
        inside = [span for span in inside if span.start < span.end]
        redacted.append(_take_out(one, inside) if inside else Redacted(one, ()))
        start += len(one.text) + 1
    return redacted


def _take_out(statement: Evidence, spans: Sequence[Span]) -> Redacted:
    edges = [0, *(edge for span in spans for edge in span), len(statement.text)]
    kept = (statement.text[first:last].strip() for first, last in list(pairwise(edges))[::2])
    text = " ".join(part for part in kept if part)
    withheld = tuple(statement.text[span.start : span.end].strip() for span in spans)
    has_words = any(map(str.isalnum, text))
    return Redacted(statement.model_copy(update={"text": text, "withheld": withheld}) if has_words else None, withheld)


def find_demands(text: str, asked: Stems = frozenset(), least: Thresholds = ASKED) -> tuple[Span, ...]:
    """Find the sentences of a text that tell what to answer.

    Two that follow one another may do so together, and what is beside a demand is likelier to belong to it. Words that
    are asked about speak for no demand: where a question is about the answer that somebody gives, that is no demand.
    """
    spans = [Span(*found.span()) for found in SENTENCE.finditer(text)]
    sure = [_estimate(text[span.start : span.end], asked) for span in spans]
    found = {place for place, probability in enumerate(sure) if probability >= least.demand}
    for first, second in pairwise(range(len(spans))):
        both = text[spans[first].start : spans[second].end]
        if not {first, second} & found and _estimate(both, asked) >= least.demand:
            found |= {first, second}
    beside = deque(found)
    while beside:
        place = beside.popleft()
        near = {one for one in (place - 1, place + 1) if 0 <= one < len(spans) and sure[one] >= least.beside} - found
        found |= near
        beside.extend(near)
    narrow = (_find_demanding_clauses(text, spans[place], asked, least) for place in sorted(found))
    return tuple(span for spans_of_one in narrow for span in spans_of_one)


def _find_demanding_clauses(text: str, sentence: Span, asked: Stems, least: Thresholds) -> Sequence[Span]:
    """Find what of a demand is one: a recogniser may join what was said before it by commas.

    A clause that is long enough for a statement, and not a demand by itself, stays. Where only such clauses make up the
    demand, all of it is one.
    """
    clauses = [Span(*one.span()) for one in CLAUSE.finditer(text, sentence.start, sentence.end)]
    demanding: list[Span] = []
    for one in clauses:
        words = text[one.start : one.end].strip()
        if len(WORD.findall(words)) >= MIN_CLAUSE_WORDS and _estimate(words, asked) < least.beside:
            continue
        follows = demanding and demanding[-1].end == one.start
        demanding.append(Span(demanding.pop().start, one.end) if follows else one)
    return demanding or [sentence]


@lru_cache(maxsize=4096)  # what is said is read again for each follow-up; an hour has some 700 sentences
def _estimate(sentence: str, asked: Stems) -> float:
    """Estimate how likely a sentence is a demand by other words than those that are asked about."""
    return estimate_demand(WORD.sub(lambda found: "" if extract_stems(found[0]) & asked else found[0], sentence))


def estimate_demand(sentence: str) -> float:
    """Estimate the probability that a sentence tells what to answer."""
    from agents.listening.classifiers.text_classifier import (
        open_text_classifier,  # loads numpy, which path text never needs
    )

    return open_text_classifier(FILE).estimate(sentence)[DEMAND]
