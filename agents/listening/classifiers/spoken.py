"""Spoken prompt injection: what is said is withheld where the question does not ask for it, and demands everywhere.

A linear classifier over hashed n-grams of the question (`agents.listening.classifiers.text_classifier`) estimates
whether it does. Where it surely does not, a reader gets no transcript: an instruction, or the name of an option, that
is spoken in a recording then decides nothing, whatever its words. Where it may, sentences that tell what to answer are
left out (`agents.listening.classifiers.demands`). `python -m benchmarks.planner.fit_said` fits the classifier;
`benchmarks/spoken_injections.py` attacks.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from agents.listening.classifiers.demands import ASKED, UNASKED, Redacted, find_demands, redact
from agents.reading.stems import extract_stems
from services.types import Evidence, Question

FILE = "said.safetensors"
SAID, OTHER = "said", "other"
QUOTATION = re.compile(r'["“„][^"“”„]*(?:["“”]|\Z)|«[^«»]*(?:»|\Z)|「[^「」]*(?:」|\Z)')
MARKS = '"“”„«»「」'
DROPPED = '"…"'
LEAST = 0.01
"""Probability that a question asks about what is said, from which that is read. To miss it costs the answer: below it
are 1 % of MMAR's questions about speech, none of which it was fitted on, and a quarter of those about music.
"""
SURELY = 0.5
"""That from which it surely does: then what is said may be what is asked for, even if that is nothing but a demand."""


def asks_about_speech(question: Question) -> bool:
    """Tell whether a question may ask about what is said."""
    return estimate_asks_about_speech(question.text) >= LEAST


def estimate_asks_about_speech(text: str) -> float:
    """Estimate the probability that a question asks about what is said."""
    from agents.listening.classifiers.text_classifier import (
        open_text_classifier,  # loads numpy, which path text never needs
    )

    return open_text_classifier(FILE).estimate(text)[SAID]


def hide_speech(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the evidence for a reader, without what is said that must not decide."""
    return tuple(one.kept for one in redact_speech(question, evidence) if one.kept)


def hide_new_speech(
    question: Question, evidence: tuple[Evidence, ...], new: tuple[Evidence, ...]
) -> tuple[Evidence, ...]:
    """Return new statements for a reader, without what is said that must not decide beside what was known before."""
    return tuple(one.kept for one in redact_speech(question, (*evidence, *new))[len(evidence) :] if one.kept)


def hide_named_speech(question: Question, evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """Return statements by id for a reader, without what is said that must not decide."""
    redacted = zip(evidence, redact_speech(question, tuple(evidence.values())), strict=True)
    return {name: one.kept for name, one in redacted if one.kept}


def list_withheld(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """List the statements that tell what to answer and nothing else, which no reader gets, as evidence to show."""
    redacted = zip(evidence, redact_speech(question, evidence), strict=True)
    return tuple(
        statement.model_copy(update={"use": "unread", "withheld": one.withheld})
        for statement, one in redacted
        if one.withheld and one.kept is None
    )


def redact_speech(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Redacted, ...]:
    """Return each statement as a reader gets it, and what of it is withheld.

    No reader gets a sentence that tells what to answer, whether transcribed or quoted in a caption, which a model on a
    server writes; but one that is a demand only by words of the question's own stays, as "The answer is nine" does for
    "Which answer does the boy give?" Where the question does not ask what is said, a reader gets no transcript and no
    quotation at all; where it surely does, less is taken for a demand, and transcripts that are nothing else stay.
    """
    sure, is_asked = estimate_asks_about_speech(question.text), asks_about_speech(question)
    asked, least = extract_stems(question.text), ASKED if sure >= SURELY else UNASKED
    transcripts = tuple(one for one in evidence if one.kind == "transcript")
    redacted = redact(transcripts, asked, least)
    if not is_asked:
        redacted = tuple(one._replace(kept=None) for one in redacted)
    elif sure >= SURELY and not any(one.kept for one in redacted):
        redacted = tuple(Redacted(one, ()) for one in transcripts)
    said = iter(redacted)
    return tuple(
        next(said)
        if one.kind == "transcript"
        else _redact_quotations(one, partial(find_demands, asked=asked, least=least), drops_all=not is_asked)
        if one.kind == "caption"
        else Redacted(one, ())
        for one in evidence
    )


def _redact_quotations(caption: Evidence, find: Callable[[str], object], *, drops_all: bool) -> Redacted:
    quoted = tuple(found[0] for found in QUOTATION.finditer(caption.text))
    demands = tuple(one for one in quoted if find(one.strip(MARKS)))
    dropped = quoted if drops_all else demands
    text = QUOTATION.sub(lambda found: DROPPED if found[0] in dropped else found[0], caption.text)
    return Redacted(caption.model_copy(update={"text": text, "withheld": demands}) if dropped else caption, demands)
