"""Grounds of an answer: which statements the model read, and which one of them speaks for the chosen option."""

from collections.abc import Collection

from agents.listening.classifiers.spoken import redact_speech
from agents.listening.findings import find_supported
from agents.listening.named_clips import find_named_clips
from agents.reading.quantities import match_options
from services.types import Choice, Evidence, EvidenceUse, Question


def mark_evidence(
    question: Question,
    evidence: tuple[Evidence, ...],
    read: Collection[Evidence],
    choice: Choice | None,
    findings: tuple[Evidence, ...] = (),
) -> tuple[Evidence, ...]:
    """Return the evidence with each statement's use.

    Args:
        question: with its options.
        evidence: that there was, in order.
        read: those statements of it that a prompt held.
        choice: that was made.
        findings: of them, those of listening again, which were asked for because the first reading was not sure.

    """
    redacted = redact_speech(question, evidence)
    shown = [one.kept or statement for statement, one in zip(evidence, redacted, strict=True)]
    was_read = list_read(question, evidence, read)
    as_read = dict(zip(evidence, shown, strict=True))
    ranked = [*findings, *(one for one in reversed(evidence) if one in was_read)]
    decisive = _find_decisive(question, [as_read.get(one, one) for one in ranked], choice)

    def use(statement: Evidence, as_shown: Evidence) -> EvidenceUse:
        """Return the use of one statement."""
        if as_shown == decisive:
            return "decided"
        return "read" if statement in was_read else "unread"

    return tuple(
        statement.model_copy(update={"use": use(statement, as_shown), "withheld": one.withheld})
        for statement, as_shown, one in zip(evidence, shown, redacted, strict=True)
    )


def list_read(question: Question, evidence: tuple[Evidence, ...], read: Collection[Evidence]) -> tuple[Evidence, ...]:
    """List the statements that were read, whole or without what was withheld of them."""
    redacted = zip(evidence, redact_speech(question, evidence), strict=True)
    return tuple(statement for statement, one in redacted if statement in read or one.kept in read)


def unmark(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the evidence without its marks."""
    return tuple(statement.model_copy(update={"use": None, "withheld": ()}) for statement in evidence)


def _find_decisive(question: Question, ranked: list[Evidence], choice: Choice | None) -> Evidence | None:
    """Find the first statement that speaks for the chosen option and for no other; None where none does.

    Where the question names recordings, it is about one of them.
    """
    if choice is None or not question.choices:
        return None
    named = find_named_clips(question)
    asked = (one for one in ranked if not named or one.recording in named)
    return next((one for one in asked if list_spoken_for(one, question) == {choice.letter}), None)


def list_spoken_for(statement: Evidence, question: Question) -> frozenset[str]:
    """Return the letters of the options that a statement speaks for; of what is said, by quantities in any spelling."""
    named = match_options(statement.text, question, statement.language) if statement.kind == "transcript" else {}
    return frozenset(named) or find_supported(statement, question)
