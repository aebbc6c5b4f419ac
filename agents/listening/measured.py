"""What a measurement says, as evidence: a kind, a text, and what it names."""

from typing import NamedTuple

from services.digest import hash_modules
from services.types import Evidence, EvidenceKind, Label, Reliability

SOURCE = "measurement"
CODE = (
    "agents.listening.comparison_tool",
    "agents.listening.measured",
    "agents.listening.measuring_tools",
    "agents.listening.classifiers.difference",
    "agents.listening.options",
    "agents.listening.places",
    "agents.reading.named_times",
    "agents.reading.numbers",
    "services.captioners",
    "services.measurement",
    "services.number_words",
    "services.sentences",
)
"""What decides what a measurement says."""


class Measured(NamedTuple):
    """A statement before it becomes evidence."""

    kind: EvidenceKind
    text: str
    label: Label
    confidence: float = 1.0
    reliability: Reliability = "measured"


def state(kind: EvidenceKind, text: str, found: str) -> Measured:
    """State what was measured, in a text that has `{}` in its place."""
    return Measured(kind, text.format(found), Label(text=found))


def make_finding(one: Measured, start_s: float, end_s: float) -> Evidence:
    """Return a statement on a span as evidence."""
    return Evidence(
        kind=one.kind,
        source=SOURCE,
        revision=hash_modules(*CODE)[:8],
        text=one.text,
        labels=(one.label,),
        start_s=round(start_s, 2),
        end_s=round(end_s, 2),
        confidence=round(one.confidence, 2),
        reliability=one.reliability,
    )
