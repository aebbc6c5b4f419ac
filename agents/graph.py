"""The LangGraph graph that runs the cascade: state, nodes and edges, one screen each.

START ─┬─> caption ────┬─> read ─> answer ─> END
       └─> transcribe ─┘
"""

import operator
from time import perf_counter
from typing import Annotated, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.cascade import Cascade, Hearing
from agents.reading import Read, read
from services.types import Answer, Evidence, Question


class State(TypedDict, total=False):
    """What the nodes share. Audio stays out of it: a checkpoint would copy a megabyte per step."""

    question: Question
    clip_sha256: str
    evidence: Annotated[tuple[Evidence, ...], operator.add]
    trace: Annotated[tuple[str, ...], operator.add]
    timings_s: Annotated[dict[str, float], operator.or_]
    read: Read
    answer: Answer


CascadeGraph: TypeAlias = CompiledStateGraph[State, Hearing, State, State]


class Nodes:
    """The steps of the cascade: each takes the state and returns what it adds."""

    def __init__(self, cascade: Cascade) -> None:
        self.cascade = cascade

    async def caption(self, state: State, runtime: Runtime[Hearing]) -> State:  # noqa: ARG002 - the clip is all it needs
        """Describe the clip in words."""
        started = perf_counter()
        evidence = await self.cascade.captioner.caption(runtime.context.clip)
        return _heard("caption", self.cascade.captioner.name, evidence, started)

    async def transcribe(self, state: State, runtime: Runtime[Hearing]) -> State:  # noqa: ARG002
        """Write down what is said."""
        started = perf_counter()
        evidence = await self.cascade.asr.transcribe(runtime.context.clip)
        return _heard("transcribe", self.cascade.asr.name, evidence, started)

    async def read(self, state: State) -> State:
        """Let the LLM read the question and all evidence."""
        started = perf_counter()
        answered = await read(self.cascade.llm, state["question"], state["evidence"])
        return {
            "read": answered,
            "trace": (answered.trace,),
            "timings_s": {"read": perf_counter() - started},
        }

    async def answer(self, state: State) -> State:
        """Put the answer together with everything it rests on."""
        answered = state["read"]
        answer = Answer(
            question_id=state["question"].id,
            reply=answered.reply,
            choice=answered.choice,
            probabilities=answered.probabilities,
            path="cascade",
            trace=state["trace"],
            evidence=state["evidence"],
            timings_s=state["timings_s"],
            usage=answered.usage,
        )
        return {"answer": answer}


def _heard(step: str, source: str, evidence: tuple[Evidence, ...], started: float) -> State:
    return {"evidence": evidence, "trace": (f"{step}: {source}",), "timings_s": {step: perf_counter() - started}}


def compile_graph(cascade: Cascade) -> CascadeGraph:
    """Connect the steps: both ears at once, and the LLM once both are done."""
    nodes = Nodes(cascade)
    graph = StateGraph(State, context_schema=Hearing)
    graph.add_node("caption", nodes.caption)
    graph.add_node("transcribe", nodes.transcribe)
    graph.add_node("read", nodes.read)
    graph.add_node("answer", nodes.answer)
    graph.add_edge(START, "caption")
    graph.add_edge(START, "transcribe")
    graph.add_edge(["caption", "transcribe"], "read")
    graph.add_edge("read", "answer")
    graph.add_edge("answer", END)
    return graph.compile()
