"""A statement before it becomes evidence: what is said of the whole clip, and how sure it is."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.types import AudioClip, Evidence, EvidenceKind, Label, Reliability

UNDATED = ""  # revision of evidence until the captioner, whose digest covers every analysis, puts in its own


class Statement(NamedTuple):
    """A statement about the whole clip."""

    kind: EvidenceKind
    text: str
    confidence: float
    reliability: Reliability = "measured"
    labels: tuple[Label, ...] = ()
    """What the text names."""

    def to_evidence(self, clip: AudioClip, *, source: str) -> Evidence:
        """Return the statement as evidence about that clip."""
        return Evidence(
            kind=self.kind,
            source=source,
            revision=UNDATED,
            text=self.text,
            labels=self.labels,
            end_s=round(clip.duration_s, 2),
            confidence=round(self.confidence, 2),
            reliability=self.reliability,
        )


def make_labels(found: Iterable[object]) -> tuple[Label, ...]:
    """Return labels without probabilities."""
    return tuple(Label(text=str(one)) for one in found)


def make_statement(
    kind: EvidenceKind,
    text: str,
    found: Sequence[object],
    confidence: float,
    reliability: Reliability = "measured",
) -> Statement:
    """Return a statement with what was found in place of each `{}` of its text."""
    labels = make_labels(found)
    return Statement(kind, text.format(*labels), confidence, reliability, labels)
