"""The graph as it is drawn."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from agents.cascade import Cascade
from agents.direct import Direct
from agents.graph.context import CascadeParts, Choosing
from agents.graph.graph import build_agent_graph, format_page
from agents.graph.state import GraphInput
from agents.listening.listening import FollowUp
from agents.listening.tool import Listeners
from agents.routing.router import Rule
from services.longform.split import split_at_pauses
from services.progress import ProgressEvent, StageEnded, StageStarted, report_progress_to
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import AudioClip, Draft, Question

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_the_documentation_is_the_graph_that_runs() -> None:
    written = (DOCS / "graph.md").read_text(encoding="utf-8")
    assert written == format_page(), "python -m agents.graph.graph > docs/graph.md"


def test_every_step_leads_to_an_answer_or_to_the_other_arm() -> None:
    drawn = build_agent_graph().get_graph(xray=True)
    edges = {(edge.source.removeprefix("cascade:"), edge.target.removeprefix("cascade:")) for edge in drawn.edges}
    assert {("caption", "read"), ("transcribe", "read"), ("read", "listen_again"), ("listen", "reconcile")} <= edges
    assert {target for source, target in edges if source == "reconcile"} == {"answer", "listen", "__start__"}


def inside(value: object) -> Iterator[object]:
    """Yield a value and all that it holds."""
    yield value
    if isinstance(value, Mapping):
        parts: Iterable[object] = value.values()
    else:
        parts = value if isinstance(value, tuple | list) else ()
    for part in parts:
        yield from inside(part)


async def test_no_audio_is_in_the_state_of_any_step() -> None:
    clip = AudioClip(np.zeros(16_000, np.float32))
    llm, lalm = ScriptedLLM(choose=weigh(0.55, 0.45)), ScriptedLALM(choose=weigh(0.4, 0.6))
    ears = ScriptedEars(lambda _, focus: (focus.question if focus else "Knocking.",))
    follow_up = FollowUp(Listeners(ears, ears), llm, budget=1)
    parts = CascadeParts(ears, ears, llm=llm, follow_up=follow_up)
    context = Choosing((clip,), split_at_pauses(clip), parts, Direct(lalm), Rule())
    asked = GraphInput(
        question=Question.ask("How many words does the speaker say?", ("1", "2")), clips_sha256=(clip.sha256,)
    )
    seen, steps = [], set()
    async for _, kind, state in build_agent_graph().astream(
        asked, context=context, stream_mode=["values", "updates"], subgraphs=True
    ):
        seen += list(inside(state))
        steps |= set(state) if kind == "updates" else set()
    names = {"route", "caption", "transcribe", "read", "listen_again", "cascade", "listen", "reconcile", "answer"}
    assert steps == names
    assert clip.sha256 in seen
    assert not [value for value in seen if isinstance(value, AudioClip | np.ndarray | bytes)]


async def test_each_step_that_takes_a_model_is_a_stage() -> None:
    heard: list[ProgressEvent] = []
    clip, ears = AudioClip(np.zeros(32_000, np.float32)), ScriptedEars(lambda _, focus: ("Knocking.",))
    llm = ScriptedLLM(choose=weigh(0.55, 0.45))
    cascade = Cascade(llm, ears, ears, follow_up=FollowUp(Listeners(ears, ears), llm, budget=1))
    with report_progress_to(heard.append):
        await cascade.answer(Question.ask("What is heard?", ("Rain", "Knocking")), clip)
    begun = {one.name: (one.total, one.unit) for one in heard if isinstance(one, StageStarted)}
    assert begun["caption"] == begun["transcribe"] == (2.0, "seconds of audio")
    assert list(begun) == ["caption", "transcribe", "read", "listen again"]
    assert sorted(begun) == sorted(one.name for one in heard if isinstance(one, StageEnded) and one.outcome == "done")


async def test_where_the_options_are_separate_the_step_that_listens_again_is_not_run() -> None:
    heard: list[ProgressEvent] = []
    clip, ears = AudioClip(np.zeros(32_000, np.float32)), ScriptedEars(lambda _, focus: ("Knocking.",))
    llm = ScriptedLLM(choose=weigh(0.9, 0.1))
    follow_up = FollowUp(Listeners(ears, ears), llm, budget=1)
    question = Question.ask("What is heard?", ("Rain", "Knocking"))
    with report_progress_to(heard.append):
        answer = await Cascade(llm, ears, ears, follow_up=follow_up).answer(question, clip)
    assert [one.name for one in heard if isinstance(one, StageStarted)] == ["caption", "transcribe", "read"]
    assert answer.drafts == (Draft(actions=0, choice=question.choices[0]),)
    assert await follow_up.refine(question, (clip,), answer) == (answer,)
