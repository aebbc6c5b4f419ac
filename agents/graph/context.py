"""Context of a run of the graph: the clips and the models that its steps may use.

LangGraph hands it to every step and never stores it.
"""

from dataclasses import dataclass

from agents.degradation import STRICT, Policy
from agents.direct import Direct
from agents.listening.listening import FollowUp
from agents.reading.calibration import ModelCalibration
from agents.routing.router import Routing
from services.longform.split import ClipPart
from services.protocols import ASR, LLM, Captioner
from services.types import AudioClip, EvidenceSummary


@dataclass(frozen=True, slots=True)
class EarParts:
    """The models that write down what they hear."""

    captioner: Captioner
    asr: ASR
    policy: Policy = STRICT
    """Which errors degrade the answer instead of failing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeParts(EarParts):
    """Models and settings of a cascade."""

    llm: LLM
    """Reads the question and the evidence."""
    follow_up: FollowUp | None = None
    """Active listening where the answer is unsure; None: never."""
    calibration: ModelCalibration | None = None
    """Of the LLM's probabilities; None: as it gives them."""


@dataclass(frozen=True, slots=True)
class Perceiving:
    """Context of the steps in which captioner and ASR hear the clips."""

    clips: tuple[AudioClip, ...]
    """The recordings that the question is about."""
    parts: tuple[ClipPart, ...]
    """The parts in which captioner and ASR hear the clips: one of each, unless it is long."""
    ears: EarParts


@dataclass(frozen=True, slots=True)
class Informing(Perceiving):
    """Context of the path on which a LALM hears the clips and reads the evidence."""

    lalm: Direct
    summary: EvidenceSummary = "perception"


@dataclass(frozen=True, slots=True)
class Hearing(Perceiving):
    """Context of the cascade."""

    ears: CascadeParts

    @property
    def cascade(self) -> CascadeParts:
        """Models and settings of the cascade."""
        return self.ears


@dataclass(frozen=True, slots=True)
class HearingLast(Hearing):
    """Context of the path on which a LALM hears the clip after a cascade that has listened again."""

    lalm: Direct
    summary: EvidenceSummary = "tools"


@dataclass(frozen=True, slots=True)
class Choosing(Hearing):
    """Context of the whole agent."""

    lalm: Direct
    routing: Routing
    summary: EvidenceSummary = "none"
    """What the LALM reads beside the clip; with any it hears after the cascade, and its answer counts."""
