"""Summary of the evidence for a LALM that hears the recording itself: what others heard, and when, and no answer.

A LALM that was trained to read evidence gets all of it, in the form that it was trained on. Any other gets the most
relevant statements, as many as its style says, with what listening again found.
"""

from agents.listening.classifiers.spoken import hide_speech
from agents.reading.relevance import select_statements
from services.types import Evidence, EvidenceSummary, Question, ReadingStyle


def summarise(
    question: Question, evidence: tuple[Evidence, ...], style: ReadingStyle, summary: EvidenceSummary
) -> tuple[Evidence, ...] | None:
    """Select the evidence that a LALM reads beside the recording; None: it hears the recording alone.

    Args:
        question: what is said is left out where it does not ask for it.
        evidence: all that there is, in order.
        style: how the LALM reads best.
        summary: what is summarised.

    """
    if summary == "none":
        return None
    wanted = evidence if summary == "tools" else tuple(one for one in evidence if one.step in {"caption", "transcribe"})
    kept = tuple(one.model_copy(update={"use": None}) for one in hide_speech(question, wanted))
    if style.num_statements is None:
        return kept
    found = tuple(one for one in kept if one.step == "listen again")
    rest = tuple(one for one in kept if one not in found)
    room = style.model_copy(update={"num_statements": max(1, style.num_statements - len(found))})
    return (*select_statements(question, rest, room), *found)
