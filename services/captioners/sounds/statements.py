"""Evidence about a span of time: a statement on everything from a first to a last span of sound."""

from services.captioners.sounds.activity import ActiveSpans
from services.captioners.statement import UNDATED
from services.types import Evidence, EvidenceKind, Label, Reliability


def make_evidence(
    kind: EvidenceKind,
    text: str,
    spans: ActiveSpans,
    labels: tuple[Label, ...] = (),
    *,
    source: str,
    confidence: float | None = None,
    reliability: Reliability = "model",
) -> Evidence:
    """Return evidence about everything from the first to the last of these spans; times to 10 ms."""
    return Evidence(
        kind=kind,
        source=source,
        revision=UNDATED,
        text=text,
        labels=labels,
        start_s=round(spans[0].start_s, 2),
        end_s=round(spans[-1].end_s, 2),
        confidence=None if confidence is None else round(confidence, 2),
        reliability=reliability,
    )
