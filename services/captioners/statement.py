"""A statement before it becomes evidence: what is said of the whole clip, and how sure it is."""

from typing import Literal, NamedTuple

from services.types import AudioClip, Evidence, EvidenceKind


class Statement(NamedTuple):
    """A statement about the whole clip."""

    kind: EvidenceKind
    text: str
    confidence: float
    reliability: Literal["measured", "model", "heuristic"] = "measured"

    def evidence(self, clip: AudioClip, *, source: str, revision: str) -> Evidence:
        """Return the statement as evidence about that clip."""
        return Evidence(
            kind=self.kind,
            source=source,
            revision=revision,
            text=self.text,
            end_s=round(clip.duration_s, 2),
            confidence=round(self.confidence, 2),
            reliability=self.reliability,
        )
