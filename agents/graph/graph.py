"""The LangGraph graph that answers a question: its nodes and edges.

The nodes are in `agents.graph.steps`, the state in `agents.graph.state`.

`python -m agents.graph.graph > docs/graph.md` draws it.
"""

import inspect
import sys
from functools import cache
from typing import Literal, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.degradation import POLICY, SHARES, find_row
from agents.graph import steps
from agents.graph.context import Choosing, Hearing, HearingLast, Informing
from agents.graph.state import CascadeOutput, GraphInput, GraphState

CascadeGraph: TypeAlias = CompiledStateGraph[GraphState, Hearing, GraphInput, CascadeOutput]
InformedGraph: TypeAlias = CompiledStateGraph[GraphState, Informing, GraphInput, GraphState]
InformedLastGraph: TypeAlias = CompiledStateGraph[GraphState, HearingLast, GraphInput, GraphState]
AgentGraph: TypeAlias = CompiledStateGraph[GraphState, Choosing, GraphInput, GraphState]


@cache
def build_cascade_graph() -> CascadeGraph:
    """Build the cascade: captioner and ASR in parallel, then the LLM, and active listening if it is unsure."""
    graph = StateGraph(GraphState, context_schema=Hearing, input_schema=GraphInput, output_schema=CascadeOutput)
    graph.add_node("caption", steps.caption)
    graph.add_node("transcribe", steps.transcribe)
    graph.add_node("read", steps.read)
    graph.add_node("listen_again", steps.listen_again)
    graph.add_edge(START, "caption")
    graph.add_edge(START, "transcribe")
    graph.add_edge(["caption", "transcribe"], "read")
    graph.add_conditional_edges("read", choose_after_reading)
    graph.add_edge("listen_again", END)
    return graph.compile(name="cascade")


@cache
def build_informed_graph() -> InformedGraph:
    """Build path `informed`: captioner and ASR in parallel, then the LALM, which is given what they heard."""
    graph = StateGraph(GraphState, context_schema=Informing, input_schema=GraphInput)
    graph.add_node("caption", steps.caption)
    graph.add_node("transcribe", steps.transcribe)
    graph.add_node("inform", steps.inform)
    graph.add_edge(START, "caption")
    graph.add_edge(START, "transcribe")
    graph.add_edge(["caption", "transcribe"], "inform")
    graph.add_edge("inform", END)
    return graph.compile(name="informed")


@cache
def build_informed_last_graph() -> InformedLastGraph:
    """Build path `informed` with tools: the cascade, which may listen again, then the LALM, which reads it."""
    graph = StateGraph(GraphState, context_schema=HearingLast, input_schema=GraphInput)
    graph.add_node("cascade", build_cascade_graph())
    graph.add_node("inform", steps.inform)
    graph.add_edge(START, "cascade")
    graph.add_edge("cascade", "inform")
    graph.add_edge("inform", END)
    return graph.compile(name="informed")


@cache
def build_agent_graph() -> AgentGraph:
    """Build the whole graph: one arm or both in parallel, then one answer; an arm stands in for one that is down."""
    graph = StateGraph(GraphState, context_schema=Choosing, input_schema=GraphInput)
    graph.add_node("route", steps.route)
    graph.add_node("cascade", build_cascade_graph())
    graph.add_node("listen", steps.listen)
    graph.add_node("reconcile", steps.reconcile)
    graph.add_node("answer", steps.answer)
    graph.add_edge(START, "route")
    graph.add_conditional_edges("route", choose_after_routing, ["cascade", "listen"])
    graph.add_conditional_edges("cascade", choose_after_cascade)
    graph.add_edge("listen", "reconcile")
    graph.add_conditional_edges("reconcile", choose_after_reconciling)
    graph.add_edge("answer", END)
    return graph.compile(name="agent")


# The conditions are coroutines though they await nothing: LangGraph would run functions in a thread, per question.


