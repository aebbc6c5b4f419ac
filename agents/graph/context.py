"""Context of a run of the graph: the clip and the models that its steps may use.

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
from services.types import AudioClip


@dataclass(frozen=True, slots=True)
class CascadeParts:
    """Models and settings of a cascade."""

    llm: LLM
    """Reads the question and the evidence."""
    captioner: Captioner
    asr: ASR
    follow_up: FollowUp | None = None
    """Active listening where the answer is unsure; None: never."""
    policy: Policy = STRICT
    """Which errors degrade the answer instead of failing it."""
    calibration: ModelCalibration | None = None
    """Of the LLM's probabilities; None: as it gives them."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Context of the cascade."""

    clip: AudioClip
    parts: tuple[ClipPart, ...]
    """The parts in which captioner and ASR hear the clip: one, unless it is long."""
    cascade: CascadeParts


@dataclass(frozen=True, slots=True)
class Choosing(Hearing):
    """Context of the whole agent."""

    lalm: Direct
    routing: Routing
