"""Statement: a sentence about a whole clip and its confidence, before it becomes evidence."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.types import AudioClip, Evidence, EvidenceKind, Label, Reliability

UNDATED = ""  # revision of evidence until the captioner, whose digest covers every analysis, sets its own


class Statement(NamedTuple):
    """A statement about the whole clip."""

    kind: EvidenceKind
    text: str
    confidence: float
    reliability: Reliability = "measured"
    labels: tuple[Label, ...] = ()
    """Names in the text that an option may match."""

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
    """Return a statement whose text has each `{}` replaced with what was found, which also become its labels."""
    labels = make_labels(found)
    return Statement(kind, text.format(*labels), confidence, reliability, labels)