async def choose_after_reading(state: GraphState, runtime: Runtime[Hearing]) -> Literal["listen_again", "__end__"]:
    """Listen again where that is configured, no part is missing, and the options are not separate yet."""
    follow_up, is_whole = runtime.context.cascade.follow_up, "cascade" in state and not state["failures"]
    wanted = is_whole and follow_up and follow_up.needs_refining(state["question"], state["cascade"][-1])
    return "listen_again" if wanted else "__end__"


async def choose_after_cascade(state: GraphState, runtime: Runtime[Choosing]) -> Literal["listen", "reconcile"]:
    """Let the LALM hear last where it reads a summary, and has not answered in the cascade's place."""
    return "listen" if runtime.context.summary != "none" and "lalm" not in state else "reconcile"


async def choose_after_routing(state: GraphState, runtime: Runtime[Choosing]) -> list[Literal["cascade", "listen"]]:
    """Run the arms that the router chose; one after the other where the LALM reads a summary."""
    way = state["route"].way
    if runtime.context.summary != "none":
        return ["cascade"]
    return ["cascade", "listen"] if way == "both" else ["listen" if way == "lalm" else "cascade"]


async def choose_after_reconciling(state: GraphState) -> Literal["cascade", "listen", "answer"]:
    """Answer, or run the arm that stands in."""
    if "answer" in state:
        return "answer"
    row = find_row(state["failures"])
    assert row is not None, "without a failure there is an answer"
    return "cascade" if row.arm == "cascade" else "listen"


def format_page() -> str:
    """Format docs/graph.md: steps and conditions by their docstrings, the shares of time and the degradation policy."""
    tables = [f"| {step.__name__.replace('_', ' ')} | {inspect.getdoc(step)} |" for step in NODES]
    conditions = [f"| {after} | {inspect.getdoc(choose)} |" for after, choose in CONDITIONS.items()]
    shares = "\n".join(f"| {step} | {share:.0%} |" for step, share in SHARES.items())
    policy = "\n".join(f"| {', '.join(sorted(row.missing))} | {row.rests_on} |" for row in POLICY)
    steps_table, conditions_table = "\n".join(tables), "\n".join(conditions)
    return PAGE.format(steps=steps_table, conditions=conditions_table, shares=shares, policy=policy)


NODES = (
    steps.route,
    steps.caption,
    steps.transcribe,
    steps.read,
    steps.listen_again,
    steps.inform,
    steps.listen,
    steps.reconcile,
    steps.answer,
)
CONDITIONS = {
    "route": choose_after_routing,
    "read": choose_after_reading,
    "cascade": choose_after_cascade,
    "reconcile": choose_after_reconciling,
}


PAGE = """# How a question is answered

Path `auto` is the whole graph, path `cascade` the part with that name. Dotted edges are conditional.
Path `informed` is a graph of its own: caption and transcribe at once, then inform; with `--summary tools` the cascade,
then inform. On `auto` with a summary the LALM listens after the cascade, and its answer counts.
A run of the graph is one question about one clip; each step takes what the steps before it added, and adds its own.

![Route, then the cascade (caption and transcribe at once, read, perhaps listen again), the LALM (listen) or both, then
reconcile and answer](images/graph.svg)

## Steps

The steps are in `agents/graph/steps.py`; `earwitness ask --explain` prints them as they ran, with their seconds. One
more, `reason`, follows the answer of any path where its reasons are asked for ([Evidence](evidence.md#reasons)).

| step | what it does |
|---|---|
{steps}

## Conditions

After these steps the graph branches; the conditions are in `agents/graph/graph.py`.

| after | what happens next |
|---|---|
{conditions}

## Time

With a deadline (`earwitness ask --deadline`, `limits.deadline_s` of the service) each step may take a share of what is
left when it starts; what it does not take is left to the steps after it.

| step | share of the time left |
|---|---|
{shares}

A recording of more than 90 s is heard in parts ([Long recordings](asking.md#long-recordings)): parts that are not heard
within the share of their step, or whose model fails, are left out, and the answer rests on the others.

## What is down or late

The first line whose parts are all missing decides, and the answer says so in `degraded`. `earwitness eval run` lets
nothing be missing: there, such an item is failed.

| missing | the answer rests on |
|---|---|
{policy}
"""


if __name__ == "__main__":
    sys.stdout.write(format_page())
