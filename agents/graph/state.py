"""State of the LangGraph graph: its input, what its nodes may add, and the whole."""

import operator
from collections.abc import Sequence
from typing import Annotated, TypedDict

from agents.degradation import MissingPart
from agents.routing.router import RouteDecision
from services.types import Answer, AudioClip, Evidence, Question, TraceStep


class GraphInput(TypedDict):
    """Input: a question. Audio stays out of the state, as a checkpoint would copy a megabyte per step."""

    question: Question
    clips_sha256: tuple[str, ...]


def make_input(question: Question, clips: Sequence[AudioClip]) -> GraphInput:
    """Return the input for a question about some clips."""
    return GraphInput(question=question.with_clips(clips), clips_sha256=tuple(clip.sha256 for clip in clips))


class CascadeOutput(TypedDict, total=False):
    """State that the cascade adds; evidence, trace and failures are append-only."""

    evidence: Annotated[tuple[Evidence, ...], operator.add]
    trace: Annotated[tuple[TraceStep, ...], operator.add]
    timings_s: Annotated[dict[str, float], operator.or_]
    failures: Annotated[tuple[MissingPart, ...], operator.add]
    degraded: Annotated[tuple[str, ...], operator.add]
    """What was missing, in words."""
    cascade: tuple[Answer, ...]
    """The cascade's answer, before the first follow-up and after each one; the last one counts."""


class GraphUpdate(CascadeOutput, total=False):
    """State that a step may add."""

    route: RouteDecision
    lalm: Answer
    answer: Answer


class GraphState(GraphInput, GraphUpdate):
    """The whole state."""
